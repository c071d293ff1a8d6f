"""One running hub: its listeners, its background work, and its orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from modelward.clock import now_ms
from modelward.hub import certificates
from modelward.hub.admission import Admission, Gate
from modelward.hub.app import Api
from modelward.hub.audit import AuditLog
from modelward.hub.authorisation import Caller
from modelward.hub.budgets import Budgets
from modelward.hub.buffer import WriteBuffer
from modelward.hub.calibrations import CalibrationStore
from modelward.hub.claims import Claims
from modelward.hub.clock_watch import ClockWatch
from modelward.hub.damage import Damage
from modelward.hub.eraser import Eraser
from modelward.hub.errors import HubError
from modelward.hub.gone import GoneNamespaces, gone_namespaces
from modelward.hub.health import HealthPages
from modelward.hub.history.export import HistoryExport, export_of
from modelward.hub.history.store import HistoryStore
from modelward.hub.history.upkeep import HistoryUpkeep
from modelward.hub.index import Index
from modelward.hub.keys import KeyRing
from modelward.hub.listener import Listener, Terms
from modelward.hub.metrics import HubMetrics
from modelward.hub.objects import ObjectStore
from modelward.hub.people.individual import Individual
from modelward.hub.people.people import People
from modelward.hub.repetition import RETRY_S, Repetition
from modelward.hub.results import ResultStore
from modelward.hub.rules import Rule, Rules
from modelward.hub.scopes import ScopeStore
from modelward.hub.scores import ScoreStore
from modelward.hub.settings import HubSettings, address
from modelward.hub.shares import Shares, size_of
from modelward.hub.signing_keys import REFRESH_S
from modelward.hub.store import PURGE_S, ExchangeStore
from modelward.hub.strangers import Strangers
from modelward.hub.tokens import TokenVerifier
from modelward.hub.turns import Turns
from modelward.hub.upkeep import join_crowded, purge, sweep

log = logging.getLogger(__name__)
Publish = Callable[[bytes], Awaitable[None]]
"""Makes the authority's certificate (PEM) known to callers; in a cluster: writes the ConfigMap modelward-hub-ca."""
SWEEP_S = 3_600.0
CROWDED_S = 300.0
FIRST_SWEEP_S = 60.0
"""How often what may no longer be kept is taken from the disk; gone within an hour is the promise."""
CERTIFICATE_CHECK_S = 600.0
PUBLISH_AGAIN_S = 300.0
GONE_S = 600.0
HISTORY_BEGIN_S, HISTORY_SEAL_S, HISTORY_TIDY_S, HISTORY_COPY_S = 3_600.0, 60.0, 3_600.0, 3_600.0
BY_HAND_ENDPOINTS = 1_000


