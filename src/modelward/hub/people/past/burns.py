"""How fast error budgets burnt at each row of an endpoint's history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelward.alerts.inputs import input_of_budget
from modelward.api.check_status import ErrorBudgetStatus
from modelward.api.history import BOUNDS, OUTCOMES
from modelward.api.objectives import OBJECTIVES
from modelward.api.policy_objective import PolicyObjective
from modelward.api.quantity import duration_ms
from modelward.hub.history.counts import COUNTED
from modelward.hub.history.points import Points
from modelward.hub.people.past.heard import Heard, moments, present
from modelward.hub.people.past.objectives import CLASSES, LATENCIES
from modelward.metrics.histogram import Histogram
from modelward.status.burn import BurnLine, BurnStep, burn_at
from modelward.status.objective_events import slower


def past_burn(policy: str, asked: PolicyObjective, before: Points, points: Points, from_ms: int) -> Iterator[Heard]:
    """Yield what the alert of an objective's error budget would have heard at the end of each row from a time on.

    `before` are the rows of three days before, in steps of five minutes at most.
    """
    begins_ms = points.grid.from_ms
    line = BurnLine((*(row for row in steps(asked, before) if row.at_ms < begins_ms), *steps(asked, points)))
    for moment in moments(points, from_ms):
        burn = burn_at(asked, line, moment.now_ms)
        row = ErrorBudgetStatus(policy=policy, objective=asked.name, burning=burn.burning, message=burn.message)
        yield Heard(moment.ends_ms, input_of_budget(row))


def steps(asked: PolicyObjective, points: Points) -> Sequence[BurnStep]:
    """Return what an objective counted in each row in which the endpoint was known."""
    rows = zip(points.grid.at_ms, _events(asked, points), present(points), strict=True)
    return [BurnStep(at_ms, events, bad) for at_ms, (events, bad), there in rows if there]


def _events(asked: PolicyObjective, points: Points) -> Iterator[tuple[float, float]]:
    metric = OBJECTIVES[asked.metric]
    latency = LATENCIES.get(metric.signal)
    if metric.kind == "Latency" and latency is not None:
        limit_s = duration_ms(asked.max_duration or "0s") / 1_000
        buckets = (points.of(COUNTED, f"{latency}.{n}") for n in range(len(BOUNDS[latency]) + 1))
        for row in zip(*buckets, strict=True):
            yield slower(_histogram(BOUNDS[latency], row), limit_s)
        return
    out = [CLASSES[one] for one in metric.left_out]
    every = zip(*(points.of(COUNTED, one) for one in OUTCOMES if one not in out), strict=True)
    counted = CLASSES[metric.signal]
    given = points.of((), f"given.{counted}")
    for row, bad, known in zip(every, points.of(COUNTED, counted), given, strict=True):
        events = float(sum(row)) if known else 0.0
        yield events, min(events, float(bad)) if known else 0.0


def _histogram(bounds: tuple[float, ...], row: Sequence[int]) -> Histogram:
    grown, total = [], 0.0
    for count in row:
        total += count
        grown.append(total)
    return Histogram(bounds, tuple(grown[:-1]), 0.0, total)
