"""The part of the HTTP API that is not about samples coming and going: keys, erasures, and the audit of both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson
from aiohttp import web

from modelward.api.origin import LONGEST_S, ORIGINS, signed_mark
from modelward.hub.audit import AuditLog, record_to_json
from modelward.hub.calibrations import CalibrationStore
from modelward.hub.erasure import audited, counted, erase, target_from_json
from modelward.hub.errors import bad_request
from modelward.hub.history.store import HistoryStore
from modelward.hub.keys import RENEW_AFTER_S, KeyRing
from modelward.hub.layout import is_namespace
from modelward.hub.people.labels import PeopleLabels
from modelward.hub.requests import Permit, body_of, integer_of, json_answer
from modelward.hub.results import ResultStore
from modelward.hub.scopes import ScopeStore
from modelward.hub.scores import ScoreStore
from modelward.hub.store import ExchangeStore

_BODY_BYTES = 64 << 10
_NAME_CHARACTERS = 100


@dataclass(slots=True)
class Administration:
    """The handlers and what they work on.

    `permit` raises HubError 403 when the caller may not do something to a namespace, and returns who that is. `flush`
    stores what was accepted and is not stored yet.
    """

    store: ExchangeStore
    results: ResultStore
    scores: ScoreStore
    scopes: ScopeStore
    calibrations: CalibrationStore
    history: HistoryStore
    keys: KeyRing
    audit: AuditLog
    labels: PeopleLabels
    permit: Permit
    flush: Callable[[], Awaitable[None]]

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
        try:
            data = orjson.loads(await body_of(request, _BODY_BYTES))
        except (ValueError, RecursionError) as error:
            raise bad_request("the body is not JSON") from error
        target = target_from_json(data)
        keys = self.keys.all(target.namespace)
        if data.get("dryRun"):
            return json_answer({"exchanges": await counted(self.store, target, keys)})
        done = await erase(self.store, self.results, self.scores, self.labels, target, keys, self.flush)
        if target.whole_namespace:
            await self.scopes.erase(target.namespace)
            await self.calibrations.erase(target.namespace)
            await self.history.purge(target.namespace)
        by = str(data.get("by") or "")[:_NAME_CHARACTERS]
        recorded = await self.audit.add(who, "erase", audited(target, keys), done.exchanges, by)
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
