"""What each replica does by itself, and which are full: a sum over all does not show one stuck replica among many."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from modelward.scaling.capacity import Learned, Moment

# A replica is judged once it was read for so long, and is full once requests have queued in it for so long.
SETTLED_MS = 30_000
FULL_FOR_MS = 30_000
# The requests in flight at one reading scatter: their mean over about a minute is compared.
MEAN_MS = 30_000.0
# Requests queue when they wait for a second, or for a quarter of one that is half as long as they are served. A gauge
# that shows requests which have just come, until the engine's next step takes them, shows waits of milliseconds.
QUEUE_S = 1.0
SHORT_QUEUE_S = 0.25
QUEUE_SHARE = 0.5
# A replica that does less than half of what another does at the same time is not full, but sick or badly reached; one
# that does less than a tenth is stuck. Below a token in a hundred seconds nothing is done.
SICK = 0.5
LEAST_WORK = 0.01
STUCK = 0.1


@dataclass(frozen=True, slots=True)
class PodUse:
    """One replica at one reading; None is unknown.

    Work is in output tokens plus weighted input tokens per second, over the last 30 and 60 s. `in_flight` holds those
    that are `waiting` too.
    """

    name: str
    work_30s: float | None = None
    work_60s: float | None = None
    in_flight: float | None = None
    waiting: float | None = None
    requests_per_second: float | None = None

    @property
    def queues(self) -> bool:
        """Whether requests wait for their turn, by Little's law: those that wait, over those that are served a second.

        Where requests are not counted, any that waits counts.
        """
        waiting, served = self.waiting or 0.0, self.requests_per_second
        if waiting < 1:
            return False
        if served is None or waiting >= QUEUE_S * served:
            return True
        running = max(0.0, (self.in_flight or 0.0) - waiting)
        return waiting >= SHORT_QUEUE_S * served and waiting >= QUEUE_SHARE * running


@dataclass(frozen=True, slots=True)
class ReplicaSeen:
    """What earlier readings found of one replica: since when it is read, since when full, its mean in flight."""

    name: str
    since_ms: int
    full_since_ms: int | None
    in_flight: float

    def settled(self, now_ms: int) -> bool:
        """Whether it has been read for long enough to be judged."""
        return now_ms - self.since_ms >= SETTLED_MS

    def full(self, now_ms: int) -> bool:
        """Whether it was full at every reading for long enough."""
        return self.full_since_ms is not None and now_ms - self.full_since_ms >= FULL_FOR_MS


def watch(
    uses: Sequence[PodUse], before: Sequence[ReplicaSeen], learned: Learned, elapsed_ms: int, now_ms: int
) -> tuple[ReplicaSeen, ...]:
    """Take one reading of the replicas, `elapsed_ms` after the last; those that are gone are forgotten."""
    known = {pod.name: pod for pod in before}
    weight = 1 - math.exp(-max(0, elapsed_ms) / MEAN_MS)
    return tuple(_watched(use, known.get(use.name), learned, weight, now_ms) for use in uses)


def _watched(use: PodUse, before: ReplicaSeen | None, learned: Learned, weight: float, now_ms: int) -> ReplicaSeen:
    in_flight = use.in_flight or 0.0
    if before is not None:
        in_flight = before.in_flight + weight * (in_flight - before.in_flight)
    full = use.queues if use.waiting is not None else learned.on_plateau(use.work_60s or 0.0, in_flight)
    since = before.full_since_ms if before is not None and before.full_since_ms is not None else now_ms
    return ReplicaSeen(
        use.name,
        before.since_ms if before else now_ms,
        since if full else None,
        in_flight,
    )


def moment(
    uses: Sequence[PodUse], watched: Sequence[ReplicaSeen], now_ms: int, *, alike: bool = False
) -> Moment | None:
    """Return what the settled replicas do; None where that is unknown or nothing.

    `alike` says that the one use is the mean of all replicas, of which it is not known whether most are full.
    """
    settled = [(use, pod) for use, pod in zip(uses, watched, strict=True) if pod.settled(now_ms)]
    rates = [(use.work_30s, use.work_60s, pod) for use, pod in settled]
    known = [(short, long, pod) for short, long, pod in rates if short is not None and long is not None]
    highest = max((long for _, long, _ in known), default=0.0)
    working = [(long, pod.in_flight) for _, long, pod in known if long >= STUCK * highest]
    if highest < LEAST_WORK:
        return None
    full = [short for short, _, pod in known if pod.full(now_ms) and short >= SICK * highest]
    return Moment(
        math.fsum(work for work, _ in working) / len(working),
        math.fsum(in_flight for _, in_flight in working) / len(working),
        math.fsum(full) / len(full) if full else None,
        most_full=not alike and 2 * len(full) > len(settled),
    )


def most_queue(watched: Sequence[ReplicaSeen], now_ms: int) -> bool:
    """Whether more than half of the settled replicas are full: one that is stuck alone is no want of replicas."""
    settled = [pod for pod in watched if pod.settled(now_ms)]
    return 2 * sum(pod.full(now_ms) for pod in settled) > len(settled)
