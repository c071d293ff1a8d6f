"""How often a calibration passes the floor, and how often an endpoint at its limit is then called worse.

The floor: 50 labels, half of them faults, an evaluator that errs alike on both classes, by kappa. The year: days of
2,000 samples at a limit of 10 %, TPR 85 % and FPR 5 %, calibrated anew each month.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from modelward.api.evaluation import EvaluatorFacts
from modelward.api.run_plan import CalibratedAs
from modelward.evaluate.interval import wilson
from modelward.evaluate.quality.confusion import Confusion
from modelward.evaluate.statistics.correction import corrected, error_rates

LABELS, FLOOR, TRIALS = 50, 0.4, 20_000
YEARS, SHARE, TRUE, FALSE, SAMPLES = 200, 0.1, 0.85, 0.05, 2_000


def passes(kappa: float) -> float:
    """Return the share of calibrations whose kappa has its lower bound above the floor."""
    drawn, each, right = np.random.default_rng(11), LABELS // 2, (1 + kappa) / 2
    rows = zip(drawn.binomial(each, right, TRIALS), drawn.binomial(each, 1 - right, TRIALS), strict=True)
    found = [Confusion(int(a), each - int(a), int(b), each - int(b)).kappa.low > FLOOR for a, b in rows]
    return round(sum(found) / TRIALS, 3)


def wholly_above(labels: tuple[int, int]) -> float:
    """Return the share of days at the limit whose interval is wholly above it."""
    drawn, (positives, negatives), above, days = np.random.default_rng(12), labels, 0, 0
    for _ in range(YEARS * 12):
        counts = (int(drawn.binomial(positives, TRUE)), positives, int(drawn.binomial(negatives, FALSE)), negatives)
        rates = error_rates(CalibratedAs("", "", "", *counts).rates(EvaluatorFacts("judge", "1")))
        if rates is None or rates.least_discrimination < 0.2:
            continue
        for flagged in drawn.binomial(SAMPLES, SHARE * TRUE + (1 - SHARE) * FALSE, 30):
            days += 1
            above += corrected(wilson(int(flagged), SAMPLES), rates).low > SHARE
    return round(above / days, 4)


def measure() -> dict[str, Any]:
    """Return both."""
    return {
        "passesFloorByKappa": {str(kappa): passes(kappa) for kappa in (0.2, 0.4, 0.6, 0.8)},
        "yearsAtTheLimitWhollyAbove": {f"{a}+{b}": wholly_above((a, b)) for a, b in ((15, 35), (25, 25), (40, 80))},
    }
