"""For how long runs have waited, and how soon each is looked at again."""

from __future__ import annotations

from dataclasses import dataclass, field

from modelward.api.evaluationrun import EvaluationRun

LOOK_S = 5.0
_LONGEST_PAUSE_S = 300.0
"""Between two tries to begin a run that is refused."""
_MANY_RUNS = 20
"""Unfinished runs of a namespace above which each of them is reconciled less often, so that others get their turn."""


@dataclass(slots=True)
class Waiting:
    """The runs of all namespaces that have not ended, by what we have seen ourselves."""

    _since: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    """Since when each run waits, by what for."""
    _unfinished: dict[str, set[str]] = field(default_factory=dict)

    def seen(self, namespace: str, name: str) -> None:
        """Note that a run has not ended."""
        self._unfinished.setdefault(namespace, set()).add(name)

    def ms(self, run: EvaluationRun, what: str, now_ms: int) -> int:
        """Return for how long a run has waited for something; from now on, where the clock was set back."""
        since = self._since.setdefault((run.metadata.namespace, run.metadata.name), {})
        since[what] = min(now_ms, since.get(what, now_ms))
        return now_ms - since[what]

    def over(self, run: EvaluationRun, what: str) -> None:
        """Note that a run waits for something no more."""
        self._since.get((run.metadata.namespace, run.metadata.name), {}).pop(what, None)

    def pause_s(self, run: EvaluationRun, now_ms: int) -> float:
        """Return the seconds until the next attempt: the longer a run is refused, and the more there are, the more."""
        about = run.metadata
        since = self._since.get((about.namespace, about.name), {}).get("refused", now_ms)
        refused_s = (now_ms - since) / 2_000
        crowd = len(self._unfinished.get(about.namespace, ())) / _MANY_RUNS
        return min(_LONGEST_PAUSE_S, max(LOOK_S, refused_s, LOOK_S * crowd))

    def forget(self, namespace: str, name: str) -> None:
        """Drop a run that has ended or is gone."""
        self._since.pop((namespace, name), None)
        self._unfinished.get(namespace, set()).discard(name)
