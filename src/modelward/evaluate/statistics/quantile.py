"""A quantile with bounds, from a histogram."""

from __future__ import annotations

import math

from modelward.api.evaluation import Bins
from modelward.evaluate.interval import Interval, wilson
from modelward.evaluate.statistics.histogram import edges, total


def quantile(bins: Bins, size: float, share: float) -> Interval:
    """Return the quantile of `share` in (0, 1) with 95 % bounds; bounds are infinite where samples do not reach them.

    A quantile is at most x exactly where at least its share of all values is at most x, and that has a Wilson interval:
    the bounds are the order statistics at which it no longer holds `share`. They are bins' outer edges, so nothing is
    guessed within one; the value is its bin's middle. `size` is the effective one. ValueError when there is no bin.
    """
    weight = total(bins)
    if not bins or weight <= 0:
        raise ValueError("no value has no quantile")
    value, low, high = edges(bins[-1][0]), -math.inf, math.inf
    below, found = 0.0, False
    for place, of_bin in bins:
        up_to = below + of_bin
        if wilson(min(1.0, below / weight) * size, size).high < share:
            low = edges(place)[0]
        if wilson(min(1.0, up_to / weight) * size, size).low >= share:
            high = min(high, edges(place)[1])
        if not found and up_to >= share * weight * (1 - 1e-12):
            value, found = edges(place), True
        below = up_to
    middle = sum(value) / 2
    return Interval(middle, min(low, middle), max(high, middle))
