"""Mode Advisory: decisions are shown and nothing is written."""

from __future__ import annotations

from modelward.api.base import ConditionStatus
from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired.children import Children
from modelward.kube.kinds import Kind
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.endpoint.replica_write import ReplicaWrite
from modelward.reasons.scaling import ScalingReason
from modelward.scaling.decision import Decision
from modelward.status.conditions import ConditionState


class Advisory:
    """Writes nothing."""

    mode = "Advisory"
    kinds: tuple[Kind, ...] = ()

    def rival(self, view: Gathered) -> ConditionState | None:  # noqa: ARG002 - who writes nothing has no rival
        """Return None."""
        return None

    def children(self, endpoint: LLMEndpoint, decision: Decision | None) -> Children:  # noqa: ARG002
        """Return none."""
        return ()

    def replicas(self, view: Gathered, decision: Decision) -> ReplicaWrite | None:  # noqa: ARG002
        """Return None."""
        return None

    def state(self, view: Gathered, decision: Decision) -> ConditionState:  # noqa: ARG002
        """Return ScalingActive with the decision's reason, as advice."""
        return decided(decision, "advice only: ")


def decided(decision: Decision, prefix: str = "") -> ConditionState:
    """Return ScalingActive of a decision: Unknown where metrics are missing."""
    status: ConditionStatus = "Unknown" if decision.reason is ScalingReason.HOLDING_ON_STALE_METRICS else "True"
    return ConditionState("ScalingActive", status, decision.reason, f"{prefix}{decision.message}")
