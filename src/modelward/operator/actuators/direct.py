"""Mode Direct: decisions are written to the endpoint's own /scale, which its workload follows."""

from __future__ import annotations

from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired.children import Children
from modelward.kube.kinds import LLM_ENDPOINT, Kind
from modelward.operator.actuators.advisory import decided
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.endpoint.replica_write import ReplicaWrite
from modelward.reasons.scaling import ScalingReason
from modelward.scaling.decision import Decision
from modelward.status.conditions import ConditionState


class Direct:
    """Needs no other controller, and stands back where an autoscaler writes the same /scale."""

    mode = "Direct"
    kinds: tuple[Kind, ...] = ()

    def rival(self, view: Gathered) -> ConditionState | None:
        """Return ScalingActive where a HorizontalPodAutoscaler scales the endpoint: two writers only fight."""
        theirs = view.autoscaler_of(LLM_ENDPOINT.kind, view.endpoint.metadata.name)
        if not theirs:
            return None
        message = f"HorizontalPodAutoscaler {theirs} scales this LLMEndpoint; delete it or set scaling.mode: Off"
        return ConditionState("ScalingActive", "False", ScalingReason.ANOTHER_SCALER, message)

    def children(self, endpoint: LLMEndpoint, decision: Decision | None) -> Children:  # noqa: ARG002
        """Return none."""
        return ()

    def replicas(self, view: Gathered, decision: Decision) -> ReplicaWrite | None:
        """Return the decided number, where it differs from the requested one and is known."""
        if decision.replicas in (None, view.asked_replicas) or view.endpoint.spec.paused:
            return None
        about = view.raw["metadata"]
        return ReplicaWrite(
            LLM_ENDPOINT,
            about["namespace"],
            about["name"],
            decision.replicas or 0,
            about["resourceVersion"],
            str(decision.reason),
            decision.message,
        )

    def state(self, view: Gathered, decision: Decision) -> ConditionState:  # noqa: ARG002
        """Return ScalingActive with the decision's reason."""
        return decided(decision)
