"""How many replicas the load asks for: an absolute number, so that pods still starting never add to it."""

import math
from dataclasses import dataclass, replace

from modelward.api.quantity import limit_text
from modelward.metrics.signals import signal_words
from modelward.reasons.reason import Reason
from modelward.reasons.scaling import ScalingReason
from modelward.scaling.capacity import Capacity, Source
from modelward.scaling.history import DecisionHistory
from modelward.scaling.latency import FIRST_TOKEN, LOW_USE, Missed, missed, more
from modelward.scaling.probe import due, in_flight_in_each, in_vain
from modelward.scaling.queue import shared, waiting_in
from modelward.scaling.spec import ScalingSpec
from modelward.scaling.usage import LONG_MS, SHORT_MS, UsageSnapshot

# Until growth is learned, replicas are requested as if load grew by 30 % while they start.
GROWTH = 1.3
# A replica is not planned beyond 95 % of what it carries.
HEADROOM = 0.95
# Guards the rounding up against the last bits of the arithmetic.
_EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class Need:
    """Replicas needed; `certain` only if enough is known to act on fewer than there are.

    `missed` is the latency that asks for more than the load does, if one does; `probes` that one more is to be tried.
    """

    replicas: int
    certain: bool
    reason: Reason
    message: str
    missed: Missed | None = None
    probes: bool = False


SLOW = frozenset({ScalingReason.SLOW_FIRST_TOKEN, ScalingReason.SLOW_TOKENS})
"""An objective on latency is missed: reported even where the number of replicas stays."""


def capacity_of(spec: ScalingSpec, history: DecisionHistory) -> Capacity | None:
    """What one replica carries: as declared, else as learned, else unknown."""
    if spec.tokens_per_second is not None:
        return Capacity(float(spec.tokens_per_second), Source.DECLARED)
    return history.learned.capacity(history.last_ms or 0)


def needed(spec: ScalingSpec, usage: UsageSnapshot, history: DecisionHistory, now_ms: int) -> Need:
    """The need of this moment; the first of these that has something to say decides."""
    for judge in (_unknown, _idle, _slow):
        need = judge(spec, usage, history, now_ms)
        if need is not None:
            return need
    of_load = _of_load(spec, usage, history, now_ms)
    late = ", ".join(one.what for one in missed(spec, usage))
    return replace(of_load, message=f"{of_load.message}; {late} late, not for lack of replicas") if late else of_load


def _of_load(spec: ScalingSpec, usage: UsageSnapshot, history: DecisionHistory, now_ms: int) -> Need:
    for judge in (_unmeasured, _loaded):
        need = judge(spec, usage, history, now_ms)
        if need is not None:
            return need
    return _learning(spec, usage, history, now_ms)


def _unknown(_spec: ScalingSpec, usage: UsageSnapshot, _history: DecisionHistory, _now_ms: int) -> Need | None:
    if usage.fresh > 0:
        return None
    silent = f"no fresh metrics from any of {usage.sources} pods" if usage.sources else "no pod to read metrics from"
    if usage.lacking:
        silent = f"none of {usage.sources} pods gives all numbers; missing are {signal_words(usage.lacking)}"
    return Need(usage.replicas, False, ScalingReason.HOLDING_ON_STALE_METRICS, silent)


def _idle(_spec: ScalingSpec, usage: UsageSnapshot, _history: DecisionHistory, _now_ms: int) -> Need | None:
    known = usage.work_per_second is not None and usage.in_flight is not None
    if usage.busy or not known or usage.fresh < usage.sources:
        return None
    return Need(0, True, ScalingReason.IDLE, "no requests")


def _slow(spec: ScalingSpec, usage: UsageSnapshot, history: DecisionHistory, now_ms: int) -> Need | None:
    ready_for_ms = now_ms - history.ready_since_ms
    found = [one for one in missed(spec, usage) if not _vain(spec, usage, history, one, now_ms)]
    if not found:
        return None
    worst = max(found, key=lambda bound: bound.lasting)
    step = more(usage, worst, ready_for_ms)
    loaded = _loaded(spec, usage, history, now_ms)
    if loaded is not None and loaded.replicas >= usage.replicas + step:
        return loaded
    seen = f"{worst.what} {worst.last_ms:.0f} ms over {worst.objective_ms} ms at {limit_text(spec.attainment_ppm)}"
    message = f"{seen} attainment; {f'{step} more' if step else 'keep what there is'}"
    reason = ScalingReason.SLOW_FIRST_TOKEN if worst.what == FIRST_TOKEN else ScalingReason.SLOW_TOKENS
    return Need(usage.replicas + step, True, reason, message, worst)


def _vain(spec: ScalingSpec, usage: UsageSnapshot, history: DecisionHistory, one: Missed, now_ms: int) -> bool:
    """Whether more replicas would not help: they did not before, or those that are there have little to do."""
    if history.trial is not None and history.trial.what == one.what:
        return False  # it is just being found out
    work = usage.work_per_second or 0.0
    if any(
        each.what == one.what and usage.replicas >= each.base and each.holds(work, now_ms) for each in history.futile
    ):
        return True
    capacity = capacity_of(spec, history)
    if capacity is None or capacity.source is Source.AT_LEAST or usage.work_per_second is None:
        return False
    return not any(use.queues for use in usage.uses) and work < LOW_USE * capacity.tokens_per_second * usage.ready


