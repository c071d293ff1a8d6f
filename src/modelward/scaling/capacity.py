"""What one replica carries: declared by the user, or learned from what replicas did when they could do no more."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

# A sample every 30 s of saturation: the last four minutes of it decide, so that a new mix of requests is taken in.
SAMPLES = 8
SAMPLE_EVERY_MS = 30_000
# Work within 5 % is the same work.
SAME_WORK = 1.05
# Half as many requests in flight again, as means over a minute, for no more work: full, on engines without a queue.
# Few requests say nothing.
PLATEAU_IN_FLIGHT = 1.5
PLATEAU_MIN_IN_FLIGHT = 8.0
# What was once carried is carried again, unless most replicas were full at less within the last ten minutes.
FLOOR = 0.95
CALM_MS = 600_000
# Each such time takes a fifth off what was most carried, and each hour a twentieth: a mix that got heavier is learned.
EPISODE = 0.8
AGEING = 0.95
_HOUR_MS = 3_600_000
_TEXT = re.compile(r"^([0-9]+(?:\.[0-9]+)?) tok/s \((Learned|AtLeast)\)$")


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

    def __str__(self) -> str:
        """Return it as it stands in status, from where `remembered` reads it."""
        digits = 0 if self.tokens_per_second >= 100 else 1
        return f"{self.tokens_per_second:.{digits}f}".removesuffix(".0") + f" tok/s ({self.source})"


@dataclass(frozen=True, slots=True)
class Moment:
    """What the settled replicas do at one reading, in work per second of one replica.

    `carried` is the mean over 60 s of those that work, `in_flight` the mean of their requests over about as long.
    `full` is the mean over 30 s of those that are full; None where none is. `most_full` says that more than half are.
    """

    carried: float
    in_flight: float
    full: float | None = None
    most_full: bool = False


@dataclass(frozen=True, slots=True)
class Learned:
    """What was seen of an endpoint's replicas; all in work per second per replica.

    `samples` are the work of full replicas, `peak` is the most that was carried at all, with the requests in flight
    then. `most_full_at_ms` is when most replicas were full last. `inherited` marks what was seen of another revision:
    it counts until replicas of this one are full.
    """

    samples: tuple[float, ...] = ()
    sampled_at_ms: int = 0
    peak: float = 0.0
    peak_in_flight: float = 0.0
    peak_at_ms: int = 0
    most_full_at_ms: int | None = None
    inherited: bool = False

    def capacity(self, now_ms: int) -> Capacity | None:
        """The mean work of full replicas; before there is any, the most that was carried at all.

        The mean and not the highest, because work that is counted when a request ends arrives in lumps. It is not
        lowered below what was carried before by a few full replicas alone: one stuck or overrun replica says little.
        """
        if self.samples:
            mean = sum(self.samples) / len(self.samples)
            floor = 0.0 if self._recently_full(now_ms) else FLOOR * self._aged_peak(self.sampled_at_ms)
            return Capacity(max(mean, floor), Source.LEARNED)
        return Capacity(self.peak, Source.AT_LEAST) if self.peak > 0 else None

    def seeing(self, moment: Moment, now_ms: int) -> "Learned":
        """Take in one moment; work of full replicas is a sample, and more than the capacity, none full, raises it."""
        learned = self
        if moment.carried > self._aged_peak(now_ms) * SAME_WORK:
            learned = replace(self, peak=moment.carried, peak_in_flight=moment.in_flight, peak_at_ms=now_ms)
        if moment.full is not None:
            return learned._full(moment, moment.full, now_ms)  # noqa: SLF001 - its own class
        known = self.capacity(now_ms)
        if self.samples and known and moment.carried > known.tokens_per_second * SAME_WORK:
            return replace(learned, samples=(moment.carried,), sampled_at_ms=now_ms)
        return learned

    def on_plateau(self, work: float, in_flight: float) -> bool:
        """Whether a replica does the most that was carried with many more requests: full, without a queue."""
        return (
            in_flight >= PLATEAU_MIN_IN_FLIGHT
            and in_flight >= PLATEAU_IN_FLIGHT * max(1.0, self.peak_in_flight)
            and self.peak / SAME_WORK <= work <= self.peak * SAME_WORK
        )

    def _full(self, moment: Moment, work: float, now_ms: int) -> "Learned":
        learned = self
        if moment.most_full:
            if not self._recently_full(now_ms) and work < self.peak:
                learned = replace(self, peak=max(work, EPISODE * self._aged_peak(now_ms)), peak_at_ms=now_ms)
            learned = replace(learned, most_full_at_ms=now_ms)
        if work <= 0 or (0 <= now_ms - self.sampled_at_ms < SAMPLE_EVERY_MS and not self.inherited):
            return learned
        if self.inherited:
            peak = max(work, moment.carried)
            return Learned((work,), now_ms, peak, moment.in_flight, now_ms, learned.most_full_at_ms)
        return replace(learned, samples=(*self.samples, work)[-SAMPLES:], sampled_at_ms=now_ms)

    def _recently_full(self, now_ms: int) -> bool:
        return self.most_full_at_ms is not None and 0 <= now_ms - self.most_full_at_ms <= CALM_MS

    def _aged_peak(self, now_ms: int) -> float:
        return float(self.peak * AGEING ** (max(0, now_ms - self.peak_at_ms) / _HOUR_MS))


def remembered(text: str, now_ms: int) -> Learned:
    """Return what a status said of the capacity before, so that neither a restart nor a sleep forgets it.

    What the user declared was not learned, and what cannot be read is nothing.
    """
    found = _TEXT.match(text)
    if found is None or not float(found[1]):
        return Learned()
    work = float(found[1])
    return Learned((work,) if found[2] == Source.LEARNED else (), 0, work, 0.0, now_ms)
