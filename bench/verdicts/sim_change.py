"""How often an endpoint that did not change fails by `notWorseThan`, and how soon one that did is found.

20 samples in each window of five minutes, over one hour, against the 24 hours before. The baseline is a sample too: it
is taken at 20 equally likely values, and false failures are the mean over them.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
from watched_days import Traffic, Watch, false_failures, windows_to_failure
from watched_rules import WatchedRule

from modelward.evaluate.interval import wilson
from modelward.evaluate.statistics.sequence import CRITICAL, WARNING, Odds, surely_above

BASELINE, MARGIN, DRAWS, DAYS = 24 * 12 * 20, 0.05, 20, 400


def measure() -> list[dict[str, Any]]:
    """Return one row for each share of the baseline."""
    rows: list[dict[str, Any]] = []
    for rate in (0.01, 0.05, 0.2):
        row: dict[str, Any] = {"rate": rate, "margin": MARGIN}
        for severity, odds in (("Warning", WARNING), ("Critical", CRITICAL)):
            chances = [_false(rate, found, odds) for found in _baselines(rate)]
            row[severity] = {"days": float(f"{1 / np.mean(chances):.3g}")}
        for added in (0.1, 0.2):
            waited = windows_to_failure(_watch(rate, WARNING), rate, rate + added, 2_000)
            row[f"+{added:.0%}"] = {"median": float(np.median(waited)), "90%": float(np.percentile(waited, 90))}
        rows.append(row)
    return rows


def _baselines(rate: float) -> list[float]:
    """Return the shares that equally likely baselines have."""
    spread = (rate * (1 - rate) / BASELINE) ** 0.5
    return [max(0.0, rate + spread * NormalDist().inv_cdf((i + 0.5) / DRAWS)) for i in range(DRAWS)]


def _false(rate: float, baseline: float, odds: Odds) -> float:
    return false_failures(_watch(baseline, odds), np.full(288 + 11, rate), DAYS)[0]


def _watch(baseline: float, odds: Odds) -> Watch:
    reached = wilson(baseline * BASELINE, BASELINE).high
    return Watch(WatchedRule("change", lambda k, n: surely_above(k, n, reached + MARGIN, reached, odds)), Traffic())
