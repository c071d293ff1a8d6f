"""How often an objective fails falsely in a day of readings, before and now, and how soon a bad endpoint fails.

An objective is judged over the whole of `over` at each reading: 5,760 a day where metrics are read every 15 seconds. A
rate is the share of failed requests, a p95 that of requests slower than `maxDuration`, whose limit is 5 %.
"""

from __future__ import annotations

from typing import Any

from sim_watched import days_between, detection, steady
from watched_days import Traffic, Watch
from watched_rules import by_evidence, by_wilson

from modelward.evaluate.statistics.sequence import CRITICAL_READINGS, WARNING

SHAPES = (
    ("288 readings, 20 requests each, over 1h", Traffic(20, windows=12), 288),
    ("5,760 readings, 2 requests each, over 15m", Traffic(2, windows=60), 5_760),
    ("5,760 readings, 20 requests each, over 15m", Traffic(20, windows=60), 5_760),
)
LIMITS = (0.01, 0.05)


def measure() -> list[dict[str, Any]]:
    """Return by traffic, limit and rule: days between false failures at half the limit, and readings to failure."""
    rows = []
    for name, traffic, day in SHAPES:
        for limit in LIMITS:
            for rule in (
                by_wilson("95 % interval (before)", limit, 1.96),
                by_evidence("Warning", limit, WARNING, every_start=False),
                by_evidence("Critical", limit, CRITICAL_READINGS, every_start=False),
            ):
                watch = Watch(rule, traffic)
                rows.append(
                    {
                        "traffic": name,
                        "limit": limit,
                        "rule": rule.name,
                        "false at half": days_between(watch, steady(limit / 2, traffic.windows, day), 400),
                        "to 5 times": detection(watch, limit / 2, 5 * limit, 1_000),
                    }
                )
                print(rows[-1], flush=True)
    return rows
