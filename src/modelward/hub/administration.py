"""The part of the HTTP API that is not about samples coming and going: keys, erasures, and the audit of both."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from modelward.api.origin import LONGEST_S, ORIGINS, signed_mark
from modelward.hub.audit import AuditLog, record_to_json
from modelward.hub.eraser import Eraser
from modelward.hub.erasure import counted, target_from_json
from modelward.hub.errors import bad_request
from modelward.hub.keys import RENEW_AFTER_S, KeyRing
from modelward.hub.layout import is_namespace
from modelward.hub.requests import Permit, integer_of, json_answer, json_of

_BODY_BYTES = 64 << 10
_NAME_CHARACTERS = 100


@dataclass(slots=True)
class Administration:
    """The handlers and what they work on."""

    keys: KeyRing
    audit: AuditLog
    eraser: Eraser
    permit: Permit

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/v1/keys/{namespace}", self.get_key)
        app.router.add_post("/v1/marks/{namespace}", self.post_mark)
        app.router.add_post("/v1/erasures", self.post_erasure)
        app.router.add_get("/v1/audit", self.get_audit)

    async def get_key(self, request: web.Request) -> web.Response:
        """Return the key by which collectors of a namespace hash ids and conversations, and when to ask again."""
        namespace = _namespace_of(request)
        await self.permit(request, "read key", namespace)
        key = await self.keys.newest(namespace)
        origins = [one.hex() for one in self.keys.origin_keys(namespace)]
        return json_answer({"key": key.hex(), "originKeys": origins, "renewAfterSeconds": RENEW_AFTER_S})

    async def post_mark(self, request: web.Request) -> web.Response:
        """Sign a mark for a run's traffic: that of one origin, for so many seconds."""
        namespace = _namespace_of(request)
        await self.permit(request, "sign mark", namespace)
        origin = next((known for known in ORIGINS if known == request.query.get("origin")), None)
        seconds = integer_of(request, "seconds", LONGEST_S)
        if origin is None or not 0 < seconds <= LONGEST_S:
            raise bad_request(f"origin must be one of {', '.join(ORIGINS)}, and seconds from 1 to {LONGEST_S}")
        expires_s = self.keys.clock_ms() // 1_000 + seconds
        return json_answer({"mark": signed_mark(origin, expires_s, await self.keys.signing(namespace))})

    async def post_erasure(self, request: web.Request) -> web.Response:
        """Erase, or count what would be erased with `dryRun`; `by` is the person who requested it, for the audit."""
        who = await self.permit(request, "erase", "")
        data = await json_of(request, _BODY_BYTES)
        target = target_from_json(data)
        if data.get("dryRun"):
            return json_answer({"exchanges": await counted(self.eraser.store, target, self.keys.all(target.namespace))})
        done, recorded = await self.eraser.erase(target, who, str(data.get("by") or "")[:_NAME_CHARACTERS])
        return json_answer({"exchanges": done.exchanges, "examples": done.examples, "recorded": recorded})

    async def get_audit(self, request: web.Request) -> web.Response:
        """Answer the records of the audit since a time, of one verb or of all."""
        await self.permit(request, "read audit", "")
        found = self.audit.since(integer_of(request, "since", 0), request.query.get("verb", ""))
        return json_answer({"records": [record_to_json(one) for one in found]})


def _namespace_of(request: web.Request) -> str:
    namespace = request.match_info["namespace"]
    if not is_namespace(namespace):
        raise bad_request("no name of a namespace")
    return namespace
