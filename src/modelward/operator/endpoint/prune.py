"""Removes children that their endpoint no longer needs, such as the gateway after a change of mode."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from modelward.desired.finding import Finding
from modelward.kube.errors import Conflict, Forbidden, Invalid
from modelward.kube.kinds import Object, kind_of
from modelward.operator.endpoint.apply import Problem
from modelward.operator.endpoint.plan import EndpointPlan, label, pruned
from modelward.operator.endpoint.precondition import Precondition
from modelward.operator.runtime.context import Context
from modelward.reasons.accepted import AcceptedReason

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pruner:
    """Deletes by uid and version what is owned and not wanted; never the workload of a model."""

    context: Context

    async def remove(self, todo: EndpointPlan, basis: Precondition) -> tuple[Problem, ...]:
        """Delete what the object of the basis owns and the plan does without; return what may not be deleted."""
        owned = self.context.store.owned_by(basis.seen["metadata"]["uid"])
        problems = [await self._remove(obj, basis) for obj in pruned(todo, owned)]
        return tuple(problem for problem in problems if problem is not None)

    async def _remove(self, obj: Object, basis: Precondition) -> Problem | None:
        metadata, named = obj["metadata"], label(obj)
        await basis.confirm()
        try:
            await self.context.client.delete(
                kind_of(obj),
                metadata["namespace"],
                metadata["name"],
                uid=metadata["uid"],
                resource_version=metadata["resourceVersion"],
            )
        except Conflict as error:  # changed since we looked
            log.info("not_removed=%s error=%r", named, error.message[:200])
            return None
        except (Forbidden, Invalid) as error:  # a ValidatingAdmissionPolicy answers 422
            why = f"{named} is no longer needed and cannot be deleted: {error.message}"[:900]
            return Problem(named, Finding(AcceptedReason.REFUSED, why))
        log.info("removed=%s namespace=%s", named, metadata["namespace"])
        return None
