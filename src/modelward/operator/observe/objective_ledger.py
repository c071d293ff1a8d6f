"""Counts each objective's requests from the moment when this process first saw it: the counters behind burn rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from modelward.api.endpoint_status import MAX_CHECKS
from modelward.api.policy_objective import PolicyObjective
from modelward.desired.monitoring_plan import BoundObjective
from modelward.metrics.series import Reading
from modelward.metrics.window import History
from modelward.status.objective_events import ObjectiveEvents, events_in

ObjectiveKey = tuple[str, str]
"""Policy and objective."""


@dataclass(slots=True)
class _Count:
    """One objective of one endpoint: its sum, and how far each pod had counted when it was added; None is unknown."""

    asked: PolicyObjective
    total: ObjectiveEvents = field(default_factory=ObjectiveEvents)
    pods: dict[str, tuple[Reading, ObjectiveEvents | None]] = field(default_factory=dict)


class ObjectiveLedger:
    """Sums that never fall while the process lasts: of a pod that went, of another limit, what was counted stays.

    An objective begins at 0 where it is first seen, with what pods had counted before left out. So does another process
    that begins to lead: its series are its own, and their rates add up to the same.
    """

    def __init__(self) -> None:
        self._counts: dict[str, dict[ObjectiveKey, _Count]] = {}

    def count(self, endpoint: str, asked: Sequence[BoundObjective], history: History) -> None:
        """Take in what the newest readings of an endpoint, `namespace/name`, add to the objectives asked of it."""
        known, readings = self._counts.get(endpoint, {}), history.newest()
        kept: dict[ObjectiveKey, _Count] = {}
        for bound in asked[:MAX_CHECKS]:
            key = bound.policy, bound.objective.name
            counts = not bound.paused and bound.problem is None
            kept[key] = _counted(known.get(key), bound.objective, readings, counts=counts)
        self._counts[endpoint] = kept

    def of(self, endpoint: str) -> Mapping[ObjectiveKey, ObjectiveEvents]:
        """Return the sums of an endpoint's objectives."""
        return {key: count.total for key, count in self._counts.get(endpoint, {}).items()}

    def forget(self, endpoint: str) -> None:
        """Drop what is known of an endpoint that is gone."""
        self._counts.pop(endpoint, None)


def _counted(before: _Count | None, asked: PolicyObjective, readings: Mapping[str, Reading], *, counts: bool) -> _Count:
    """Return the sum with the readings in it; where the objective is new or another, they are only where it begins."""
    begins = before is None or not _same(before.asked, asked)
    count = _Count(asked, before.total) if before is not None else _Count(asked)
    pods = before.pods if before is not None and not begins else {}
    for pod, reading in readings.items():
        seen = pods.get(pod)
        if seen is not None and seen[0].totals is reading.totals and seen[0].distributions is reading.distributions:
            count.pods[pod] = seen
            continue
        found = events_in(asked, reading)
        last = seen[1] if seen is not None else ObjectiveEvents()
        if found is not None and last is not None and counts and not begins:
            count.total += _gained(found, last)
        count.pods[pod] = reading, found
    return count


def _same(one: PolicyObjective, other: PolicyObjective) -> bool:
    def bound(asked: PolicyObjective) -> tuple[object, ...]:
        return asked.metric, asked.percentile, asked.max_duration, asked.max_rate

    return bound(one) == bound(other)


def _gained(now: ObjectiveEvents, last: ObjectiveEvents) -> ObjectiveEvents:
    """Return the difference; a sum that fell began anew at 0."""
    if now.events < last.events or now.bad < last.bad:
        last = ObjectiveEvents()
    events = now.events - last.events
    return ObjectiveEvents(events, min(events, now.bad - last.bad))
