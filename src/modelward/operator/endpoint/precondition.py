"""What a reconcile rests on, verified before anything is written because of it."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.kube.errors import Conflict
from modelward.kube.kinds import Kind, Object
from modelward.operator.runtime.context import Context


@dataclass(slots=True)
class Precondition:
    """The object that declares what a reconcile does, as the store showed it.

    The store may show the past: after a start from an API server that lags, after a list from a cache. What a
    user no longer wants would then be carried out with the right versions of all else. One read for a reconcile that
    writes, none for one that does not.
    """

    context: Context
    kind: Kind
    seen: Object
    _confirmed: bool = False

    async def confirm(self) -> None:
        """Raise Conflict where the server has another object by now, or none; the store then knows what it has."""
        if self._confirmed:
            return
        metadata = self.seen["metadata"]
        now = await self.context.client.find(self.kind, metadata["namespace"], metadata["name"])
        if now is not None:
            self.context.store.put(self.kind, now)
        # Not the generation: annotations, and what status says was done, are decided by as well.
        if now is None or _identity(now) != _identity(self.seen):
            raise Conflict(409, "Outdated", f"{self.kind.kind} {metadata['name']} changed since it was read")
        self._confirmed = True


def _identity(obj: Object) -> tuple[str, str]:
    return obj["metadata"]["uid"], obj["metadata"]["resourceVersion"]
