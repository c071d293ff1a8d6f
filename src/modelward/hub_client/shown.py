"""Showing the hub the objects that people read of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelward.api.shown_object import ShownName
from modelward.hub_client.session import HubSession, decoded


@dataclass(frozen=True, slots=True)
class Telling:
    """A part of everything; after the `last` the hub forgets what none named, but nothing of `unseen` namespaces."""

    name: str
    last: bool
    unseen: Collection[str] = ()


class ShownRequests(HubSession):
    """What the operator shows."""

    async def put_objects(
        self,
        put: Sequence[Mapping[str, Any]],
        gone: Sequence[ShownName] = (),
        *,
        hub: str = "",
        telling: Telling | None = None,
    ) -> tuple[str, list[str]]:
        """Show changes to the hub of this id, or a part of everything to any; return its id and what it refused.

        HubUnavailableError with status 409 from another hub than that, which must be told everything.
        """
        body: dict[str, Any] = {
            "hub": hub,
            "put": put,
            "gone": [{"kind": one.kind, "namespace": one.namespace, "name": one.name} for one in gone],
        }
        if telling:
            body |= {"telling": telling.name, "last": telling.last, "unseen": sorted(telling.unseen)}
        answer = decoded(await self.ask("PUT", "/v1/objects", json=body))
        refused = answer.get("refused")
        return str(answer.get("hub", "")), [str(one) for one in refused] if isinstance(refused, list) else []
