"""Verdicts on objectives at each row of an endpoint's history."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from modelward.alerts.inputs import input_of_check
from modelward.api.history import BOUNDS, OUTCOMES, Latency
from modelward.api.objectives import OBJECTIVES
from modelward.api.outcome import RequestClass
from modelward.api.policy_objective import PolicyObjective
from modelward.api.quantity import duration_ms
from modelward.api.signals import Signal
from modelward.evaluate.objective import DurationBins, ObjectiveVerdict
from modelward.hub.history.counts import COUNTED
from modelward.hub.history.points import Points
from modelward.hub.people.past.heard import Heard, moments
from modelward.hub.people.past.revisions import PastRevisions
from modelward.metrics.series import COARSE_MS, FINE_MS
from modelward.reasons.checks import CheckReason
from modelward.reasons.reason import Reason
from modelward.status.checks import Check
from modelward.status.objective_judgement import decided_latency, decided_rate

LATENCIES: dict[Signal, Latency] = {Signal.TTFT: "ttft", Signal.TPOT: "tpot", Signal.DURATION: "duration"}
CLASSES: dict[Signal, RequestClass] = {
    Signal.ERRORS: "error",
    Signal.CLIENT_ERRORS: "client_error",
    Signal.OVERLOADS: "overload",
}
RowSpan = tuple[int, int]
"""Rows from the first up to, and without, the second."""


def past_objective(
    policy: str, asked: PolicyObjective, points: Points, revisions: PastRevisions, from_ms: int
) -> Iterator[Heard]:
    """Yield what the objective's alert would have heard at the end of each row from a time on."""
    windows = _Windows(points, duration_ms(asked.over), revisions)
    decided = _decider(asked, points)
    for moment in moments(points, from_ms):
        span = windows.at(moment.place, moment.now_ms)
        found = decided(span) if span is not None else None
        verdict = found.verdict if found else "Unknown"
        reason: Reason = found.reason if found else CheckReason.MISSING
        message = found.message if found else ""
        check = Check(policy, asked.name, "Objectives", asked.severity, verdict, reason, message, "", verdict, reason)
        yield Heard(moment.ends_ms, input_of_check(check))


def _decider(asked: PolicyObjective, points: Points) -> Callable[[RowSpan], ObjectiveVerdict | None]:
    """Return what decides by the counts of some rows; None where no row counts what it asks for."""
    metric = OBJECTIVES[asked.metric]
    latency = LATENCIES.get(metric.signal)
    if metric.kind == "Latency" and latency is not None:
        buckets = [_Sums(points.of(COUNTED, f"{latency}.{n}")) for n in range(len(BOUNDS[latency]) + 1)]
        given = _Sums(points.of((), f"given.{latency}"))
        bounds_ms = tuple(bound * 1_000 for bound in BOUNDS[latency])

        def by_latency(span: RowSpan) -> ObjectiveVerdict | None:
            bins = DurationBins(bounds_ms, tuple(one.sum(span) for one in buckets))
            return decided_latency(asked, bins) if given.sum(span) else None

        return by_latency
    counted = CLASSES[metric.signal]
    out = [CLASSES[one] for one in metric.left_out]
    every = [_Sums(points.of(COUNTED, one)) for one in OUTCOMES if one not in out]
    bad, known = _Sums(points.of(COUNTED, counted)), _Sums(points.of((), f"given.{counted}"))

    def by_rate(span: RowSpan) -> ObjectiveVerdict | None:
        return decided_rate(asked, sum(one.sum(span) for one in every), bad.sum(span)) if known.sum(span) else None

    return by_rate


@dataclass(slots=True)
class _Sums:
    """Sums over rows."""

    grown: list[int]

    def __init__(self, values: list[int]) -> None:
        self.grown = [0, *accumulate(values)]

    def sum(self, span: RowSpan) -> int:
        return self.grown[span[1]] - self.grown[span[0]]


class _Windows:
    """Which rows a window counts: as readings would, those of one revision, and none that reaches far back before it.

    A row after a gap has what was counted in the gap. Two readings that span a window are at most a coarse step older
    than its start; so a row that goes on further back is left out.
    """

    def __init__(self, points: Points, over_ms: int, revisions: PastRevisions) -> None:
        self._grid, self._revisions = points.grid, revisions
        self._width = max(1, over_ms // points.grid.step_ms)
        self._covered = points.of((), "covered")
        self._sums = _Sums(self._covered)
        self._watched = [place for place, covered in enumerate(self._covered) if covered]

    def at(self, place: int, now_ms: int) -> RowSpan | None:
        """Return the rows that count when this one has ended; None where none was watched."""
        grid = self._grid
        since = -(-(self._revisions.at(now_ms).since_ms - grid.from_ms) // grid.step_ms)
        first = max(0, place + 1 - self._width, since)
        begins_ms = grid.from_ms + first * grid.step_ms
        known = bisect_right(self._watched, first - 1)
        if known < len(self._watched) and self._watched[known] <= place:
            oldest = self._watched[known]
            reaches_ms = grid.from_ms + (oldest + 1) * grid.step_ms - self._covered[oldest]
            if reaches_ms < begins_ms - COARSE_MS - FINE_MS:
                first = oldest + 1
        span = (first, place + 1)
        return span if first <= place and self._sums.sum(span) else None
