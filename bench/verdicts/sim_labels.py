"""Error rates from few labels: four intervals at one point, and the product's over a grid.

The point is that of 50 + 50 labels and 2,000 samples whose share at fault is 10 %, TPR 85 % and FPR 5 %; once as
measured, once where the endpoint's own FPR is twice the measured one. `labels of this endpoint` are 30 of the flagged
and 70 of the others; `people only` are 100 labels and no evaluator.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from coverage import summary

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "helpers"))
from lang_reiczigel import lang_reiczigel

from modelward.api.evaluation import EvaluatorFacts
from modelward.evaluate.interval import Interval, wilson
from modelward.evaluate.statistics.correction import corrected, error_rates
from modelward.evaluate.statistics.two_phase import StratumLabels, two_phase

TRIALS, GRID_TRIALS = 10_000, 3_000
SHARE, TRUE, FALSE, SAMPLES, LABELS = 0.1, 0.85, 0.05, 2_000, 50
OF_FLAGGED, OF_OTHERS = 30, 70
Draw = tuple[int, int, int]
"""Flagged samples, flagged faulty labels, flagged faultless labels."""


def draws(share: float, rates: tuple[float, float, float], n: int, m: int, trials: int) -> list[Draw]:
    """Draw windows and labels; `rates` are TPR, FPR as labelled and FPR of the endpoint itself."""
    random = np.random.default_rng(20_260)
    true, false, own = rates
    flagged = random.binomial(n, share * true + (1 - share) * own, trials)
    return [
        (int(k), int(t), int(f))
        for k, t, f in zip(flagged, random.binomial(m, true, trials), random.binomial(m, false, trials), strict=True)
    ]


def product_interval(k: int, n: int, t: int, f: int, m: int) -> Interval:
    """Return the interval of verdicts."""
    rates = error_rates(EvaluatorFacts("E", "1", round(t / m * 1e6), round(f / m * 1e6), m, m))
    if rates is None or rates.least_discrimination <= 0:
        return Interval(0.0, 0.0, 1.0)
    return corrected(wilson(k, n), rates)


def taken_as_exact(k: int, n: int, t: int, f: int, m: int) -> Interval:
    """Return the interval of earlier versions, which took error rates as exact."""
    seen = wilson(k, n)
    bounds = (min(1.0, max(0.0, (x - f / m) / (t / m - f / m))) for x in (seen.value, seen.low, seen.high))
    return Interval(*bounds)


def elsewhere(of: Callable[[int, int, int, int, int], Interval], own: float) -> dict[str, float]:
    """Return how an interval does with labels from elsewhere."""
    rows = draws(SHARE, (TRUE, FALSE, own), SAMPLES, LABELS, TRIALS)
    return summary((of(k, SAMPLES, t, f, LABELS) for k, t, f in rows), SHARE)


def own_labels(own: float) -> dict[str, float]:
    """Return how two-phase sampling does, with as many labels of the endpoint's own exchanges."""
    random = np.random.default_rng(20_261)
    flagged = random.binomial(SAMPLES, SHARE * TRUE + (1 - SHARE) * own, TRIALS)
    above = SHARE * TRUE / (SHARE * TRUE + (1 - SHARE) * own)
    below = SHARE * (1 - TRUE) / (SHARE * (1 - TRUE) + (1 - SHARE) * (1 - own))
    faulty = zip(random.binomial(OF_FLAGGED, above, TRIALS), random.binomial(OF_OTHERS, below, TRIALS), strict=True)
    return summary(
        (
            two_phase(int(k), SAMPLES, StratumLabels(int(a), OF_FLAGGED), StratumLabels(int(b), OF_OTHERS))
            for k, (a, b) in zip(flagged[: TRIALS // 4], faulty, strict=False)
        ),
        SHARE,
    )


def people_only() -> dict[str, float]:
    """Return how labels alone do."""
    faulty = np.random.default_rng(20_262).binomial(2 * LABELS, SHARE, TRIALS)
    return summary((wilson(int(k), 2 * LABELS) for k in faulty), SHARE)


def measure() -> dict[str, Any]:
    """Return both."""
    kinds: dict[str, Callable[[int, int, int, int, int], Interval]] = {
        "taken as exact": taken_as_exact,
        "Lang-Reiczigel (A)": lambda k, n, t, f, m: lang_reiczigel(k, n, (t, m), (m - f, m)),
        "square-and-add (verdicts)": product_interval,
    }
    table = {
        name: {"asMeasured": elsewhere(of, FALSE), "falsePositivesDoubled": elsewhere(of, 2 * FALSE)}
        for name, of in kinds.items()
    }
    table["labels of this endpoint (B)"] = {
        "asMeasured": own_labels(FALSE),
        "falsePositivesDoubled": own_labels(2 * FALSE),
    }
    table["people only"] = {"asMeasured": people_only()}
    return {
        "table": table,
        "grid": grid(kinds["square-and-add (verdicts)"]),
        "gridA": grid(kinds["Lang-Reiczigel (A)"]),
    }


def grid(of: Callable[[int, int, int, int, int], Interval]) -> dict[str, Any]:
    """Return the worst over many rates, shares and sizes, by the number of labels of each kind."""
    found: dict[str, Any] = {}
    for m in (50, 200, 1_000):
        rows = []
        for (true, false), share, n in product(
            ((0.95, 0.01), (0.9, 0.03), (0.9, 0.1), (0.85, 0.05), (0.75, 0.15), (0.7, 0.055)),
            (0.02, 0.1, 0.3),
            (200, 2_000),
        ):
            drawn = draws(share, (true, false, false), n, m, GRID_TRIALS)
            rows.append(summary((of(k, n, t, f, m) for k, t, f in drawn), share))
        found[f"{m}+{m}"] = {
            "cases": len(rows),
            "leastCover": min(row["covers"] for row in rows),
            "mostWhollyAbove": max(row["whollyAbove"] for row in rows),
        }
    return found
