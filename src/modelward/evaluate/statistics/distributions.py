"""The beta and Student distributions, because no statistics library is in the image."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from modelward.evaluate.interval import Interval

ALPHA = 0.05
"""How often a two-sided 95 % interval may miss."""
_TERMS = 500
_TINY = 1e-300
_HALVINGS = 60


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b).

    Continued fraction of DLMF 8.17.22 by Lentz's method; a and b are above 0.
    """
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - beta_cdf(1.0 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return min(1.0, math.exp(log_front) * _fraction(x, a, b) / a)


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1.0 / _away(1.0 - (a + b) * x / (a + 1))
    total = d
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            c, d = _away(1.0 + term / c), 1.0 / _away(1.0 + term * d)
            total *= c * d
        if abs(c * d - 1.0) < 1e-14:
            break
    return total


def _away(value: float) -> float:
    """Keep a divisor away from zero."""
    return value if abs(value) > _TINY else _TINY


def beta_quantile(share: float, a: float, b: float) -> float:
    """Return the x with I_x(a, b) = share."""
    return _solved(lambda x: beta_cdf(x, a, b) < share, 0.0, 1.0)


@lru_cache(maxsize=256)
def student_quantile(degrees: int) -> float:
    """Return the 97.5 % quantile of Student's distribution: 12.7 for 1 degree of freedom, 2.78 for 4, 1.96 for many."""
    tail = ALPHA / 2
    return _solved(lambda t: beta_cdf(degrees / (degrees + t * t), degrees / 2, 0.5) / 2 > tail, 0.0, 1e3)


@lru_cache(maxsize=4096)
def clopper_pearson(k: float, n: float) -> Interval:
    """Return the exact interval of k out of n; Clopper and Pearson 1934. Knows nothing when n is 0."""
    if n <= 0:
        return Interval(0.0, 0.0, 1.0)
    low = beta_quantile(ALPHA / 2, k, n - k + 1) if k > 0 else 0.0
    high = beta_quantile(1 - ALPHA / 2, k + 1, n - k) if k < n else 1.0
    return Interval(k / n, low, high)


def _solved(below: Callable[[float], bool], low: float, high: float) -> float:
    """Return where a condition that holds from `low` on ends, by bisection."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2
