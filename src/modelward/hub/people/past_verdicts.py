"""Verdicts on objectives at each row of an endpoint's history, by the functions that the operator decides with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import accumulate

from modelward.alerts.episode import AlertInput, AlertVerdict
from modelward.api.history import BOUNDS, OUTCOMES, Latency
from modelward.api.objectives import OBJECTIVES
from modelward.api.outcome import RequestClass
from modelward.api.policy_objective import PolicyObjective
from modelward.api.quantity import PPM, duration_ms, percent_ppm
from modelward.api.signals import Signal
from modelward.evaluate.objective import DurationBins, ObjectiveVerdict, decide_latency, decide_rate
from modelward.hub.history.counts import COUNTED
from modelward.hub.history.points import Points
from modelward.reasons.checks import CheckReason
from modelward.status.judgement import READING_ODDS
from modelward.status.objective_events import DEFAULT_PERCENTILE

_LATENCIES: dict[Signal, Latency] = {Signal.TTFT: "ttft", Signal.TPOT: "tpot", Signal.DURATION: "duration"}
_CLASSES: dict[Signal, RequestClass] = {
    Signal.ERRORS: "error",
    Signal.CLIENT_ERRORS: "client_error",
    Signal.OVERLOADS: "overload",
}


def past_verdicts(policy: str, asked: PolicyObjective, points: Points) -> Iterator[tuple[int, AlertInput]]:
    """Yield when each row ended, and what the objective's alert would have heard then."""
    grid = points.grid
    width = max(1, duration_ms(asked.over) // grid.step_ms)
    decided = _decider(asked, points, width)
    for at in range(grid.count):
        yield grid.from_ms + (at + 1) * grid.step_ms, _heard(policy, asked, decided(at))


def _heard(policy: str, asked: PolicyObjective, found: ObjectiveVerdict | None) -> AlertInput:
    verdict: AlertVerdict = found.verdict if found else "Unknown"
    if found and found.reason == CheckReason.NEAR_THRESHOLD:
        verdict = "NearThreshold"
    reason = str(found.reason if found else CheckReason.MISSING)
    what = f"{asked.name} {found.message}"[:256] if found else ""
    return AlertInput(policy, f"Objective/{asked.name}", verdict, asked.severity, reason, what)


def _decider(asked: PolicyObjective, points: Points, width: int) -> Callable[[int], ObjectiveVerdict | None]:
    """Return what decides at a row; None where the rows before it were not watched."""
    metric = OBJECTIVES[asked.metric]
    latency = _LATENCIES.get(metric.signal)
    if metric.kind == "Latency" and latency is not None:
        decide = partial(_latency_at, asked, latency, _latency_windows(latency, points, width))
        given = _Window(points.of((), f"given.{latency}"), width)
    else:
        counted = _CLASSES[metric.signal]
        out = [_CLASSES[one] for one in metric.left_out]
        every = [_Window(points.of(COUNTED, one), width) for one in OUTCOMES if one not in out]
        decide = partial(_rate_at, asked, every, _Window(points.of(COUNTED, counted), width))
        given = _Window(points.of((), f"given.{counted}"), width)
    seen = _Window(points.of((), "covered"), width)
    return lambda at: decide(at) if seen.sum(at) and given.sum(at) else None


def _latency_windows(latency: Latency, points: Points, width: int) -> list[_Window]:
    return [_Window(points.of(COUNTED, f"{latency}.{n}"), width) for n in range(len(BOUNDS[latency]) + 1)]


def _latency_at(asked: PolicyObjective, latency: Latency, buckets: Sequence[_Window], at: int) -> ObjectiveVerdict:
    return decide_latency(
        DurationBins(tuple(bound * 1_000 for bound in BOUNDS[latency]), tuple(one.sum(at) for one in buckets)),
        percentile_ppm=(asked.percentile or DEFAULT_PERCENTILE) * PPM // 100,
        max_duration_ms=duration_ms(asked.max_duration or "0s"),
        min_requests=asked.min_requests,
        odds=READING_ODDS[asked.severity],
    )


def _rate_at(asked: PolicyObjective, every: Sequence[_Window], bad: _Window, at: int) -> ObjectiveVerdict:
    return decide_rate(
        requests=sum(one.sum(at) for one in every),
        errors=bad.sum(at),
        max_rate_ppm=percent_ppm(asked.max_rate or "0%"),
        min_requests=asked.min_requests,
        odds=READING_ODDS[asked.severity],
    )


class _Window:
    """Sums over the last rows."""

    def __init__(self, values: list[int], width: int) -> None:
        self.sums, self.width = [0, *accumulate(values)], width

    def sum(self, at: int) -> int:
        return self.sums[at + 1] - self.sums[max(0, at + 1 - self.width)]
