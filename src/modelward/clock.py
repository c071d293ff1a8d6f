"""The clocks of the machine, read by whoever hands the time on; everything that is pure gets it passed in."""

from __future__ import annotations

import time


def now_ms() -> int:
    """Return the Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def boottime() -> float:
    """Return the seconds since the machine started, those asleep too; the clock cannot be set."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
