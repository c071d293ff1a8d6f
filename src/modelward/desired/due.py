"""Which evaluations are due: those whose time has passed and whose endpoint has something new to judge.

Each batch is a pod, so evaluations of a namespace share one, but for those that need a container: they are a part of
their own, with batches of their own. What is due soon comes along with what is due in its part; and where so little is
new that no verdict could rest on it, a part is judged once an hour. A batch that came to nothing is made up for before
what it took has left the sliding set.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from modelward.api.evaluationrun import RunItem
from modelward.api.quantity import duration_ms, timestamp
from modelward.desired.monitoring_plan import BoundEvaluation, MonitoringPlan, part_of

WindowKey = tuple[str, str, str]
"""(endpoint, policy, evaluation), names within one namespace."""
EvaluationName = tuple[str, str]
"""(policy, evaluation), names at one endpoint."""

QUIET_MS = 3_600_000
"""The longest that what is new waits for more, and so the distance between the batches of a quiet part."""
_EARLY_MS = 1_800_000
"""At most so long before its time an evaluation comes along; half of `every` where that is less."""
_LATE_MS = 60_000
"""How much further back than the sliding set a window may reach: a batch comes some seconds after its time."""


@dataclass(frozen=True, slots=True)
class TrafficSince:
    """What the hub has of an endpoint: when the newest exchange was, and how many came, ever and until each judging."""

    newest_ms: int
    came: int = 0
    judged: Mapping[EvaluationName, int] = field(default_factory=dict)
    """Of how many of these each evaluation was made; 0 of one that is not there."""

    def fresh(self, name: EvaluationName) -> int:
        """Return how many exchanges came since the evaluation was last made."""
        return self.came - self.judged.get(name, 0)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An evaluation with something new to judge; `age_ms` is the time since it was last judged, or tried in vain."""

    item: RunItem
    part: str
    age_ms: int
    in_vain: bool
    every_ms: int
    over_ms: int
    min_samples: int
    fresh: int

    @property
    def in_time(self) -> bool:
        """Whether its time has come, but for sharing a batch."""
        return self.age_ms >= self.every_ms

    @property
    def in_reach(self) -> bool:
        """Whether it may come along with others."""
        return self.age_ms >= self.every_ms - min(self.every_ms // 2, _EARLY_MS)

    @property
    def decidable(self) -> bool:
        """Whether exchanges come so fast that a verdict can rest on them: `minSamples` in the time of `over`."""
        return self.fresh * self.over_ms >= self.min_samples * min(self.age_ms, self.over_ms)


def due(
    now_ms: int,
    watches: Mapping[str, MonitoringPlan],
    heard: Mapping[str, TrafficSince],
    last_windows: Mapping[WindowKey, int],
    tried: Mapping[WindowKey, int],
    *,
    more: Collection[str] = (),
) -> tuple[RunItem, ...]:
    """Return what the next batches of one namespace judge, what waits longest first; empty while it is not time.

    `watches` and `heard` go by the endpoint's name. Of each evaluation `last_windows` holds the end of the newest
    window that has a result, `tried` that of the newest batch that took it, whatever came of it; `more` names the
    parts whose batch had no room for all. Windows join without gap or overlap; they end on whole seconds, as times in
    a custom resource do, and reach no further back than the verdict's sliding set and a minute.
    """
    until_ms = now_ms - now_ms % 1_000
    waiting = [one for one in _waiting(until_ms, watches, heard, last_windows, tried) if one.in_reach]
    batched = _newest_batches(until_ms, watches, tried) | dict.fromkeys(more, 0)
    pressing = {one.part for one in waiting if _presses(one, until_ms - batched.get(one.part, 0))}
    return tuple(one.item for one in sorted(waiting, key=lambda one: -one.age_ms) if one.part in pressing)


def _newest_batches(
    until_ms: int, watches: Mapping[str, MonitoringPlan], tried: Mapping[WindowKey, int]
) -> dict[str, int]:
    """Return the end of each part's newest batch; what is watched no more counts with what needs no container."""
    ends: dict[str, int] = {}
    for key, tried_ms in tried.items():
        part, end_ms = part_of(watches, *key), _not_after(until_ms, tried_ms)
        ends[part] = max(ends.get(part, 0), end_ms)
    return ends


def _presses(one: _Waiting, quiet_ms: int) -> bool:
    """Return whether an evaluation is worth a batch of its own, so long after the last one of its part.

    What is new never waits until it has left the sliding set, of which what was tried in vain has spent a part.
    """
    patience_ms = min(QUIET_MS, one.over_ms) // (2 if one.in_vain else 1)
    return one.in_time and (one.decidable or quiet_ms >= patience_ms)


def _waiting(
    until_ms: int,
    watches: Mapping[str, MonitoringPlan],
    heard: Mapping[str, TrafficSince],
    last_windows: Mapping[WindowKey, int],
    tried: Mapping[WindowKey, int],
) -> Iterator[_Waiting]:
    for endpoint, bound in able(watches, heard):
        known, evaluation = heard[endpoint], bound.evaluation
        key, over_ms = (endpoint, bound.policy, evaluation.name), duration_ms(evaluation.over)
        last_ms = last_windows.get(key)
        since_ms = _window_start(until_ms, over_ms, last_ms)
        if known.newest_ms < since_ms or since_ms >= until_ms:
            continue
        tried_ms = _not_after(until_ms, tried.get(key))
        age_ms = until_ms - max(_not_after(until_ms, last_ms), tried_ms)
        in_vain = tried_ms > (last_ms or 0)
        item, every_ms = window_item(key, since_ms, until_ms), duration_ms(evaluation.every)
        fresh = known.fresh((bound.policy, evaluation.name))
        yield _Waiting(item, bound.part, age_ms, in_vain, every_ms, over_ms, evaluation.min_samples, fresh)


def _not_after(until_ms: int, time_ms: int | None) -> int:
    """Return a time, 0 where there is none or a clock put it into the future."""
    return time_ms if time_ms is not None and time_ms <= until_ms else 0


def able(watches: Mapping[str, MonitoringPlan], endpoints: Collection[str]) -> Iterator[tuple[str, BoundEvaluation]]:
    """Yield what can be judged of these endpoints, by endpoint, policy and evaluation."""
    for endpoint in sorted(watches.keys() & set(endpoints)):
        for bound in sorted(watches[endpoint].evaluations, key=lambda bound: (bound.policy, bound.evaluation.name)):
            if not bound.paused and bound.problem is None:
                yield endpoint, bound


def _window_start(until_ms: int, over_ms: int, last_ms: int | None) -> int:
    earliest_ms = max(0, until_ms - over_ms - _LATE_MS)
    start_ms = max(last_ms or 0, earliest_ms)
    return start_ms - start_ms % 1_000


def window_item(key: WindowKey, from_ms: int, until_ms: int) -> RunItem:
    """Return the item of a run that judges one evaluation over one window."""
    endpoint, policy, evaluation = key
    ends = {"from": timestamp(from_ms), "to": timestamp(until_ms)}
    return RunItem(endpoint=endpoint, policy=policy, evaluation=evaluation, **ends)
