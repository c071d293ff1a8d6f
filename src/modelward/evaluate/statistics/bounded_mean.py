"""The mean of values in [0, 1] with bounds that hold whatever their distribution is.

Textbook intervals are too sure of themselves where most values are alike and a few are not, which is what scores are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from modelward.api.evaluation import Bins
from modelward.evaluate.interval import Interval
from modelward.evaluate.statistics.distributions import ALPHA
from modelward.evaluate.statistics.histogram import edges, total

_STAKES = tuple(0.9 * 0.5**step for step in range(11))
"""Shares of the stake that one may lose; small ones suit means near the limit, large ones those that are far."""
_HALVINGS = 15


def mean(bins: Bins, size: float) -> Interval:
    """Return the mean of values in bins of `histogram.value_bin`, with 95 % bounds, for an effective size.

    By betting (Waudby-Smith and Ramdas 2024): who bets that the mean is above m, at a fair price if it is m, multiplies
    the stake by 1 + λ(x - m) with each value x. A mean of several stakes that reaches 40 refutes m; it does so with
    a probability of at most 1/40, at any time, if m is true. Values count as their bin's lower edge against a low
    mean, and as its upper edge against a high one. ValueError when there is no bin.
    """
    weight = total(bins)
    if not bins or weight <= 0:
        raise ValueError("no value has no mean")
    scaled = [(*edges(place), of_bin * size / weight) for place, of_bin in bins]
    middle = math.fsum((low + high) / 2 * count for low, high, count in scaled) / size
    low = _least([(low, count) for low, _, count in scaled])
    high = 1 - _least([(1 - high, count) for _, high, count in scaled])
    return Interval(middle, min(low, middle), max(high, middle))


def _least(values: list[tuple[float, float]]) -> float:
    """Return the largest mean that is refuted for being too low, 0 where none is."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _refuted(values, middle) else (low, middle)
    return low


def _refuted(values: list[tuple[float, float]], mean: float) -> bool:
    return log_winnings(values, mean) >= math.log(2 / ALPHA)


def log_winnings(values: Sequence[tuple[float, float]], mean: float) -> float:
    """Return the logarithm of what bets have won that the mean of (value, count) rows is above this one, above 0.

    It is the evidence against that mean: with odds of 100, say, at most one in 100 true means is refuted, at any time.
    """
    logs = [math.fsum(n * math.log1p(stake * (x / mean - 1)) for x, n in values) for stake in _STAKES]
    most = max(logs)
    return most + math.log(math.fsum(math.exp(one - most) for one in logs) / len(_STAKES))
