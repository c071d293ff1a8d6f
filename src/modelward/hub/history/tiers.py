"""At which steps history is kept, and for how long: the further back, the coarser."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.history import MINUTE_MS

HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
CHUNK_ROWS = 168
"""Rows that are kept together: a week of hours. Fewer compress worse, more cost each reading and writing more."""
MOST_ROWS = 10_000
"""Rows that one question may read."""


@dataclass(frozen=True, slots=True)
class Tier:
    """Rows of one step; `number` is how the database calls it."""

    number: int
    name: str
    step_ms: int
    keep_ms: int

    @property
    def span_ms(self) -> int:
        """What one chunk spans."""
        return CHUNK_ROWS * self.step_ms

    def start_of(self, at_ms: int) -> int:
        """Return where the chunk begins that holds a time."""
        return at_ms // self.span_ms * self.span_ms


TIERS = (
    Tier(0, "1m", MINUTE_MS, 48 * HOUR_MS),
    Tier(1, "5m", 5 * MINUTE_MS, 14 * DAY_MS),
    Tier(2, "1h", HOUR_MS, 400 * DAY_MS),
    Tier(3, "1d", DAY_MS, 1_826 * DAY_MS),
)
FINEST, COARSEST = TIERS[0], TIERS[-1]
BY_NUMBER = {tier.number: tier for tier in TIERS}


def tier_for(from_ms: int, to_ms: int, now_ms: int) -> Tier:
    """Return the finest tier that still reaches back so far, and reads no more rows than a question may."""
    for tier in TIERS:
        if from_ms >= now_ms - tier.keep_ms and (to_ms - from_ms) // tier.step_ms < MOST_ROWS:
            return tier
    return COARSEST


def sealed_before_ms(now_ms: int) -> int:
    """Return the time before which rows are sealed: whole chunks of the finest tier, a little after they have ended."""
    return FINEST.start_of(now_ms - 2 * MINUTE_MS)
