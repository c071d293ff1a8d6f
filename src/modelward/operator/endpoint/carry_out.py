"""Carries a plan out: its children in order, then what goes, then replicas; each on the objects that it was made of."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelward.desired.finding import Finding
from modelward.desired.names import SCALE_MANAGER
from modelward.kube.client import Client
from modelward.kube.errors import Forbidden, Invalid, NotFound
from modelward.kube.kinds import LLM_ENDPOINT
from modelward.operator.endpoint.apply import ChildWriter, Problem
from modelward.operator.endpoint.plan import EndpointPlan
from modelward.operator.endpoint.precondition import Precondition
from modelward.operator.endpoint.prune import Pruner
from modelward.operator.endpoint.replica_write import ReplicaWrite
from modelward.operator.runtime.context import Context
from modelward.reasons.scaling import ScalingReason

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PlanResult:
    """What became of a plan: what of it could not be put in place, and why replicas could not be set."""

    problems: tuple[Problem, ...] = ()
    unscaled: Finding | None = None


class PlanWriter:
    """Writes plans; whoever decides holds no client."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._children = ChildWriter(context)
        self._pruner = Pruner(context)

    async def apply(self, todo: EndpointPlan, owner: Mapping[str, Any], basis: Precondition) -> tuple[Problem, ...]:
        """Apply the children. Raises Conflict where what the plan was made of has changed, and every other ApiError."""
        blocked = (Problem("", todo.blocked),) if todo.blocked is not None else ()
        return (*blocked, *await self._children.write(todo.apply, owner, basis))

    async def finish(self, todo: EndpointPlan, problems: tuple[Problem, ...], basis: Precondition) -> PlanResult:
        """Delete what is no longer needed and set replicas, once the children are applied. Raises likewise."""
        if todo.blocked is not None or not problems:  # what is in place goes only when what follows it is
            problems = (*problems, *await self._pruner.remove(todo, basis))
        unscaled = await set_replicas(self._client, todo.replicas, basis) if todo.replicas is not None else None
        return PlanResult(problems, unscaled)


async def set_replicas(client: Client, write: ReplicaWrite, basis: Precondition) -> Finding | None:
    """Set replicas, on that version of the object alone; return why that is refused. Raises Conflict of another."""
    if write.kind != basis.kind:  # else its version says the same
        await basis.confirm()
    place = (write.kind, write.namespace, write.name)
    version = write.resource_version
    try:
        await client.set_scale(*place, write.replicas, resource_version=version, manager=SCALE_MANAGER)
    except (Forbidden, Invalid, NotFound) as error:
        named = "" if write.kind == LLM_ENDPOINT else f"{write.kind.kind} {write.name} "
        return Finding(ScalingReason.REFUSED, f"scaling {named}to {write.replicas}: {error.message}"[:600])
    if write.reason:
        where = f"{write.namespace}/{write.name}"
        log.info("scaled=%s replicas=%s reason=%s why=%r", where, write.replicas, write.reason, write.why)
    return None
