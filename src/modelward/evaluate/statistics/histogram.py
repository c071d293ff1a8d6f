"""Values and numbers in fixed bins, so that windows merge and a quantile or mean of all of them can still be told.

Values of [0, 1] lie in bins of 0.005, numbers in bins that grow by 4 %, so that each is known to 2 % (Masson, Rim and
Lee 2019, DDSketch). Nothing is lost by merging: bins are the same everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from modelward.api.evaluation import Bins

STEPS = 200
_GROWTH = math.log(1.04)
_ORIGIN = 10_000
"""Bins of numbers lie around it, beyond those of values, mirrored for negative ones; bin 0 is exactly 0 for both."""
_SMALLEST, _LARGEST = 1e-9, 1e15


def value_bin(value: float) -> int:
    """Return the bin of a value in [0, 1]: 0 for 0 itself, then ((i-1)/200, i/200]."""
    return min(STEPS, max(0, math.ceil(round(value * STEPS, 9))))


def number_bin(number: float) -> int:
    """Return the bin of a number; what is beyond ±10¹⁵ counts as that, what is within 10⁻⁹ of 0 as 0."""
    size = min(_LARGEST, abs(number))
    if size < _SMALLEST:
        return 0
    place = _ORIGIN + math.ceil(round(math.log(size) / _GROWTH, 9))
    return place if number > 0 else -place


def edges(place: int) -> tuple[float, float]:
    """Return the lower and upper edge of a bin."""
    if abs(place) <= STEPS:
        return max(0, place - 1) / STEPS, place / STEPS
    inner, outer = (math.exp(_GROWTH * (abs(place) - _ORIGIN - less)) for less in (1, 0))
    return (inner, outer) if place > 0 else (-outer, -inner)


def binned(rows: Iterable[tuple[int, float]]) -> Bins:
    """Return the weights of (bin, weight) rows, summed and in order."""
    found: dict[int, list[float]] = {}
    for place, weight in rows:
        found.setdefault(place, []).append(weight)
    return tuple((place, math.fsum(found[place])) for place in sorted(found))


def total(bins: Bins) -> float:
    """Return the weight of all bins."""
    return math.fsum(weight for _, weight in bins)
