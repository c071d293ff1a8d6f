"""The rules that are compared: from how many flags on the newest windows of a sliding set fail."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelward.evaluate.interval import wilson
from modelward.evaluate.statistics.sequence import CRITICAL, HEALTHY_PART, WARNING, Odds, surely_above

Fails = Callable[[float, float], bool]
"""flagged, size: both may be effective sizes"""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class WatchedRule:
    """A test of the newest windows; `every_start` asks it of each run of newest windows, else of the whole set only."""

    name: str
    fails: Fails
    every_start: bool = True

    def fewest(self, sizes: Array) -> Array:
        """Return from how many flags on a set of each size fails; infinite where no number does."""
        return np.array([_fewest(self.fails, float(size)) for size in sizes])


def _fewest(fails: Fails, size: float) -> float:
    if size <= 0 or not fails(size, size):
        return math.inf
    low, high = 0.0, size
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if fails(middle, size) else (middle, high)
    return high


def by_wilson(name: str, limit: float, z: float, *, every_start: bool = False) -> WatchedRule:
    """Fail where the Wilson interval of this quantile lies above the limit."""
    return WatchedRule(name, lambda k, n: wilson(k, n, z).low > limit, every_start)


def by_cusum(name: str, healthy: float, bad: float, threshold: float) -> WatchedRule:
    """Fail where the log likelihood ratio of one bad share against one healthy share reaches a threshold."""
    flag, clean = math.log(bad / healthy), math.log((1 - bad) / (1 - healthy))
    return WatchedRule(name, lambda k, n: k * flag + (n - k) * clean >= threshold)


def by_evidence(name: str, limit: float, odds: Odds, *, every_start: bool = True) -> WatchedRule:
    """Fail as the operator does."""
    return WatchedRule(name, lambda k, n: surely_above(k, n, limit, HEALTHY_PART * limit, odds), every_start)


def compared(limit: float) -> tuple[WatchedRule, ...]:
    """Return the rules of the comparison."""
    return (
        by_wilson("Wilson 95%, whole set (before)", limit, 1.96),
        by_wilson("Wilson z 3, whole set", limit, 3.0),
        by_wilson("Wilson z 4, every start", limit, 4.0, every_start=True),
        by_cusum("CUSUM of limit/2 against 10%, threshold 12", limit / 2, 0.1, 12.0),
        by_evidence("evidence, whole set, Warning", limit, WARNING, every_start=False),
        by_evidence("evidence at the limit only, every start", limit, Odds(20.0, 1.0)),
        by_evidence("evidence, every start, odds 100 at the limit", limit, Odds(100.0)),
        by_evidence("evidence, every start, Warning (chosen)", limit, WARNING),
        by_evidence("evidence, every start, Critical (chosen)", limit, CRITICAL),
    )
