"""What one replica carries: told by the user, or learned from what replicas did when they could do no more."""

from dataclasses import dataclass, replace
from enum import StrEnum

# A sample every 30 s of saturation: the last four minutes of it decide, so that a new mix of requests is taken in.
SAMPLES = 8
SAMPLE_EVERY_MS = 30_000
# Work within 5 % is the same work.
SAME_WORK = 1.05
# Three times the requests in flight for no more work: full, for engines that tell no queue. Only a fallback, since
# the requests in flight at one moment scatter; few of them say nothing.
PLATEAU_IN_FLIGHT = 3.0
PLATEAU_MIN_IN_FLIGHT = 8.0


class Source(StrEnum):
    """Where a capacity comes from. AtLeast: replicas did that much and were not full, so they may carry more."""

    DECLARED = "Declared"
    LEARNED = "Learned"
    AT_LEAST = "AtLeast"


@dataclass(frozen=True, slots=True)
class Capacity:
    """Work per second of one replica, in output tokens plus weighted input tokens."""

    tokens_per_second: float
    source: Source


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at replicas that have settled, per ready replica.

    `work` is over 30 s, `sustained` over 60 s. `queueing` says whether requests have been waiting in the engines all
    along; None where the engines tell no queue.
    """

    work: float
    sustained: float
    in_flight: float
    queueing: bool | None


@dataclass(frozen=True, slots=True)
class Learned:
    """What was seen of one revision's replicas; all in work per second per replica.

    `samples` are from saturated moments, `best` is the most sustained at all, with the requests in flight then.
    """

    samples: tuple[float, ...] = ()
    sampled_at_ms: int = 0
    best: float = 0.0
    best_in_flight: float = 0.0

    def capacity(self) -> Capacity | None:
        """The mean work of saturated replicas; before there is any, the most that was carried at all.

        The mean and not the highest, because work that is counted when a request ends arrives in lumps.
        """
        if self.samples:
            return Capacity(sum(self.samples) / len(self.samples), Source.LEARNED)
        return Capacity(self.best, Source.AT_LEAST) if self.best > 0 else None

    def seeing(self, moment: Moment, now_ms: int) -> "Learned":
        """Take in one moment; a saturated one is a sample, and more than the capacity without a queue raises it."""
        full = self._on_plateau(moment) if moment.queueing is None else moment.queueing
        learned = self
        if moment.sustained > self.best * SAME_WORK:
            learned = replace(self, best=moment.sustained, best_in_flight=moment.in_flight)
        if full:
            return learned._sampled(moment.work, now_ms)  # noqa: SLF001 - its own class
        known = self.capacity()
        if self.samples and known and moment.sustained > known.tokens_per_second * SAME_WORK:
            return replace(learned, samples=(moment.sustained,), sampled_at_ms=now_ms)
        return learned

    def _sampled(self, work: float, now_ms: int) -> "Learned":
        if work <= 0 or 0 <= now_ms - self.sampled_at_ms < SAMPLE_EVERY_MS:
            return self
        return replace(self, samples=(*self.samples, work)[-SAMPLES:], sampled_at_ms=now_ms)

    def _on_plateau(self, moment: Moment) -> bool:
        return (
            moment.in_flight >= PLATEAU_MIN_IN_FLIGHT
            and moment.in_flight >= PLATEAU_IN_FLIGHT * max(1.0, self.best_in_flight)
            and self.best / SAME_WORK <= moment.sustained <= self.best * SAME_WORK
        )
