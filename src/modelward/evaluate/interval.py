"""Intervals for a share that was seen in a sample, because a verdict on a point estimate is mostly a false alarm."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the standard normal distribution."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with its bounds, all in [0, 1] and low ≤ value ≤ high."""

    value: float
    low: float
    high: float


def wilson(k: float, n: float, z: float = Z_95) -> Interval:
    """Return the Wilson score interval of k out of n (both may be fractional: effective sizes).

    Knows nothing, hence [0, 1], when n is 0. ValueError unless 0 ≤ k ≤ n. Wilson 1927.
    """
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is not a share")
    if n == 0:
        return Interval(0.0, 0.0, 1.0)
    share, spread = k / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return Interval(share, min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half)))


def effective_size(weight: float, weight_squared: float) -> float:
    """Return (Σw)²/Σw², the size of an equally weighted sample with the same information; Kish 1965."""
    return weight * weight / weight_squared if weight_squared > 0 else 0.0
