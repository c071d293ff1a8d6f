# ruff: noqa: ARG002 - the signatures are the protocol's
"""An actuator in one file: it leaves replicas to another controller and writes that one's object, as KEDA's would."""

from __future__ import annotations

from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired import names
from modelward.desired.children import Child, Children
from modelward.desired.ownership import child_metadata
from modelward.kube.kinds import Kind, register
from modelward.operator.actuators.advisory import decided
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.endpoint.replica_write import ReplicaWrite
from modelward.scaling.decision import Decision
from modelward.status.conditions import ConditionState

TOY = register(Kind("toys.example", "v1", "toyscalers", "ToyScaler"))


class Toy:
    """Says in a ToyScaler between which bounds another controller may scale the endpoint."""

    mode = "Toy"
    kinds = (TOY,)

    def rival(self, view: Gathered) -> ConditionState | None:
        return None

    def children(self, endpoint: LLMEndpoint, decision: Decision | None) -> Children:
        scaling = endpoint.spec.scaling
        if scaling is None:
            return ()
        spec = {"target": endpoint.metadata.name, "min": scaling.min_replicas, "max": scaling.max_replicas}
        metadata = child_metadata(endpoint, names.fit(f"{endpoint.metadata.name}-scaler"), "config")
        obj = {"apiVersion": TOY.api_version, "kind": TOY.kind, "metadata": metadata, "spec": spec}
        return (Child(obj, names.FRAME_MANAGER),)

    def replicas(self, view: Gathered, decision: Decision) -> ReplicaWrite | None:
        return None

    def state(self, view: Gathered, decision: Decision) -> ConditionState:
        return decided(decision, "carried out by a ToyScaler: ")
