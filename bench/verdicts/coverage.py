"""How often intervals hold the true value, and lie wholly above it."""

from __future__ import annotations

from collections.abc import Iterable

from modelward.evaluate.interval import Interval


def summary(intervals: Iterable[Interval], truth: float) -> dict[str, float]:
    """Return shares of the intervals, and their mean width, to three digits."""
    rows = list(intervals)

    def share(found: int) -> float:
        return round(found / len(rows), 3)

    return {
        "covers": share(sum(row.low <= truth <= row.high for row in rows)),
        "whollyAbove": share(sum(row.low > truth for row in rows)),
        "width": round(sum(row.high - row.low for row in rows) / len(rows), 3),
    }