@dataclass(slots=True)
class Hub:
    """Everything that one hub holds, put together from its settings."""

    settings: HubSettings
    publish: Publish | None = None
    clock_ms: Callable[[], int] = now_ms
    store: ExchangeStore = field(init=False)
    keys: KeyRing = field(init=False)
    audit: AuditLog = field(init=False)
    budgets: Budgets = field(init=False)
    calibrations: CalibrationStore = field(init=False)
    results: ResultStore = field(init=False)
    scores: ScoreStore = field(init=False)
    claims: Claims = field(init=False)
    scopes: ScopeStore = field(init=False)
    history: HistoryStore = field(init=False)
    buffer: WriteBuffer = field(init=False)
    metrics: HubMetrics = field(init=False)
    verifier: TokenVerifier | None = field(init=False)
    people: People = field(init=False)
    eraser: Eraser = field(init=False)
    gone: GoneNamespaces = field(init=False)
    loaded: bool = False
    ports: tuple[int, int] = (0, 0)
    """The API's and the health listener's real ports, once it runs; they differ from the settings' when those are 0."""
    _history_export: HistoryExport | None = field(init=False)
    _clock_watch: ClockWatch = field(init=False)
    _certificate_clock: ClockWatch = field(init=False)
    _tls: ssl.SSLContext | None = None
    _ca_pem: bytes = b""
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings, self._clock_watch = self.settings, ClockWatch(self.clock_ms)
        self._certificate_clock = ClockWatch(self.clock_ms)
        objects = ObjectStore(settings.store_url)
        # By hand there is no operator to bring rules, and the text is the hand's own.
        default = Rule() if settings.auth else Rule(content="Full")
        self.metrics = HubMetrics(lambda: self.buffer.bytes_held, lambda: float(self.store.index.size()))
        damage = Damage(objects, lambda kind, count: self.metrics.damaged.labels(kind).inc(count), self.clock_ms)
        index = Index()
        size = size_of(settings.store_url, settings.exchange_bytes, settings.namespace_share_bytes)
        shares = Shares(objects, index, size, self.metrics.trimmed.inc)
        rules = Rules(default=default)
        self.store = ExchangeStore(objects, settings.limits, rules, self.clock_ms, damage, shares, index)
        self.store.plain_ids = not settings.auth
        self.keys = KeyRing(objects, damage, self.clock_ms, self.store.longest_ms)
        self.audit = AuditLog(objects, damage, self.clock_ms)
        rule_of = lambda endpoint: self.store.rules.of(endpoint)  # noqa: E731, PLW0108  # rules are replaced whole
        self.scores = ScoreStore(objects, damage, rule_of, self.clock_ms)
        self.claims = Claims(self.clock_ms)
        self.budgets = Budgets(objects, damage, self.clock_ms)
        self.calibrations = CalibrationStore(objects, damage, self.clock_ms)
        self.results = ResultStore(
            objects, damage, self.clock_ms, lambda endpoint: self.store.rules.of(endpoint).created_ms
        )
        self.scopes = ScopeStore(objects, damage, self.clock_ms)
        self.history = HistoryStore(
            settings.history_place,
            self.clock_ms,
            lambda what: damage.found("history", what),
            self.metrics.history_trimmed.inc,
            self.metrics.show_history_state,
            prometheus=settings.history.prometheus,
        )
        self._history_export = export_of(self.history, settings.history_export_url)
        self.buffer = WriteBuffer(self.store.take, settings.limits)
        self.verifier = TokenVerifier(settings.api_server, settings.audience) if settings.auth else None
        kept = self.store, self.scores, self.keys, self.audit, self.history
        self.people = People(settings, *kept, self.verifier, self.results)
        stores = self.store, self.results, self.scores, self.scopes, self.calibrations, self.history, self.budgets
        self.eraser = Eraser(*stores, self.people.labels, self.keys, self.audit, self.buffer.flush)
        self.gone = gone_namespaces(self.eraser, settings.gone_keep_ms, self.metrics.gone_namespaces.inc)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Hub]:
        """Listen and work until left; then every post that was begun is stored and answered."""
        answers = HealthPages(self.metrics, lambda: self._tasks, self._missing).application()
        health = await self._listen(answers, self.settings.health_listen, None, set())
        await self._load()
        api = self._api()
        if self.settings.auth:
            await self.certify()
        self._tasks = [asyncio.create_task(work) for work in self._background()]
        main = await self._listen(api.application(), self.settings.listen, self._tls, api.gate.busy)
        self.ports = (main.port, health.port)
        settings = self.settings
        log.info("hub listening on=%s store=%s auth=%s", settings.listen, settings.shown_store, settings.auth)
        try:
            yield self
        finally:
            self.loaded = False
            self.buffer.hurry()
            await main.close()
            await self.buffer.flush()
            with contextlib.suppress(HubError):  # what is not stored counts as spent
                await self.budgets.flush()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self.history.close()
            await health.close()

    def _api(self) -> Api:
        limits = self.settings.limits
        admission = Admission(
            limits.request_bytes, limits.request_bytes // 4, limits.requests_of_namespace, limits.body_s, limits.send_s
        )
        turns = Turns(limits.parallel_ingests, limits.parallel_ingests // 2, limits.requests_of_namespace)
        gate = Gate(admission, self._verified)
        # Run by hand, there are no rules, so all endpoints are strangers.
        limit = limits.unruled_endpoints if self.settings.auth else BY_HAND_ENDPOINTS
        strangers = Strangers(lambda name: name in self.store.rules.by_endpoint, self.store.index.endpoints_of, limit)
        known = (self.settings, self.store, self.results, self.scopes, self.buffer, self.metrics, gate, strangers)
        others = self.keys, self.audit, self.budgets, self.calibrations, self.scores, self.claims, self.history
        return Api(*known, *others, self.people, self.eraser, self.gone, turns)

    async def _verified(self, request: web.Request) -> Caller | Individual | None:
        """Return who asks; None when everybody is believed."""
        return await self.people.who(request.headers.get("Authorization"))

    async def _load(self) -> None:
        """Read the store's names, again and again while it is away: a hub that guessed would forget its rules."""
        while not self.loaded:
            try:
                for part in (self.store, self.results, self.scopes, self.keys, self.audit, self.budgets):
                    await part.load()
                for one in (self.calibrations, self.scores, self.people.labels, self.gone):
                    await one.load()
                now_ms = self.clock_ms()
                self._clock_watch.begin(max(self.store.index.newest_ms(now_ms), self.results.newest_ms(now_ms)))
                self.loaded = True
            except HubError as error:
                self.metrics.errors.labels(error.code).inc()
                log.error("store not loaded cause=%r", str(error))
                await asyncio.sleep(RETRY_S)

    async def certify(self) -> None:
        """Make or renew certificates; connections made from now on see the new ones."""
        settings, first = self.settings, self._tls is None
        if not first and not self._certificate_clock.steady():
            return  # The clock has just jumped. What is still so at the next check is the time.
        made = await asyncio.to_thread(certificates.ensure, settings.state_dir, settings.namespace, datetime.now(UTC))
        if self._tls is None:
            self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self._tls.load_cert_chain(made.certificate_file, made.key_file)
        self._ca_pem = made.ca_pem
        if made.renewed:
            log.info("certificate renewed directory=%s", settings.state_dir)
            if not first:
                await self._publish()

    def _background(self) -> list[Coroutine[Any, Any, None]]:
        repeat = Repetition(self.metrics.errors.labels("Background").inc).repeat
        history = HistoryUpkeep(self.history, self.results, self._history_export)
        work = [
            self.buffer.run(),
            repeat(self.upkeep, FIRST_SWEEP_S, SWEEP_S),
            repeat(self.purge, FIRST_SWEEP_S, PURGE_S),
            repeat(self.join_crowded, CROWDED_S, CROWDED_S),
            repeat(self.gone.tidy, FIRST_SWEEP_S, GONE_S),
            repeat(history.begin, 0, HISTORY_BEGIN_S),
            repeat(history.seal, HISTORY_SEAL_S, HISTORY_SEAL_S),
            repeat(history.tidy, HISTORY_TIDY_S, HISTORY_TIDY_S),
            repeat(history.copy, HISTORY_COPY_S, HISTORY_COPY_S),
        ]
        if self.settings.auth:
            work.append(repeat(self.certify, CERTIFICATE_CHECK_S, CERTIFICATE_CHECK_S))
        if self.verifier:
            work.append(
                repeat(self.verifier.refresh, 0, REFRESH_S, lambda: bool(self.verifier and self.verifier.ready))
            )
        if self.publish and self.settings.auth:
            work.append(repeat(self._publish, 0, PUBLISH_AGAIN_S))
        return work

    async def _publish(self) -> None:
        if self.publish:
            await self.publish(self._ca_pem)

    async def upkeep(self) -> None:
        """Sweep, but not on the word of a clock in doubt: an hour later it is right again, or right."""
        if self._clock_watch.steady():
            await self.sweep()
        else:
            log.warning("sweep=put_off reason=clock_in_doubt seconds=%d", SWEEP_S)

    async def purge(self) -> None:
        """Take away what rules no longer let stand."""
        try:
            self.metrics.purged.inc(await purge(self.store))
        finally:
            await self.scores.drop_forbidden()
            await self.people.labels.drop_forbidden()
            await self.budgets.flush()

    async def join_crowded(self) -> None:
        """Join the small objects of endpoints that have too many."""
        await join_crowded(self.store)

    async def sweep(self) -> None:
        """Delete what is older than it may be kept."""
        swept = await sweep(self.store, self.results)
        await self.keys.tidy({name.partition("/")[0] for name in self.store.index.endpoints()})
        await self.audit.drop_old()
        ruled = {name.partition("/")[0] for name in self.store.rules.by_endpoint}
        await self.scopes.drop_old(ruled if self.store.asked else None)
        await self.budgets.tidy()
        await self.calibrations.drop_old()
        self.claims.drop_old()
        self.metrics.sweep_deleted.inc(swept.objects_deleted)

    def _missing(self) -> list[str]:
        missing = [] if self.loaded else ["the store is not loaded"]
        if self.verifier and not self.verifier.ready:
            missing.append("the cluster's signing keys are not known")
        return missing

    async def _listen(
        self, app: web.Application, listen: str, tls: ssl.SSLContext | None, busy: set[object]
    ) -> Listener:
        limits = self.settings.limits
        terms = Terms(*address(listen), tls, limits.connections, limits.head_s)
        return await Listener.started(app, terms, lambda reason: self.metrics.refused.labels(reason).inc(), busy)
