"""What waits in the replicas, and how fast it grows: work that came and was not served, and no load that lasts."""

import math
from dataclasses import dataclass, replace
from statistics import median

from modelward.scaling.pods import STUCK
from modelward.scaling.usage import UsageSnapshot

# Requests that wait now should be served within this time, or the time that replicas take to start if that is longer.
DRAIN_S = 30.0
LONGEST_DRAIN_S = 600.0
# Until a start was seen, replicas are taken to need two minutes.
UNKNOWN_START_MS = 120_000
# What was seen is kept every ten seconds of the last minute and a half.
KEPT_EVERY_MS = 10_000
KEPT_MS = 90_000
# Of one replica's queue so many times the median queue counts: the rest no other replica can serve.
FAIR_QUEUE = 3.0


@dataclass(frozen=True, slots=True)
class WaitingRequests:
    """What waited at earlier readings, as (time, requests), and how long replicas took to start.

    `starting_since_ms` is when more were requested that are not all there; `cold_start_ms` is how long it took last.
    """

    seen: tuple[tuple[int, float], ...] = ()
    starting_since_ms: int | None = None
    cold_start_ms: int = UNKNOWN_START_MS

    def seeing(self, waiting: float, now_ms: int, *, asking: bool = False) -> "WaitingRequests":
        """Take one reading of what waits; `asking` says that more replicas are requested from now on."""
        if asking and self.starting_since_ms is None:
            return replace(self, starting_since_ms=now_ms).seeing(waiting, now_ms)
        kept = tuple((at, count) for at, count in self.seen if 0 <= now_ms - at <= KEPT_MS)
        if kept and now_ms - kept[-1][0] < KEPT_EVERY_MS:
            return replace(self, seen=kept)
        return replace(self, seen=(*kept, (now_ms, waiting)))

    def started(self, *, all_ready: bool, more_ready: bool, now_ms: int) -> "WaitingRequests":
        """Note how long it took when all replicas that were requested have come, and more are ready than before."""
        if self.starting_since_ms is None or not all_ready:
            return self
        took_ms = now_ms - self.starting_since_ms if more_ready else self.cold_start_ms
        return replace(self, starting_since_ms=None, cold_start_ms=took_ms)

    def growth(self, waiting: float, over_ms: int, now_ms: int) -> float:
        """Return how many more requests came than were served, a second; below 0 while the queue shrinks.

        A queue that was not watched for so long is taken to have gathered within it.
        """
        before = next(((at, count) for at, count in reversed(self.seen) if now_ms - at >= over_ms), None)
        if before is None:
            return waiting * 1_000 / over_ms
        return (waiting - before[1]) * 1_000 / (now_ms - before[0])

    def drain_s(self, now_ms: int) -> float:
        """Return the time in which what waits should be served: no replica can help before it has started."""
        elapsed_ms = 0 if self.starting_since_ms is None else now_ms - self.starting_since_ms
        return min(LONGEST_DRAIN_S, max(DRAIN_S, self.cold_start_ms / 1_000, elapsed_ms / 1_000))


def waiting_in(usage: UsageSnapshot) -> float:
    """Return the requests that wait in replicas that work; what waits in a stuck one no other can serve."""
    if not usage.pods:
        return usage.waiting or 0.0
    highest = max(use.work_60s or 0.0 for use in usage.pods)
    able = (use for use in usage.pods if use.work_60s is None or use.work_60s >= STUCK * highest)
    return math.fsum(use.waiting or 0.0 for use in able)


def shared(usage: UsageSnapshot) -> float:
    """Return the requests that wait because all replicas are busy, and not one alone."""
    if not usage.pods:
        return usage.waiting or 0.0
    waiting = [use.waiting or 0.0 for use in usage.pods]
    fair = FAIR_QUEUE * median(waiting)
    return math.fsum(min(each, fair) for each in waiting)
