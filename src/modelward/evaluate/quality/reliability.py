"""The reliability curve: how many exchanges of a value are at fault."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from modelward.evaluate.interval import Interval, wilson
from modelward.evaluate.quality.labelled import LabelledScore

MOST_BINS = 10
FEWEST_ROWS = 10
"""Of a bin; with fewer its interval says nothing."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Exchanges whose value is in [low, high], with `mean`: `faults` of `rows` are at fault."""

    low: float
    high: float
    mean: float
    rows: int
    faults: int

    @property
    def share(self) -> Interval:
        """The share at fault."""
        return wilson(self.faults, self.rows)


def reliability(rows: Iterable[LabelledScore]) -> list[ReliabilityBin]:
    """Return up to ten bins of about as many rows each, at least ten, by value; equal values are never parted."""
    ordered = sorted((row.value, row.fault) for row in rows if row.value is not None)
    if not ordered:
        return []
    size = len(ordered) // min(MOST_BINS, max(1, len(ordered) // FEWEST_ROWS))
    bins: list[list[tuple[float, bool]]] = [[]]
    for row in ordered:
        if len(bins[-1]) >= size and row[0] != bins[-1][-1][0]:
            bins.append([])
        bins[-1].append(row)
    if len(bins) > 1 and len(bins[-1]) < FEWEST_ROWS:
        bins[-2:] = [bins[-2] + bins[-1]]
    return [_bin(one) for one in bins]


def _bin(rows: list[tuple[float, bool]]) -> ReliabilityBin:
    values = [value for value, _ in rows]
    mean = min(values[-1], max(values[0], sum(values) / len(values)))
    return ReliabilityBin(values[0], values[-1], mean, len(rows), sum(fault for _, fault in rows))
