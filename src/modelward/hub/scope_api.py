"""The part of the HTTP API that keeps what Jobs found of scopes."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from modelward.api.scope import is_scope_key, scope_facts_from_json
from modelward.hub.authorisation import Action
from modelward.hub.errors import HubError, bad_request
from modelward.hub.layout import is_namespace
from modelward.hub.requests import Permit, parsed_of
from modelward.hub.scopes import ScopeStore

_BODY_BYTES = 8 << 10


@dataclass(slots=True)
class ScopeApi:
    """The handlers; `permit` raises HubError 403 when the caller may not do something to a namespace."""

    scopes: ScopeStore
    permit: Permit

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/v1/scopes/{namespace}/{key}", self.get_scope)
        app.router.add_put("/v1/scopes/{namespace}/{key}", self.put_scope)

    async def get_scope(self, request: web.Request) -> web.Response:
        """Answer what was found of a scope; 404 where nothing is known."""
        data = await self.scopes.get(*await self._named(request, "read scope"))
        if data is None:
            raise HubError(404, "NotFound", "nothing is known of this scope")
        return web.Response(body=data, content_type="application/json")

    async def put_scope(self, request: web.Request) -> web.Response:
        """Store what was found of a scope."""
        namespace, key = await self._named(request, "put scope")
        facts = await parsed_of(request, _BODY_BYTES, scope_facts_from_json)
        await self.scopes.put(namespace, key, facts)
        return web.Response(status=204)

    async def _named(self, request: web.Request, action: Action) -> tuple[str, str]:
        namespace, key = request.match_info["namespace"], request.match_info["key"]
        await self.permit(request, action, namespace)
        if not is_namespace(namespace) or not is_scope_key(key):
            raise bad_request("not the name of a namespace and the key of a scope")
        return namespace, key
