"""Removes children that their endpoint no longer needs, such as the gateway after a change of mode."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modelward.desired import names
from modelward.desired.children import Child
from modelward.desired.finding import Finding
from modelward.kube.errors import Conflict, Forbidden, Invalid
from modelward.kube.kinds import Object, kind_of
from modelward.operator.endpoint.apply import Problem, label
from modelward.operator.endpoint.precondition import Precondition
from modelward.operator.runtime.context import Context
from modelward.reasons.accepted import AcceptedReason

log = logging.getLogger(__name__)

_REMOVED = frozenset({"Deployment", "Service", "ConfigMap"})


@dataclass(frozen=True, slots=True)
class Pruner:
    """Deletes by uid and version what is owned and not wanted; never the workload of a model."""

    context: Context

    async def remove(self, wanted: Sequence[Child], basis: Precondition) -> tuple[Problem, ...]:
        """Delete what the object of the basis owns beside `wanted`; return what may not be deleted."""
        kept = {label(child.obj) for child in wanted}
        return await self._remove_all(lambda obj: label(obj) not in kept and not _is(obj, "model"), basis)

    async def remove_rehearsal(self, basis: Precondition) -> tuple[Problem, ...]:
        """Delete what was tried out for an adoption that cannot be any more."""
        return await self._remove_all(lambda obj: _is(obj, "rehearsal"), basis)

    async def _remove_all(self, which: Callable[[Object], bool], basis: Precondition) -> tuple[Problem, ...]:
        owned = self.context.store.owned_by(basis.seen["metadata"]["uid"])
        there = [obj for obj in owned if obj["kind"] in _REMOVED and not obj["metadata"].get("deletionTimestamp")]
        problems = [await self._remove(obj, basis) for obj in there if which(obj)]
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


def _is(obj: Object, workload: names.Component) -> bool:
    """Tell whether an object is the Deployment of that component."""
    return bool(obj["kind"] == "Deployment") and names.component(obj) == workload
