"""How often a fleet of healthy endpoints alerts within thirty days: a verdict each five minutes, and the state machine.

300 endpoints with five checks each (three Warning, two Critical) at limits of 3 %, whose true rates go from 0.2 to
1.5 % and back in a day; 20 requests in five minutes, a verdict over an hour.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import numpy as np

from modelward.alerts.episode import AlertInput, AlertVerdict, Episode
from modelward.alerts.step import step
from modelward.alerts.timing import Timing
from modelward.api.base import Severity
from modelward.evaluate.objective import decide_rate
from modelward.evaluate.statistics.sequence import CRITICAL, WARNING
from modelward.reasons.checks import CheckReason

LIMIT_PPM, WINDOW, OVER, STEP_MS = 30_000, 20, 12, 300_000
SEVERITIES: tuple[Severity, ...] = ("Warning", "Warning", "Warning", "Critical", "Critical")


@cache
def verdict(bad: int, severity: Severity) -> AlertVerdict:
    """Return what so many bad requests of an hour's 240 are."""
    odds = CRITICAL if severity == "Critical" else WARNING
    found = decide_rate(requests=WINDOW * OVER, errors=bad, max_rate_ppm=LIMIT_PPM, min_requests=100, odds=odds)
    near = found.verdict == "Unknown" and found.reason == CheckReason.NEAR_THRESHOLD
    return "NearThreshold" if near else found.verdict


def alerts(severity: Severity, bad: Any) -> int:
    """Return how often a check with these bad requests in each hour begins to fire."""
    found = [verdict(count, severity) for count in range(int(bad.max()) + 1)]
    if "Failed" not in found:
        return 0
    timing, now, fired = Timing(), None, 0
    for at, count in enumerate(bad):
        before: Episode | None = now
        seen = AlertInput("baseline", "Objective/errors", found[count], severity)
        now = step(before, seen, at * STEP_MS, timing)
        fired += now is not None and now.firing and not (before is not None and before.firing)
    return fired


def fleet(endpoints: int, days: int, seed: int = 20261127) -> dict[str, int]:
    """Return how many alerts of each severity a healthy fleet has."""
    rng, found = np.random.default_rng(seed), Counter(Warning=0, Critical=0)
    windows = days * 288
    time = np.arange(windows + OVER - 1)
    for _ in range(endpoints):
        phase = rng.uniform(0, 288)
        rates = LIMIT_PPM / 1e6 * (0.85 + 0.65 * np.sin(2 * np.pi * (time + phase) / 288)) / 3
        for severity in SEVERITIES:
            bad = np.convolve(rng.binomial(WINDOW, rates), np.ones(OVER, dtype=int), mode="valid")
            found[severity] += alerts(severity, bad)
    return dict(found)


def measure() -> list[dict[str, Any]]:
    """Return the alerts of the fleet."""
    return [{"endpoints": 300, "checks": len(SEVERITIES), "days": 30, **fleet(300, 30)}]
