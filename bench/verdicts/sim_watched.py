"""How often a healthy endpoint fails in a day of 288 verdicts, and how soon a bad one does.

Rare failures are measured by importance sampling; every such number comes with its relative standard error.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from watched_days import Array, Traffic, Watch, false_failures, plain_days, windows_to_failure
from watched_rules import WatchedRule, by_evidence, compared

from modelward.evaluate.statistics.sequence import CRITICAL, WARNING

LIMIT, DAY, DAYS = 0.03, 288, 2_000
Row = dict[str, Any]


def daily(limit: float, windows: int, day: int = DAY) -> Array:
    """Return a day whose rate goes from 0.2/3 to half of the limit and back: 0.2-1.5 % at 3 %."""
    time = np.arange(windows - 1 + day)
    return limit * (0.85 + 0.65 * np.sin(2 * np.pi * time / day)) / 3


def steady(rate: float, windows: int, day: int = DAY) -> Array:
    """Return a day of one rate."""
    return np.full(windows - 1 + day, rate)


def days_between(watch: Watch, rates: Array, days: int = DAYS) -> Row:
    """Return the mean number of days from one false failure to the next."""
    chance, error = false_failures(watch, rates, days)
    return {"days": _round(1 / chance) if chance else None, "error": _round(error / chance) if chance else None}


def _round(value: float) -> float:
    return float(f"{value:.3g}")


def detection(watch: Watch, before: float, after: float, trials: int = 10_000) -> Row:
    """Return how many windows it takes until a jump is found."""
    waited = windows_to_failure(watch, before, after, trials)
    return {
        "median": float(np.median(waited)),
        "90%": float(np.percentile(waited, 90)),
        "within 6": _round(float((waited <= 6).mean())),
    }


def at_the_limit(watch: Watch, rate: float, days: int = 1_000) -> Row:
    """Return how often a day the test of an endpoint exactly at its limit begins to fail."""
    failing = plain_days(watch, steady(rate, watch.traffic.windows), days)
    begun = failing & ~np.pad(failing, ((0, 0), (1, 0)))[:, :-1]
    return {
        "begins a day": _round(float(begun.sum() / days)),
        "days with one": _round(float(failing.any(axis=1).mean())),
    }


def rules() -> list[Row]:
    """Compare rules at failAbove 3 %, 20 samples a window of five minutes, over one hour."""
    rows = []
    for rule in compared(LIMIT):
        watch = Watch(rule, Traffic())
        rows.append(
            {
                "rule": rule.name,
                "false at 0.2-1.5%": days_between(watch, daily(LIMIT, 12)),
                "false at 1%": days_between(watch, steady(0.01, 12)),
                "false at 1.5%": days_between(watch, steady(0.015, 12)),
                "at 3%": at_the_limit(watch, LIMIT),
                "1% to 10%": detection(watch, 0.01, 0.1),
                "1% to 6%": detection(watch, 0.01, 0.06),
            }
        )
    return rows


def grid() -> list[Row]:
    """Measure the chosen rule at other limits, volumes and times, always at half the limit all day."""
    rows = []
    shapes = (
        ("20 in 5m over 1h", Traffic(20), DAY),
        ("100 in 5m over 1h", Traffic(100), DAY),
        ("60 in 15m over 1h", Traffic(60, windows=4), 96),
        ("20 in 5m over 6h", Traffic(20, windows=72), DAY),
    )
    for limit in (0.005, 0.01, 0.03, 0.1, 0.3):
        for name, traffic, day in shapes:
            few = DAYS if traffic.windows <= 12 else 200
            row: Row = {"failAbove": limit, "traffic": name}
            for severity, odds in (("Warning", WARNING), ("Critical", CRITICAL)):
                watch = Watch(by_evidence(severity, limit, odds), traffic)
                row[severity] = days_between(watch, steady(limit / 2, traffic.windows, day), few)
            rows.append(row)
            print(row, flush=True)
    return rows


def clusters() -> list[Row]:
    """Measure conversations of four answers that are alike, with and without the effective size."""
    rows = []
    for icc in (0.0, 0.3, 0.6, 0.9):
        traffic = Traffic(5, 4, icc)
        rule: WatchedRule = by_evidence("Warning", LIMIT, WARNING)
        counted, naive = Watch(rule, traffic), Watch(rule, traffic, clustered=False)
        rows.append(
            {
                "icc": icc,
                "false at 0.2-1.5%, effective size": days_between(counted, daily(LIMIT, 12)),
                "false at 0.2-1.5%, samples": days_between(naive, daily(LIMIT, 12)),
                "false at 1.5%, effective size": days_between(counted, steady(0.015, 12)),
                "1% to 10%": detection(counted, 0.01, 0.1, 4_000),
            }
        )
    return rows


def bound() -> Row:
    """Return Lorden's bound on the windows of 20 until 10 % is found, at one false failure in 5,000 days."""
    rows: Row = {}
    for rate in (0.01, 0.015, 0.03):
        information = 0.1 * math.log(0.1 / rate) + 0.9 * math.log(0.9 / (1 - rate))
        rows[f"false alarms counted at {rate:.1%}"] = _round(math.log(5_000 * DAY) / information / 20)
    return rows


def measure() -> Row:
    """Return all tables."""
    found: Row = {}
    for name, one in (("rules", rules), ("clusters", clusters), ("grid", grid), ("lorden", bound)):
        found[name] = one()
    return found
