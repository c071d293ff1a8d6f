"""Latency distributions as engines and collectors publish them: cumulative counts under fixed bounds."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from modelward.metrics.exposition import countable


@dataclass(frozen=True, slots=True)
class Histogram:
    """Cumulative counts: `counts[i]` observations were at most `bounds[i]`; `count` of them there are in all.

    `bounds` are finite and ascending, in the unit of the metric (seconds); `sum` is in the same unit.
    """

    bounds: tuple[float, ...]
    counts: tuple[float, ...]
    sum: float
    count: float

    def at(self, bounds: tuple[float, ...]) -> tuple[float, ...]:
        """The cumulative counts at some of its own bounds."""
        if bounds == self.bounds:
            return self.counts
        known = dict(zip(self.bounds, self.counts, strict=True))
        return tuple(known[bound] for bound in bounds)


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile read from buckets: exact to its bucket, or only a lower bound when it lies above the last one."""

    value: float
    at_least: bool = False


def histogram(buckets: Iterable[tuple[float, float]], total: float, count: float | None = None) -> Histogram | None:
    """A histogram from (bound, cumulative count) pairs in any order; None where they contradict each other.

    `total` is NaN or negative where it is unknown.
    """
    ordered = sorted((bound, value) for bound, value in buckets if not math.isnan(bound))
    finite = [(bound, value) for bound, value in ordered if math.isfinite(bound)]
    infinite = [value for bound, value in ordered if bound == math.inf]
    if infinite:
        count = infinite[-1]
    if count is None or not _grows([*(value for _, value in finite), count]):
        return None
    if any(low == high for (low, _), (high, _) in pairwise(finite)) or not all(countable(low) for low, _ in finite):
        return None
    whole = total if countable(total) else 0.0
    return Histogram(tuple(bound for bound, _ in finite), tuple(value for _, value in finite), whole, count)


def _grows(counts: list[float]) -> bool:
    return all(map(countable, counts)) and all(a <= b for a, b in pairwise(counts))


def merged(histograms: Iterable[Histogram]) -> Histogram | None:
    """The sum of several, exact at the bounds that all of them have (pods of two versions differ); None of none."""
    found = list(histograms)
    if not found:
        return None
    shared = set(found[0].bounds).intersection(*(each.bounds for each in found[1:]))
    bounds = tuple(sorted(shared))
    counts = tuple(math.fsum(column) for column in zip(*(each.at(bounds) for each in found), strict=True))
    return Histogram(bounds, counts, math.fsum(each.sum for each in found), math.fsum(each.count for each in found))


def subtracted(later: Histogram, earlier: Histogram) -> Histogram | None:
    """What was observed between two readings, at the bounds that both have; None if the later one is not a sequel."""
    if later.bounds == earlier.bounds:
        bounds = later.bounds
    else:
        bounds = tuple(bound for bound in later.bounds if bound in set(earlier.bounds))
    counts = tuple(b - a for a, b in zip(earlier.at(bounds), later.at(bounds), strict=True))
    if later.count < earlier.count or any(value < 0 for value in counts):
        return None
    return Histogram(bounds, counts, max(0.0, later.sum - earlier.sum), later.count - earlier.count)


def quantile(hist: Histogram, q: float) -> Quantile | None:
    """The q-quantile, linear inside its bucket as Prometheus' histogram_quantile; None when nothing was observed."""
    if hist.count <= 0 or not hist.bounds:
        return None
    rank = q * hist.count
    below, low = 0.0, min(0.0, hist.bounds[0])
    for bound, count in zip(hist.bounds, hist.counts, strict=True):
        if count >= rank and count > below:
            return Quantile(low + (bound - low) * max(0.0, rank - below) / (count - below))
        below, low = count, bound
    return Quantile(hist.bounds[-1], at_least=True)
