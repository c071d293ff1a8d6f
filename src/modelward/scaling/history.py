"""What a decision remembers of the ones before it; carried by the caller, frozen, and safe to lose."""

from dataclasses import dataclass, field, replace

from modelward.scaling.capacity import Learned
from modelward.scaling.latency import Futile, LatencyStep
from modelward.scaling.pods import ReplicaSeen, moment, most_queue, watch
from modelward.scaling.probe import Probe
from modelward.scaling.queue import WaitingRequests
from modelward.scaling.usage import UsageSnapshot

# Decisions come every few seconds. After a longer silence (a restart, a sleep, a clock set forward) nothing is
# known of the time in between, and the hold before scaling down restarts.
GAP_MS = 120_000
# A verdict on latency and an answer to a queue need replicas that have settled.
SETTLED_MS = 30_000
# Replicas of another revision have served for so long before it counts: one that is ready now and then does not.
REVISION_FOR_MS = 120_000


@dataclass(frozen=True, slots=True)
class Step:
    """The last scale-down that was decided: from how many, to how many, and when."""

    replicas: int
    target: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class DecisionHistory:
    """What earlier decisions of one endpoint saw.

    `needs` are (time, replicas needed), with every need dropped that a later one is at least as high as: enough for
    the highest need of any last stretch of time. `watched_since_ms` is when the unbroken watch began. `newer` is a
    revision that has begun to serve, and since when; what was `learned` of the one before counts until it is full.
    """

    last_ms: int | None = None
    watched_since_ms: int = 0
    needs: tuple[tuple[int, int], ...] = ()
    ready: int = 0
    ready_since_ms: int = 0
    step: Step | None = None
    learned: Learned = field(default_factory=Learned)
    revision: str = ""
    newer: tuple[str, int] | None = None
    pods: tuple[ReplicaSeen, ...] = ()
    queue: WaitingRequests = field(default_factory=WaitingRequests)
    probe: Probe | None = None
    trial: LatencyStep | None = None
    futile: tuple[Futile, ...] = ()

    def at(self, now_ms: int) -> "DecisionHistory":
        """The history as of now; time that went backwards or leapt ahead counts as no time watched."""
        if self.last_ms is not None and 0 <= now_ms - self.last_ms <= GAP_MS:
            return replace(self, last_ms=now_ms)
        return replace(
            self,
            last_ms=now_ms,
            watched_since_ms=now_ms,
            needs=tuple((now_ms, need) for _, need in self.needs[:1]),
            ready_since_ms=now_ms,
            step=replace(self.step, at_ms=now_ms) if self.step else None,
            newer=None,
            pods=(),
            queue=WaitingRequests(cold_start_ms=self.queue.cold_start_ms),
            probe=self.probe if self.probe is not None and not self.probe.trying else None,
            trial=None,
        )

    def seeing(self, usage: UsageSnapshot, revision: str, now_ms: int, elapsed_ms: int = 0) -> "DecisionHistory":
        """Take in one reading of the endpoint, `elapsed_ms` after the last, and learn from settled replicas."""
        same = usage.ready == self.ready
        pods = self.pods if same or usage.pods else tuple(replace(pod, since_ms=now_ms) for pod in self.pods)
        seen = replace(
            self._serving(revision, now_ms),
            ready=usage.ready,
            ready_since_ms=self.ready_since_ms if same else now_ms,
            pods=watch(usage.uses, pods, self.learned, elapsed_ms, now_ms),
            queue=self.queue.started(
                all_ready=usage.ready >= usage.replicas, more_ready=usage.ready > self.ready, now_ms=now_ms
            ),
        )
        found = moment(usage.uses, seen.pods, now_ms, alike=not usage.pods)
        return replace(seen, learned=seen.learned.seeing(found, now_ms)) if found else seen

    def queueing(self, now_ms: int) -> bool:
        """Whether requests have queued for 30 s in most of the replicas, and as many replicas are ready as before."""
        return now_ms - self.ready_since_ms >= SETTLED_MS and most_queue(self.pods, now_ms)

    def needing(self, replicas: int, now_ms: int, hold_ms: int) -> "DecisionHistory":
        """Note how many replicas are needed now."""
        kept = tuple((at, need) for at, need in self.needs if now_ms - at <= hold_ms and need > replicas)
        return replace(self, needs=(*kept, (now_ms, replicas)))

    def watched(self, now_ms: int, hold_ms: int) -> bool:
        """Whether all of the hold was watched, so that the highest need in it is known."""
        return now_ms - self.watched_since_ms >= hold_ms

    def highest_need(self) -> int:
        """The highest need within the hold that the needs were noted with."""
        return max((need for _, need in self.needs), default=0)

    def _serving(self, revision: str, now_ms: int) -> "DecisionHistory":
        """Take another revision in once it has lasted; where no pod is, as in a sleep, the last one stays."""
        if revision in ("", self.revision):
            return replace(self, newer=None)
        since_ms = self.newer[1] if self.newer is not None and self.newer[0] == revision else now_ms
        if not self.revision:
            return replace(self, revision=revision, newer=None)
        if now_ms - since_ms < REVISION_FOR_MS:
            return replace(self, newer=(revision, since_ms))
        return replace(self, revision=revision, newer=None, learned=replace(self.learned, inherited=True))
