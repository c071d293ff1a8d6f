"""One more replica to find out whether those that are there are full, where neither a queue nor a plateau shows it.

A replica behind a gateway whose clients all come at once is full from its first minute on: nothing shows what fewer
requests would have been served at.
"""

from dataclasses import dataclass
from statistics import fmean

from modelward.scaling.capacity import Learned
from modelward.scaling.pods import LEAST_WORK, ReplicaSeen
from modelward.scaling.usage import UsageSnapshot

# So many requests in flight in each replica, and no more work than before for ten minutes with the same replicas,
# before one more is tried. It is judged when it has been ready for two minutes.
IN_FLIGHT = 32.0
STEADY_MS = 600_000
SETTLED_MS = 120_000
# Full were those before if the work, and the work of a request in flight, rises by 70 % of what was added.
WORTH = 0.7
# After one that showed nothing the next comes only with a quarter more requests in flight in each replica.
AGAIN = 1.25
SAME = 1.1
FEW = 0.5


@dataclass(frozen=True, slots=True)
class Probe:
    """What `base` replicas did before one more was tried: work per second in all, and requests in flight in each.

    `trying` is False when it has shown nothing.
    """

    base: int
    work: float
    in_flight: float
    trying: bool = True


def in_flight_in_each(pods: tuple[ReplicaSeen, ...]) -> float:
    """Return the mean requests in flight of a replica, over about a minute."""
    return fmean(pod.in_flight for pod in pods) if pods else 0.0


def due(usage: UsageSnapshot, pods: tuple[ReplicaSeen, ...], probe: Probe | None, steady_for_ms: int) -> bool:
    """Whether one more replica should be tried; the load has been as it is for `steady_for_ms`."""
    if (
        usage.waiting is not None
        or (usage.work_60s or 0.0) < LEAST_WORK * usage.ready
        or not 0 < usage.replicas == usage.ready
    ):
        return False
    again = 0.0 if probe is None or probe.trying else AGAIN * probe.in_flight
    return steady_for_ms >= STEADY_MS and in_flight_in_each(pods) >= max(IN_FLIGHT, again)


def shown(probe: Probe, usage: UsageSnapshot, pods: tuple[ReplicaSeen, ...], ready_for_ms: int) -> bool | None:
    """Return whether the replicas before were full; None while it is unknown."""
    ready = usage.ready
    if usage.replicas <= probe.base or ready < usage.replicas or ready_for_ms < SETTLED_MS or not pods:
        return None
    worth = 1 + WORTH * (ready - probe.base) / probe.base
    work, in_flight = usage.work_60s or 0.0, in_flight_in_each(pods) * ready
    return work >= worth * probe.work and work * probe.base * probe.in_flight >= worth * probe.work * in_flight


def in_vain(probe: Probe, usage: UsageSnapshot, pods: tuple[ReplicaSeen, ...]) -> bool:
    """Whether the replicas before would do again: the work is what they did, or far fewer requests are in flight."""
    if probe.trying or usage.replicas <= probe.base:
        return False
    share = in_flight_in_each(pods) * usage.ready / (probe.base * probe.in_flight)
    return share <= FEW or ((usage.work_per_second or 0.0) <= SAME * probe.work and share <= SAME)


def learned_from(probe: Probe, now_ms: int) -> Learned:
    """Return what a probe has taught of one replica: it was full at what it carried before."""
    work = probe.work / probe.base
    return Learned((work,), now_ms, work, probe.in_flight / 2, now_ms)
