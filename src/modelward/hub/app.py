"""The hub's HTTP API: exchanges in, windows out, results both ways."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import cache

import orjson
from aiohttp import web

from modelward.api.evaluation import result_from_json
from modelward.api.exchange import exchange_to_json
from modelward.api.history import health_to_json
from modelward.hub.administration import Administration
from modelward.hub.admission import Gate, Handler, caller_of, send
from modelward.hub.audit import AuditLog
from modelward.hub.authorisation import Action, Authority, Caller
from modelward.hub.budgets import Budgets
from modelward.hub.buffer import WriteBuffer, compress
from modelward.hub.calibration_api import CalibrationApi
from modelward.hub.calibrations import CalibrationStore
from modelward.hub.claims import Claims
from modelward.hub.eraser import Eraser
from modelward.hub.erasure import without_erased
from modelward.hub.errors import HubError, bad_request, too_large
from modelward.hub.gone import GoneNamespaces
from modelward.hub.gone_api import GoneApi
from modelward.hub.history.api import HistoryApi
from modelward.hub.history.store import HistoryStore
from modelward.hub.index import Holding
from modelward.hub.ingest import FUTURE_MS, Batch, read_batch
from modelward.hub.keys import KeyRing
from modelward.hub.layout import result_key
from modelward.hub.metrics import HubMetrics
from modelward.hub.people.people import People
from modelward.hub.requests import body_of, integer_of, json_answer, json_of, names_of, parsed_of
from modelward.hub.results import ResultStore, key_of
from modelward.hub.rules_format import asked_from_json
from modelward.hub.scope_api import ScopeApi
from modelward.hub.scopes import ScopeStore
from modelward.hub.score_api import ScoreApi
from modelward.hub.scores import ScoreStore
from modelward.hub.settings import HubSettings
from modelward.hub.shares import NamespaceUse
from modelward.hub.spending import Spending
from modelward.hub.store import ExchangeStore
from modelward.hub.strangers import Strangers
from modelward.hub.turns import Turns
from modelward.privacy.identifiers import exchange_names

log = logging.getLogger(__name__)
BY_HAND = "by hand"
NDJSON = "application/x-ndjson"
WINDOW_LIMIT = 2_000


@dataclass(slots=True)
class Api:
    """The handlers and what they work on."""

    settings: HubSettings
    store: ExchangeStore
    results: ResultStore
    scopes: ScopeStore
    buffer: WriteBuffer
    metrics: HubMetrics
    gate: Gate
    strangers: Strangers
    keys: KeyRing
    audit: AuditLog
    budgets: Budgets
    calibrations: CalibrationStore
    scores: ScoreStore
    claims: Claims
    history: HistoryStore
    people: People
    eraser: Eraser
    gone: GoneNamespaces
    _decoding: Turns

    def application(self) -> web.Application:
        """Return the aiohttp application; run it with `auto_decompress=False`: bodies are bounded here."""
        app = web.Application(
            middlewares=[self._errors, self._gate], client_max_size=max(self.settings.limits.body_bytes, 32 << 20)
        )
        endpoint = "{namespace}/{endpoint}"
        app.router.add_post("/v1/exchanges", self.post_exchanges)
        app.router.add_get(f"/v1/exchanges/{endpoint}/{{id:.+}}", self.get_exchange)
        app.router.add_get(f"/v1/windows/{endpoint}", self.get_window)
        app.router.add_put(f"/v1/results/{endpoint}/{{policy}}/{{evaluation}}/{{window}}", self.put_result)
        app.router.add_get(f"/v1/results/{endpoint}", self.get_results)
        app.router.add_get("/v1/results", self.get_results)
        app.router.add_get("/v1/endpoints", self.get_endpoints)
        app.router.add_put("/v1/rules", self.put_rules)
        ScopeApi(self.scopes, self._permit).add_to(app)
        Administration(self.keys, self.audit, self.eraser, self._permit).add_to(app)
        GoneApi(self.gone, self._permit).add_to(app)
        known = self.store, self.scores, self.claims, self.keys, self.settings.limits, self.metrics
        ScoreApi(*known, self.strangers.admits, self._allows, self._permit).add_to(app)
        Spending(self.budgets, self._permit).add_to(app)
        CalibrationApi(self.calibrations, self._permit).add_to(app)
        HistoryApi(self.history, self.settings.limits, self.metrics.history_rows, self._permit).add_to(app)
        self.people.add_to(app, self._permit)
        return app

    async def post_exchanges(self, request: web.Request) -> web.Response:
        """Store a batch; 202 means stored, or counted as rejected."""
        caller = await self._caller(request)
        body = await body_of(request, self.settings.limits.body_bytes)
        self.metrics.received_bytes.inc(len(body))
        batch = await self._decode(body, request.headers.get("Content-Encoding", ""), caller)
        for reason, count in batch.rejected.items():
            self.metrics.exchanges.labels(reason).inc(count)
        with self.metrics.store_seconds.time():
            await self.buffer.store(batch.records)
        self.metrics.exchanges.labels("accepted").inc(len(batch.records))
        return json_answer({"accepted": len(batch.records), "rejected": batch.rejected.total()}, status=202)

    async def get_window(self, request: web.Request) -> web.Response:
        """Answer a fair sample of a window, oldest first; the header Modelward-Total says of how many."""
        endpoint = await self._endpoint(request, "read window")
        from_ms, to_ms = integer_of(request, "from"), integer_of(request, "to")
        limit = min(integer_of(request, "limit", WINDOW_LIMIT), self.settings.limits.window_exchanges)
        if from_ms >= to_ms or limit < 1:
            raise bad_request("from must be before to, and limit at least 1")
        exchanges, total = await self.store.window(endpoint, from_ms, to_ms, limit)
        body = await asyncio.to_thread(lambda: compress(orjson.dumps(exchange_to_json(e)) for e in exchanges))
        headers = {"Content-Encoding": "zstd", "Content-Type": NDJSON, "Modelward-Total": str(total)}
        return await send(request, web.Response(body=body, headers=headers))

    async def get_exchange(self, request: web.Request) -> web.Response:
        """Answer one exchange by its id, or by the one that the engine gave; the audit names who read it."""
        endpoint = await self._endpoint(request, "read exchange")
        who = await self._permit(request, "read exchange", request.match_info["namespace"])
        names = exchange_names(request.match_info["id"], self.keys.all(endpoint.partition("/")[0]))
        found = await self.store.exchange(endpoint, names)
        await self.audit.add(who, "read", f"{endpoint} exchange {found.id:.128}", 1)
        return json_answer(exchange_to_json(found))

    async def put_result(self, request: web.Request) -> web.Response:
        """Store a window's result under the key in the path, which must be its own."""
        endpoint = await self._endpoint(request, "put result")
        result = await parsed_of(request, self.settings.limits.result_bytes, result_from_json)
        parts = request.match_info
        path = f"results/{endpoint}/{parts['policy']}/{parts['evaluation']}/{parts['window']}.json"
        key = key_of(result)
        if result_key(path) != key or key.from_ms >= key.to_ms:
            raise bad_request("the path must be the result's own namespace, endpoint, policy, evaluation and window")
        await self.results.put(without_erased(result, self.store.rules.of(endpoint).erased))
        self.history.note(result)
        self.metrics.results.inc()
        return web.Response(status=204)

    async def get_results(self, request: web.Request) -> web.Response:
        """Answer the results of windows that end at or after `since`, of one endpoint or of all.

        With `after` in pages: empty for the first, then the `next` of the one before. Without, in one bounded answer.
        """
        endpoint = await self._endpoint(request, "read results") if request.match_info else None
        if endpoint is None:
            await self._permit(request, "read results", "")
        since_ms, after = integer_of(request, "since", 0), request.query.get("after")
        if after is None:
            rows, following = await self.results.since(since_ms, endpoint), ""
        else:
            rows, following = await self.results.page(since_ms, after, endpoint)
        body = b'{"results":[' + b",".join(rows) + b'],"next":' + orjson.dumps(following) + b"}"
        return web.Response(body=body, content_type="application/json")

    async def get_endpoints(self, request: web.Request) -> web.Response:
        """Answer what is kept of each endpoint and namespace, and whether rules were put since the start."""
        await self._permit(request, "read endpoints", "")
        now_ms = self.store.clock_ms()
        rows = [self._row(held, now_ms) for held in self.store.index.holdings(now_ms + FUTURE_MS)]
        uses = [self._used(use) for use in self.store.shares.uses(self.results.cut_ms)]
        told = {"rulesAsked": self.store.asked, "hub": self.people.shown.id}
        more = {"history": health_to_json(self.history.health), "askedNamespaces": self.gone.asked}
        return json_answer({"endpoints": rows, "namespaces": uses, **told, **more})

    def _used(self, use: NamespaceUse) -> dict[str, object]:
        cut_ms = self.results.cut_ms.get(use.namespace)
        row = {"namespace": use.namespace, "bytes": use.bytes, "shareBytes": use.share, "full": use.full}
        return {**row, **({"resultsCutMs": cut_ms} if cut_ms else {})}

    def _row(self, held: Holding, now_ms: int) -> dict[str, object]:
        late = [[one.first_ms, one.last_ms, one.at_ms] for one in self.store.late.of(held.endpoint, now_ms)]
        return {
            "endpoint": held.endpoint,
            "exchanges": held.exchanges,
            "oldestMs": held.oldest_ms,
            "newestMs": held.newest_ms,
            **({"late": late} if late else {}),
        }

    async def put_rules(self, request: web.Request) -> web.Response:
        """Replace all rules; in force when this answers. Rows that cannot be read change nothing, and are named."""
        await self._permit(request, "put rules", "")
        data = await json_of(request, 32 << 20)
        asked = asked_from_json(data, self.store.rules.default)
        for name, cause in asked.refused.items():
            self.metrics.errors.labels("BadRule").inc()
            log.error("rule refused endpoint=%r cause=%r: what held before goes on to hold", name, cause)
        await self.store.set_rules(asked)
        await self.buffer.flush()  # what was let in under the rules before is then where the purge finds it
        if asked.refused:
            return json_answer({"refused": asked.refused})
        return web.Response(status=204)

    async def _decode(self, body: bytes, encoding: str, caller: Caller | None) -> Batch:
        namespace = caller.namespace if caller else ""
        key = await self.keys.newest(namespace) if caller else None
        async with self._decoding.of(namespace):
            while True:
                rules = self.store.rules
                batch = await asyncio.to_thread(
                    read_batch,
                    body,
                    encoding,
                    self.settings.limits,
                    rules,
                    self.store.clock_ms(),
                    lambda namespace: self._allows(caller, "post exchanges", namespace),
                    key,
                    cache(self.strangers.admits),
                )
                if rules is self.store.rules:  # else they may have been tightened since
                    return batch

    async def _caller(self, request: web.Request) -> Caller | None:
        return caller_of(request)

    def _allows(self, caller: Caller | None, action: Action, namespace: str) -> bool:
        s = self.settings
        authority = Authority(s.namespace, s.operator_account, s.evaluator_account)
        return caller is None or authority.allows(caller, action, namespace)

    async def _permit(self, request: web.Request, action: Action, namespace: str) -> str:
        caller = await self._caller(request)
        if not self._allows(caller, action, namespace):
            log.warning("refused caller=%r action=%r namespace=%r", str(caller), action, namespace)
            raise HubError(403, "Forbidden", f"{caller} may not {action} of {namespace or 'all namespaces'}")
        if action == "read window":  # the audit names an exchange by the id under which it is kept
            log.info("read caller=%r action=%r path=%r", str(caller), action, request.path)
        return str(caller or BY_HAND)

    async def _endpoint(self, request: web.Request, action: Action) -> str:
        return "/".join(await names_of(request, self._permit, action))

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        return await self.gate.through(request, handler)

    @web.middleware
    async def _errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        route = request.match_info.handler
        action = getattr(route, "__name__", "unknown")
        try:
            response = await handler(request)
        except HubError as error:
            self.metrics.errors.labels(error.code).inc()
            response = error_response(error)
        except web.HTTPRequestEntityTooLarge:
            response = error_response(too_large("the body is too large; send less at once"))
        except ConnectionError:
            raise
        except web.HTTPException as error:
            response = error_response(HubError(error.status, error.reason.replace(" ", ""), error.reason))
        except Exception:
            log.exception("request failed action=%s", action)
            self.metrics.errors.labels("Internal").inc()
            response = error_response(HubError(500, "Internal", "the hub failed; its log says how"))
        self.metrics.requests.labels(action, str(response.status)).inc()
        return response


def error_response(error: HubError) -> web.Response:
    """Return the error as every client of the hub gets it."""
    response = json_answer({"error": {"code": error.code, "message": str(error)}}, status=error.status)
    if error.retry_after_s:
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response
