"""Requests that were counted, and how many of them were bad: of a time, and of each group in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from modelward.api.compare_view import BadShare, CauseKind
from modelward.evaluate.interval import Interval, effective_size, wilson
from modelward.evaluate.statistics.change import Difference, newcombe

PPM = 1_000_000
CauseGroup = tuple[CauseKind, str]
"""By what requests are grouped, and which group it is."""


@dataclass(frozen=True, slots=True)
class RequestTally:
    """Requests and bad ones; weights are sums of 1/inclusion, so that a sample stands for all."""

    requests: int = 0
    bad: int = 0
    weight: float = 0.0
    weight_squared: float = 0.0
    bad_weight: float = 0.0

    def __add__(self, other: RequestTally) -> RequestTally:
        """Return both together."""
        return RequestTally(
            self.requests + other.requests,
            self.bad + other.bad,
            self.weight + other.weight,
            self.weight_squared + other.weight_squared,
            self.bad_weight + other.bad_weight,
        )

    @property
    def interval(self) -> Interval:
        """Return the share of bad ones."""
        return self.part(self.bad_weight)

    def part(self, weight: float) -> Interval:
        """Return the share that a weight has of these requests."""
        size = effective_size(self.weight, self.weight_squared)
        return wilson(min(1.0, weight / self.weight) * size, size) if size else wilson(0, 0)


def counted(requests: int, bad: int) -> RequestTally:
    """Return the tally of what was counted whole."""
    return RequestTally(requests, bad, requests, requests, bad)


@dataclass(frozen=True, slots=True)
class CountedSpan:
    """A time and what was counted of it; a request is in one group of each kind."""

    from_ms: int
    to_ms: int
    whole: RequestTally = RequestTally()
    groups: Mapping[CauseGroup, RequestTally] = field(default_factory=dict)

    def of(self, name: CauseGroup) -> RequestTally:
        """Return what was counted of a group."""
        return self.groups.get(name, RequestTally())

    def share(self, tally: RequestTally) -> BadShare:
        """Return a tally of this time as people see it."""
        seen = (
            tuple(round(one * PPM) for one in (tally.interval.value, tally.interval.low, tally.interval.high))
            if tally.requests
            else (None, None, None)
        )
        return BadShare(
            from_ms=self.from_ms, to_ms=self.to_ms, requests=tally.requests, bad=tally.bad,
            share_ppm=seen[0], low_ppm=seen[1], high_ppm=seen[2],
        )  # fmt: skip


def span_of(from_ms: int, to_ms: int, rows: Iterable[tuple[Iterable[CauseGroup], RequestTally]]) -> CountedSpan:
    """Return a time from rows, each with the groups that it is in."""
    whole, groups = RequestTally(), defaultdict[CauseGroup, RequestTally](RequestTally)
    for names, tally in rows:
        whole += tally
        for name in names:
            groups[name] += tally
    return CountedSpan(from_ms, to_ms, whole, groups)


def rise(before: CountedSpan, after: CountedSpan) -> Difference:
    """Return by how much the share of bad requests rose."""
    return newcombe(after.whole.interval, before.whole.interval)


def rise_of(name: CauseGroup, before: CountedSpan, after: CountedSpan) -> Difference:
    """Return by how much the bad requests of a group rose, as a share of all requests: those of all groups add up."""
    now, then = after.whole.part(after.of(name).bad_weight), before.whole.part(before.of(name).bad_weight)
    return newcombe(now, then)
