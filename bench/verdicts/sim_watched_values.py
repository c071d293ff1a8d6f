"""False failures of means and percentiles that are asked 288 times a day, each time over the whole last hour.

20 values come each five minutes. A healthy endpoint has half the mean of its limit, or half the share of values beyond
a percentile's limit; `at the limit` is one that is exactly there, which may fail. Failures of healthy endpoints are too
rare to be counted in so many days: none in 4,000 is fewer than one in 1,300 days, at 95 %.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelward.api.evaluation import Counts, EvaluatorFacts
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.statistics.histogram import STEPS
from modelward.evaluate.statistics.sequence import CRITICAL, WARNING, Odds
from modelward.evaluate.verdict import decide
from modelward.evaluate.watched import values_surely_fail

READINGS, WINDOWS, NEW = 288, 12, 20
SIZE = WINDOWS * NEW
LIMIT, HEALTHY_DAYS, LIMIT_DAYS, BATCH = 0.2, 4_000, 100, 50
Values = NDArray[np.float64]
Draw = Callable[[np.random.Generator, float, tuple[int, ...]], Values]
MEANS: dict[str, Draw] = {
    "even": lambda random, mean, shape: random.uniform(0, 2 * mean, shape),
    "all or nothing": lambda random, mean, shape: (random.random(shape) < mean).astype(float),
    "most near 0": lambda random, mean, shape: random.beta(0.5, 0.5 / mean - 0.5, shape),
    "two heaps": lambda random, mean, shape: np.where(random.random(shape) < (mean - 0.05) / 0.85, 0.9, 0.05),
}
SEVERITIES = {"Warning": WARNING, "Critical": CRITICAL}


def beyond(random: np.random.Generator, share: float, shape: tuple[int, ...]) -> Values:
    """Return values of which a share is above the limit."""
    return np.where(random.random(shape) < share, LIMIT + 0.1, LIMIT - 0.1)


def hours(draw: Draw, parameter: float, days: int, seed: int) -> NDArray[np.int64]:
    """Return what each verdict of some days sees, as counts by bin: [days, verdicts, bins]."""
    random = np.random.default_rng(seed)
    values = draw(random, parameter, (days, READINGS + WINDOWS - 1, NEW))
    bins = np.ceil((values * STEPS).round(9)).astype(int).clip(0, STEPS)
    each = np.zeros((*bins.shape[:2], STEPS + 1), np.int64)
    day, window = np.indices(bins.shape[:2])
    for column in range(NEW):
        np.add.at(each, (day, window, bins[:, :, column]), 1)
    summed = np.pad(each.cumsum(axis=1), ((0, 0), (1, 0), (0, 0)))
    seen: NDArray[np.int64] = summed[:, WINDOWS:] - summed[:, :-WINDOWS]
    return seen


def failures(draw: Draw, parameter: float, rule: VerdictRule, days: int) -> int:
    """Return on how many of some days a verdict is Failed."""
    found = 0
    lower = np.maximum(0, np.arange(STEPS + 1) - 1) / STEPS
    for seed in range(days // BATCH):
        seen = hours(draw, parameter, BATCH, seed)
        if rule.share is None:  # bets win nothing where the mean is not above the limit
            may = seen @ lower / SIZE > LIMIT
        else:
            may = seen[:, :, lower >= LIMIT].sum(axis=2) / SIZE > 1 - rule.share
        found += sum(any(_fails(row, rule) for row in day[few]) for day, few in zip(seen, may, strict=True))
    return found


def _fails(row: NDArray[np.int64], rule: VerdictRule) -> bool:
    histogram = tuple((int(place), float(row[place])) for place in np.flatnonzero(row))
    counts = Counts(SIZE, weight=SIZE, weight_squared=SIZE, conversation_weight_squared=SIZE, histogram=histogram)
    return values_surely_fail(counts, SIZE, rule) and decide(counts, FACTS, rule).verdict == "Failed"


FACTS = EvaluatorFacts("E", "1")


def rule_of(statistic: str, odds: Odds) -> VerdictRule:
    """Return the rule of `failAbove: 20%`."""
    return VerdictRule(fail_above_ppm=round(LIMIT * 1e6), min_samples=20, statistic=statistic, odds=odds)  # type: ignore[arg-type]


def measure() -> list[dict[str, Any]]:
    """Return the days with a failure, by statistic, shape of values and severity."""
    cases = [("Mean", name, draw, LIMIT) for name, draw in MEANS.items()]
    cases += [(name, "beyond the limit", beyond, share) for name, share in (("P50", 0.5), ("P95", 0.05))]
    rows = []
    for statistic, name, draw, at_limit in cases:
        for severity, odds in SEVERITIES.items():
            rule = rule_of(statistic, odds)
            row: dict[str, Any] = {"statistic": statistic, "values": name, "severity": severity}
            row |= {"healthyDays": HEALTHY_DAYS, "failed": failures(draw, at_limit / 2, rule, HEALTHY_DAYS)}
            row |= {"atLimitDays": LIMIT_DAYS, "failedAtLimit": failures(draw, at_limit, rule, LIMIT_DAYS)}
            rows.append(row)
            print(row, flush=True)
    return rows
