"""What a decision remembers of the ones before it; carried by the caller, frozen, and safe to lose."""

from dataclasses import dataclass, field, replace

from modelward.scaling.capacity import Learned, Moment
from modelward.scaling.usage import Usage

# Decisions come every few seconds. After a longer silence (a restart, a sleep, a clock set forward) nothing is
# known of the time in between, and the hold before scaling down begins anew.
GAP_MS = 120_000
# A sample of capacity and a verdict on latency need replicas that have settled.
SETTLED_MS = 30_000


@dataclass(frozen=True, slots=True)
class Step:
    """The last scale-down that was decided: from how many, to how many, and when."""

    replicas: int
    target: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class History:
    """What earlier decisions of one endpoint saw.

    `needs` are (time, replicas needed), with every need dropped that a later one is at least as high as: enough for
    the highest need of any last stretch of time. `watched_since_ms` is when the unbroken watch began.
    """

    last_ms: int | None = None
    watched_since_ms: int = 0
    needs: tuple[tuple[int, int], ...] = ()
    waiting_since_ms: int | None = None
    ready: int = 0
    ready_since_ms: int = 0
    step: Step | None = None
    learned: Learned = field(default_factory=Learned)
    revision: str = ""

    def at(self, now_ms: int) -> "History":
        """The history as of now; time that went backwards or leapt ahead counts as no time watched."""
        if self.last_ms is not None and 0 <= now_ms - self.last_ms <= GAP_MS:
            return replace(self, last_ms=now_ms)
        return replace(
            self,
            last_ms=now_ms,
            watched_since_ms=now_ms,
            needs=tuple((now_ms, need) for _, need in self.needs[:1]),
            waiting_since_ms=None,
            ready_since_ms=now_ms,
            step=replace(self.step, at_ms=now_ms) if self.step else None,
        )

    def seeing(self, usage: Usage, revision: str, now_ms: int) -> "History":
        """Take in one look at the endpoint, and learn from it if it shows replicas that have settled."""
        since = now_ms if self.waiting_since_ms is None else self.waiting_since_ms
        seen = replace(
            self,
            waiting_since_ms=since if usage.waiting else None,
            ready=usage.ready,
            ready_since_ms=self.ready_since_ms if usage.ready == self.ready else now_ms,
            learned=self.learned if revision == self.revision else Learned(),
            revision=revision,
        )
        moment = _moment(usage, seen, now_ms)
        return replace(seen, learned=seen.learned.seeing(moment, now_ms)) if moment else seen

    def settled(self, now_ms: int) -> bool:
        """Whether the same replicas have been serving for long enough to be judged."""
        return now_ms - self.ready_since_ms >= SETTLED_MS

    def queueing(self, now_ms: int) -> bool:
        """Whether requests have been waiting for 30 s in replicas that have settled."""
        waited = self.waiting_since_ms is not None and now_ms - self.waiting_since_ms >= SETTLED_MS
        return waited and self.settled(now_ms)

    def needing(self, replicas: int, now_ms: int, hold_ms: int) -> "History":
        """Note how many replicas are needed now."""
        kept = tuple((at, need) for at, need in self.needs if now_ms - at <= hold_ms and need > replicas)
        return replace(self, needs=(*kept, (now_ms, replicas)))

    def watched(self, now_ms: int, hold_ms: int) -> bool:
        """Whether all of the hold was watched, so that the highest need in it is known."""
        return now_ms - self.watched_since_ms >= hold_ms

    def highest_need(self) -> int:
        """The highest need within the hold that the needs were noted with."""
        return max((need for _, need in self.needs), default=0)


def _moment(usage: Usage, history: History, now_ms: int) -> Moment | None:
    whole = 0 < usage.sources == usage.fresh and usage.ready > 0
    if not whole or usage.work_30s is None or usage.work_60s is None or not history.settled(now_ms):
        return None
    return Moment(
        usage.work_30s / usage.ready,
        usage.work_60s / usage.ready,
        (usage.in_flight or 0.0) / usage.ready,
        None if usage.waiting is None else history.queueing(now_ms),
    )
