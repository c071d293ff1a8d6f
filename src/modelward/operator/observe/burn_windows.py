"""What each objective with an error budget counted in the last three days, in steps of five minutes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from modelward.operator.observe.objective_ledger import ObjectiveKey
from modelward.status.burn import KEPT_MS, STEP_MS, BurnStep
from modelward.status.objective_events import ObjectiveEvents

_MOST_STEPS = KEPT_MS // STEP_MS + 2


@dataclass(slots=True)
class _Steps:
    last: ObjectiveEvents
    steps: deque[BurnStep] = field(default_factory=lambda: deque(maxlen=_MOST_STEPS))


class BurnWindows:
    """Held in memory, at most 866 steps for each objective; another leader refills them from history."""

    def __init__(self) -> None:
        self._known: dict[str, dict[ObjectiveKey, _Steps]] = {}

    def note(
        self, endpoint: str, sums: Mapping[ObjectiveKey, ObjectiveEvents], budgeted: Iterable[ObjectiveKey], now_ms: int
    ) -> None:
        """Take in the sums of an endpoint's objectives, `namespace/name`; those without a budget are left out."""
        before = self._known.get(endpoint, {})
        kept: dict[ObjectiveKey, _Steps] = {}
        for key in budgeted:
            if key in sums:
                kept[key] = before.get(key) or _Steps(sums[key])
                _add(kept[key], sums[key], now_ms // STEP_MS * STEP_MS)
        if kept:
            self._known[endpoint] = kept
        else:
            self._known.pop(endpoint, None)

    def refill(self, endpoint: str, past: Mapping[ObjectiveKey, tuple[BurnStep, ...]]) -> None:
        """Put what was counted before this process first saw an objective in front of what it counted itself.

        The step in which it began is its own alone: what another leader counted in it may be in both.
        """
        for key, known in self._known.get(endpoint, {}).items():
            begins_ms = known.steps[0].at_ms
            oldest_ms = known.steps[-1].at_ms - KEPT_MS - STEP_MS
            earlier = [step for step in past.get(key, ()) if oldest_ms <= step.at_ms < begins_ms]
            known.steps = deque((*earlier, *known.steps), maxlen=_MOST_STEPS)

    def of(self, endpoint: str, key: ObjectiveKey) -> tuple[BurnStep, ...]:
        """Return the steps of an objective, oldest first."""
        found = self._known.get(endpoint, {}).get(key)
        return tuple(found.steps) if found is not None else ()

    def forget(self, endpoint: str) -> None:
        """Drop what is known of an endpoint that is gone."""
        self._known.pop(endpoint, None)


def _add(known: _Steps, now: ObjectiveEvents, at_ms: int) -> None:
    events, bad = max(0.0, now.events - known.last.events), max(0.0, now.bad - known.last.bad)
    known.last = now
    if known.steps and known.steps[-1].at_ms > at_ms:
        known.steps.clear()  # the clock was set back
    if known.steps and known.steps[-1].at_ms == at_ms:
        step = known.steps.pop()
        events, bad = events + step.events, bad + step.bad
    known.steps.append(BurnStep(at_ms, events, bad))
    while known.steps[0].at_ms < at_ms - KEPT_MS - STEP_MS:
        known.steps.popleft()
