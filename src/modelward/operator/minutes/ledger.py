"""How far each endpoint's readings are in its history, so that every request is in one minute and in no two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from modelward.api.history import MINUTE_MS, HistoryRow
from modelward.metrics.callers import CallerLedger
from modelward.metrics.gains import ModelGains, follows, gained
from modelward.metrics.series import Reading
from modelward.operator.minutes.rows import MinuteFacts, PartKey, levels_of, objectives_of, parts_of
from modelward.operator.observe.observer import Observation
from modelward.status.objective_events import ObjectiveEvents

ObjectiveSumsByName = Mapping[tuple[str, str], ObjectiveEvents]


@dataclass(slots=True)
class _Counted:
    """One endpoint: what is known of it, and the reading of each pod up to which it is counted."""

    facts: MinuteFacts
    pods: dict[str, Reading] = field(default_factory=dict)
    objectives: ObjectiveSumsByName = field(default_factory=dict)
    callers: CallerLedger = field(default_factory=CallerLedger)


class MinuteLedger:
    """Rows of all endpoints, one a minute; the reconciler says which endpoints there are."""

    def __init__(self) -> None:
        self._known: dict[str, _Counted] = {}

    def note(self, endpoint: str, facts: MinuteFacts) -> None:
        """Remember what a reconcile knows of an endpoint, `namespace/name`."""
        known = self._known.get(endpoint)
        if known is None:
            self._known[endpoint] = _Counted(facts)
        else:
            known.facts = facts

    def forget(self, endpoint: str) -> None:
        """Drop an endpoint that is gone."""
        self._known.pop(endpoint, None)

    def endpoints(self) -> tuple[str, ...]:
        """Return the endpoints that are known."""
        return tuple(self._known)

    def row(
        self, endpoint: str, minute_ms: int, seen: Observation, objectives: ObjectiveSumsByName
    ) -> HistoryRow | None:
        """Return what an endpoint's pods counted up to the end of a minute, since the row before; None of one gone."""
        known = self._known.get(endpoint)
        if known is None:
            return None
        namespace, _, name = endpoint.partition("/")
        gains, covered_ms = self._gains(known, seen, minute_ms + MINUTE_MS)
        counted = objectives_of(known.objectives, objectives)
        known.objectives = dict(objectives)
        callers = known.callers.gained({pod: page.callers for pod, page in seen.latest.items()})
        return HistoryRow(
            namespace,
            name,
            minute_ms,
            covered_ms,
            parts_of(gains, known.facts.prices),
            levels_of(seen.history, minute_ms, known.facts),
            counted,
            callers,
        )

    def _gains(self, known: _Counted, seen: Observation, until_ms: int) -> tuple[dict[PartKey, ModelGains], int]:
        """Add up what pods counted. A pod begins with its first reading: what it counted before was not watched."""
        gains: dict[PartKey, ModelGains] = {}
        counted: dict[str, Reading] = {}
        spans = 0
        for pod, (first, last) in seen.history.until(until_ms).items():
            before = known.pods.get(pod)
            if before is None or not follows(before, last):
                before = first
            counted[pod] = last
            spans += max(0, last.at_ms - before.at_ms)
            revision = known.facts.revisions.get(pod, "")
            for model, found in gained(before, last).items():
                gains.setdefault((revision, model), ModelGains()).add(found)
        known.pods = counted
        watched = {target.pod for target in seen.targets} | counted.keys()
        return gains, spans // max(1, len(watched))