def _unmeasured(_spec: ScalingSpec, usage: UsageSnapshot, history: DecisionHistory, now_ms: int) -> Need | None:
    if usage.work_per_second is not None:
        return None
    return _queue_need(usage, history, now_ms, ScalingReason.NO_TOKEN_COUNTS, "no token counts")


def _loaded(spec: ScalingSpec, usage: UsageSnapshot, history: DecisionHistory, now_ms: int) -> Need | None:
    capacity = capacity_of(spec, history)
    if capacity is None or capacity.source is Source.AT_LEAST or usage.work_per_second is None:
        return None
    replicas = _replicas_for(usage, capacity, history, now_ms)
    partial = usage.fresh < usage.sources
    coming = max(0.0, _coming(usage, history, now_ms))
    message = f"{_number(coming)} tok/s of {_number(capacity.tokens_per_second)} per replica"
    waiting = f", {usage.waiting:.0f} waiting" if usage.waiting and usage.waiting >= 1 else ""
    if partial and replicas <= usage.replicas:
        seen = f"metrics from {usage.fresh} of {usage.sources} pods"
        seen += f", without {signal_words(usage.lacking)} of others" if usage.lacking else ""
        return Need(replicas, False, ScalingReason.HOLDING_ON_STALE_METRICS, f"{seen}; {message}")
    return Need(replicas, not partial, ScalingReason.LOAD, f"{message}{waiting}; need {replicas}")


def _learning(spec: ScalingSpec, usage: UsageSnapshot, history: DecisionHistory, now_ms: int) -> Need:
    """Without a capacity a queue is answered one replica at a time; and what was carried before may be gone back to."""
    at_least = capacity_of(spec, history)
    work = usage.work_per_second or 0.0
    if at_least is not None and not usage.waiting and usage.fresh == usage.sources:
        enough = _replicas_for(usage, at_least, history, now_ms)
        if enough < usage.replicas:
            carried = f"{_number(work)} tok/s; one replica carried {_number(at_least.tokens_per_second)} before"
            return Need(enough, True, ScalingReason.LOAD, f"{carried}; need {enough}")
    probe = history.probe
    if due(usage, history.pods, probe, now_ms - max(history.ready_since_ms, history.learned.peak_at_ms)):
        busy = f"{in_flight_in_each(history.pods):.0f} requests in flight in each replica, and no queue is reported"
        return Need(
            usage.replicas + 1, False, ScalingReason.LEARNING_CAPACITY, f"{busy}; one more to learn", probes=True
        )
    if probe is not None and in_vain(probe, usage, history.pods):
        told = f"{_number(work)} tok/s; more than {probe.base} brought no more"
        return Need(probe.base, usage.fresh == usage.sources, ScalingReason.LOAD, f"{told}; need {probe.base}")
    return _queue_need(
        usage, history, now_ms, ScalingReason.LEARNING_CAPACITY, f"{_number(work)} tok/s; no replica was full yet"
    )


def _queue_need(usage: UsageSnapshot, history: DecisionHistory, now_ms: int, reason: Reason, message: str) -> Need:
    if usage.replicas == 0:
        return Need(1 if usage.busy else 0, False, reason, message)
    starting = usage.ready < usage.replicas
    if usage.waiting and not starting and history.queueing(now_ms):
        return Need(
            usage.replicas + 1, False, reason, f"{usage.waiting:.0f} requests waiting for 30 s; one more replica"
        )
    return Need(usage.replicas, False, reason, message)


def _coming(usage: UsageSnapshot, history: DecisionHistory, now_ms: int) -> float:
    """Return the work that comes, a second: what was served, and what the queue gained or lost."""
    waiting, each = waiting_in(usage), usage.work_per_request or 0.0
    windows = ((usage.served_30s, usage.work_30s, SHORT_MS), (usage.served_60s, usage.work_60s, LONG_MS))
    return max(
        ((work or 0.0) if served is None else served) + each * history.queue.growth(waiting, over_ms, now_ms)
        for served, work, over_ms in windows
    )


def _replicas_for(usage: UsageSnapshot, capacity: Capacity, history: DecisionHistory, now_ms: int) -> int:
    # A pod that fell silent is taken to do what the others do. One that never reported may just be starting: to
    # count it would let every replica that starts ask for more.
    whole = (usage.fresh + usage.silent) / usage.fresh if usage.fresh else 1.0
    coming = max(0.0, _coming(usage, history, now_ms))
    backlog = shared(usage) * (usage.work_per_request or 0.0) / history.queue.drain_s(now_ms)
    # What is kept for growth serves the backlog too.
    demand = max(coming * GROWTH, coming + backlog) * whole
    replicas = math.ceil(demand / (capacity.tokens_per_second * HEADROOM) - _EPSILON)
    return max(replicas, 1 if usage.busy else 0)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"
