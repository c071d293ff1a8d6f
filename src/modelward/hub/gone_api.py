"""The part of the HTTP API by which the operator says which namespaces the cluster has no longer."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from modelward.hub.errors import bad_request
from modelward.hub.gone import GoneNamespaces
from modelward.hub.requests import Permit, json_answer, object_of

_BODY_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class GoneApi:
    """The handler."""

    gone: GoneNamespaces
    permit: Permit

    def add_to(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_put("/v1/namespaces", self.put_namespaces)

    async def put_namespaces(self, request: web.Request) -> web.Response:
        """Take in what the API server says of namespaces: `{"gone": [...], "there": [...]}`."""
        await self.permit(request, "put namespaces", "")
        data = await object_of(request, _BODY_BYTES)
        gone, there = data.get("gone", ()), data.get("there", ())
        if not all(isinstance(rows, list) and all(isinstance(one, str) for one in rows) for rows in (gone, there)):
            raise bad_request('names of namespaces are wanted: {"gone": [...], "there": [...]}')
        await self.gone.tell(gone, there)
        return json_answer({})
