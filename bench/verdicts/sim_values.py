"""Means of values and percentiles: how often bounds hold the truth, and how wide they are beside the textbook's."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from coverage import summary
from numpy.typing import NDArray

from modelward.evaluate.interval import Z_95, Interval
from modelward.evaluate.statistics.bounded_mean import mean
from modelward.evaluate.statistics.histogram import binned, number_bin, value_bin
from modelward.evaluate.statistics.quantile import quantile

TRIALS = 200
Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]
VALUES: dict[str, tuple[Draw, float]] = {
    "even": (lambda random, n: random.random(n), 0.5),
    "near 1": (lambda random, n: random.beta(20, 1, n), 20 / 21),
    "one in fifty is 0, the others 1": (lambda random, n: (random.random(n) > 0.02).astype(float), 0.98),
    "two heaps": (lambda random, n: np.where(random.random(n) < 0.1, 0.2, 0.9), 0.83),
}
NUMBERS: Draw = lambda random, n: random.lognormal(4, 1, n)  # noqa: E731


def textbook(values: NDArray[np.float64]) -> Interval:
    """Return mean ± 1.96 standard errors."""
    middle, half = float(values.mean()), Z_95 * float(values.std(ddof=1)) / len(values) ** 0.5
    return Interval(middle, middle - half, middle + half)


def measure() -> dict[str, Any]:
    """Return both by distribution and size."""
    random = np.random.default_rng(20_265)
    means, percentiles = {}, {}
    for (name, (draw, truth)), n in product(VALUES.items(), (50, 200, 1_000)):
        drawn = [draw(random, n) for _ in range(TRIALS)]
        bins = (binned((value_bin(float(one)), 1.0) for one in values) for values in drawn)
        means[f"{name}, n {n}"] = {
            "betting": summary((mean(one, n) for one in bins), truth),
            "textbook": summary((textbook(values) for values in drawn), truth),
        }
    truths = np.quantile(NUMBERS(random, 4_000_000), (0.5, 0.9, 0.95, 0.99))
    for (share, truth), n in product(zip((0.5, 0.9, 0.95, 0.99), truths, strict=True), (100, 1_000)):
        drawn = [NUMBERS(random, n) for _ in range(TRIALS)]
        found = [quantile(binned((number_bin(float(one)), 1.0) for one in values), n, share) for values in drawn]
        percentiles[f"P{share * 100:.0f}, n {n}"] = {
            name: value for name, value in summary(found, float(truth)).items() if name != "width"
        } | {"bounded": round(sum(one.high != float("inf") for one in found) / TRIALS, 3)}
    return {"means": means, "percentiles": percentiles}
