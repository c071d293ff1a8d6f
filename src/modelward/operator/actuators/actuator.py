"""How a scaling decision is carried out: what a value of `scaling.mode` stands for, and what it must keep."""

from __future__ import annotations

from typing import Protocol

from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired.children import Children
from modelward.kube.kinds import Kind
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.endpoint.replica_write import ReplicaWrite
from modelward.scaling.decision import Decision
from modelward.status.conditions import ConditionState


class Actuator(Protocol):
    """One mode. It says what is to be written, and does no I/O: the plan writer carries all of it out.

    It brings children, or a number of replicas to set, or neither. What it brings no more is deleted.
    """

    @property
    def mode(self) -> str:
        """The value of `scaling.mode`."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Kinds of its children beyond those of every endpoint: watched, pruned, and rights that the operator needs."""

    def rival(self, view: Gathered) -> ConditionState | None:
        """Return ScalingActive where another writer does what this one would; then nothing is decided."""

    def children(self, endpoint: LLMEndpoint, decision: Decision | None) -> Children:
        """Return the objects that carry decisions out; `decision` is None where none can be made now."""

    def replicas(self, view: Gathered, decision: Decision) -> ReplicaWrite | None:
        """Return the number of replicas to set; None where it is set already, or another controller sets it."""

    def state(self, view: Gathered, decision: Decision) -> ConditionState:
        """Return ScalingActive after a decision."""
