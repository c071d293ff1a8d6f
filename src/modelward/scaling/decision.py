"""From the usage of an endpoint to its replicas: up at once, down slowly, and never down on missing data."""

from dataclasses import dataclass, replace

from modelward.reasons.reason import Reason
from modelward.reasons.scaling import ScalingReason
from modelward.scaling.capacity import Capacity
from modelward.scaling.history import DecisionHistory, Step
from modelward.scaling.latency import LatencyStep, Missed, judged, missed
from modelward.scaling.need import SLOW, Need, capacity_of, needed
from modelward.scaling.probe import Probe, in_flight_in_each, learned_from, shown
from modelward.scaling.queue import waiting_in
from modelward.scaling.spec import ScalingSpec
from modelward.scaling.usage import UsageSnapshot

# Down by at most a quarter of the replicas (or one) a minute.
STEP_MS = 60_000
STEP_SHARE = 4
MESSAGE_CHARS = 120


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do and why.

    `replicas` is the number to ask for, None to leave whatever there is because nothing is known; `need` is what the
    load alone asks for. `message` is a phrase of at most 120 characters for people. `history` goes into the next
    decision.
    """

    replicas: int | None
    reason: Reason
    message: str
    need: int | None
    capacity: Capacity | None
    history: DecisionHistory


def decide(spec: ScalingSpec, usage: UsageSnapshot, history: DecisionHistory, now_ms: int) -> Decision:
    """Decide for one endpoint; Direct writes the answer, Advisory only shows it.

    What this reading teaches about capacity counts from the next decision on, so that more load never asks for less.
    """
    before = history.at(now_ms)
    elapsed_ms = max(0, now_ms - history.last_ms) if history.last_ms is not None else 0
    seen = _tried(spec, usage, before.seeing(usage, spec.revision, now_ms, elapsed_ms), now_ms)
    need = needed(spec, usage, replace(seen, learned=before.learned), now_ms)
    noted = need.replicas if need.certain else max(need.replicas, usage.replicas)
    after = seen.needing(noted, now_ms, spec.scale_down_hold_ms)
    target, reason, message = _target(spec, usage, need, after, now_ms)
    allowed = spec.within(target)
    if allowed < target:
        reason, message = ScalingReason.AT_MAXIMUM, f"maximum {spec.max_replicas}; {message}"
    elif allowed > target or (
        reason is not ScalingReason.HOLDING_ON_STALE_METRICS and _below(need, spec, allowed, usage)
    ):
        reason, message = ScalingReason.AT_MINIMUM, f"minimum {spec.floor}; {message}"
    after = _stepping(after, need, usage, allowed, now_ms)
    unknown = reason is ScalingReason.HOLDING_ON_STALE_METRICS and allowed == usage.replicas
    return Decision(
        None if unknown else allowed,
        reason,
        message[:MESSAGE_CHARS],
        need.replicas if need.reason is not ScalingReason.HOLDING_ON_STALE_METRICS else None,
        capacity_of(spec, after),
        after,
    )


def _stepping(history: DecisionHistory, need: Need, usage: UsageSnapshot, allowed: int, now_ms: int) -> DecisionHistory:
    """Note the step that was decided: down for the next one, up for what it is to bring."""
    up = allowed > usage.replicas
    noted = replace(history, queue=history.queue.seeing(waiting_in(usage), now_ms, asking=up))
    if allowed < usage.replicas:
        return replace(noted, step=Step(usage.replicas, allowed, now_ms))
    if up and need.missed is not None:
        return replace(noted, trial=_trial(need.missed, noted.trial, usage, allowed))
    if up and need.probes:
        return replace(noted, probe=Probe(usage.replicas, usage.work_60s or 0.0, in_flight_in_each(noted.pods)))
    return noted


def _tried(spec: ScalingSpec, usage: UsageSnapshot, history: DecisionHistory, now_ms: int) -> DecisionHistory:
    """Judge the last step that was taken for a latency or to learn; of one that brought nothing the memory is kept."""
    ready_for_ms = now_ms - history.ready_since_ms
    trial, futile = judged(history.trial, missed(spec, usage), usage, ready_for_ms, now_ms)
    others = tuple(one for one in history.futile if futile is None or one.what != futile.what)
    history = replace(history, trial=trial, futile=(*others, futile) if futile is not None else others)
    probe = history.probe
    full = shown(probe, usage, history.pods, ready_for_ms) if probe is not None and probe.trying else None
    if probe is None or full is None:
        return history
    if history.learned.samples or not full:
        return replace(history, probe=replace(probe, trying=False))
    return replace(history, probe=None, learned=learned_from(probe, now_ms))


def _trial(late: Missed, before: LatencyStep | None, usage: UsageSnapshot, replicas: int) -> LatencyStep:
    if before is None or before.what != late.what or before.replicas != usage.replicas:
        return LatencyStep(late.what, usage.replicas, late.best_ms, replicas)
    return replace(before, replicas=replicas)


def _target(
    spec: ScalingSpec, usage: UsageSnapshot, need: Need, history: DecisionHistory, now_ms: int
) -> tuple[int, Reason, str]:
    current = usage.replicas
    if need.replicas > current:
        return need.replicas, need.reason, need.message
    if not need.certain:
        return current, need.reason, need.message
    if need.replicas == current or current <= spec.floor:
        steady = need.reason if need.reason in SLOW else ScalingReason.STEADY
        return current, steady, need.message
    held = _held(spec, usage, history, now_ms)
    if held is not None:
        return current, ScalingReason.SCALE_DOWN_HOLD, f"{need.message}; {held}"
    return _lower(usage, history), need.reason, need.message


def _held(spec: ScalingSpec, usage: UsageSnapshot, history: DecisionHistory, now_ms: int) -> str | None:
    """Why fewer replicas have to wait; None when they need not."""
    minutes = spec.scale_down_hold_ms / 60_000
    if not history.watched(now_ms, spec.scale_down_hold_ms):
        watched = (now_ms - history.watched_since_ms) / 60_000
        return f"watched for {watched:.1f} of {minutes:g} min"
    if history.highest_need() >= usage.replicas:
        return f"{history.highest_need()} needed within {minutes:g} min"
    step = history.step
    if step is not None and step.replicas != usage.replicas and now_ms - step.at_ms < STEP_MS:
        return "one step down a minute"
    return None


def _lower(usage: UsageSnapshot, history: DecisionHistory) -> int:
    step = usage.replicas - max(1, usage.replicas // STEP_SHARE)
    # While replicas start, only those are called off: the ones that serve stay.
    serving = usage.ready if usage.ready < usage.replicas else 0
    return max(step, history.highest_need(), serving)


def _below(need: Need, spec: ScalingSpec, allowed: int, usage: UsageSnapshot) -> bool:
    return need.certain and need.replicas < spec.floor == allowed == usage.replicas
