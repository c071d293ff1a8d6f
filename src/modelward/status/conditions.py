"""Conditions with Kubernetes' rule for the time of the last transition, and the one that sums up: Ready."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from modelward.api.base import Condition, ConditionStatus
from modelward.api.quantity import timestamp
from modelward.reasons.reason import Reason
from modelward.reasons.workload import WorkloadReason

ORDER = (
    "Ready",
    "Accepted",
    "WorkloadReady",
    "CollectorReady",
    "MetricsAvailable",
    "ObjectivesMet",
    "QualityHealthy",
    "SafetyHealthy",
    "ScalingActive",
)
"""Ready stands first because people read from the top."""

_MESSAGE_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class ConditionState:
    """What one condition says now; when it began to say so is added by `settle`."""

    type: str
    status: ConditionStatus
    reason: Reason
    message: str = ""


def ready(accepted: ConditionState, workload: ConditionState) -> ConditionState:
    """Return Ready = Accepted and WorkloadReady; the collector never gates it, because GitOps waits on it."""
    for state in (accepted, workload):
        if state.status != "True":
            return ConditionState("Ready", state.status, state.reason, state.message)
    reason = workload.reason if workload.reason == WorkloadReason.ASLEEP else WorkloadReason.SERVING
    return ConditionState("Ready", "True", reason, workload.message)


def settle(
    states: Iterable[ConditionState], previous: Iterable[Condition], generation: int, now_ms: int
) -> tuple[Condition, ...]:
    """Turn states into conditions; a transition time moves only when the status changes."""
    before = {condition.type: condition for condition in previous}
    now = timestamp(now_ms)

    def condition(state: ConditionState) -> Condition:
        old = before.get(state.type)
        since = old.last_transition_time if old is not None and old.status == state.status else now
        return Condition(
            type=state.type,
            status=state.status,
            reason=str(state.reason) or "Unknown",  # an empty one would be refused
            message=state.message[:_MESSAGE_LIMIT],
            last_transition_time=since,
            observed_generation=generation,
        )

    return tuple(condition(state) for state in sorted(states, key=_place))


def _place(state: ConditionState) -> tuple[int, str]:
    return (ORDER.index(state.type) if state.type in ORDER else len(ORDER), state.type)
