"""Builds the operator's reconciler and the loops beside it: reading metrics, asking the hub, looking for its key."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp

from modelward.clock import now_ms
from modelward.desired import names
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.desired.target import references
from modelward.hub_client.client import HubClient
from modelward.job.installed import catalogue
from modelward.kube.certificate import CONFIG_MAP_NAME
from modelward.kube.errors import ApiError
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, MONITORING_POLICY, POD, STATEFUL_SET
from modelward.kube.store import Store
from modelward.operator.alerts.platform_sender import DeliveryPort
from modelward.operator.alerts.reconcile import AlertReconciler
from modelward.operator.cache import models
from modelward.operator.calibrations import CalibrationReconciler
from modelward.operator.consent import RawConsent
from modelward.operator.endpoint.orphans import OrphanReconciler
from modelward.operator.endpoint.reconcile import EndpointReconciler
from modelward.operator.hub.budgets import BudgetFeed, terms_now
from modelward.operator.hub.feed import HubFeed
from modelward.operator.hub.namespaces import NamespaceCheck
from modelward.operator.hub.rules import HubRules
from modelward.operator.hub.shown import ShownFeed
from modelward.operator.hub.silences import AskedSilences
from modelward.operator.minutes.outbox import Outbox
from modelward.operator.minutes.recorder import MinuteRecorder
from modelward.operator.monitored import Monitored
from modelward.operator.notify.port import platform_port
from modelward.operator.observe.budget_metrics import BudgetMetrics
from modelward.operator.observe.endpoint_metrics import EndpointMetrics
from modelward.operator.observe.observer import Observer
from modelward.operator.policies import PolicyReconciler
from modelward.operator.runs.reconcile import RunReconciler
from modelward.operator.runtime.context import Context
from modelward.operator.runtime.dispatch import Dispatcher
from modelward.operator.runtime.installed import Installed
from modelward.operator.runtime.news import carried_out
from modelward.operator.runtime.work_queue import Lane, WorkKey
from modelward.scrape.pages import Scraper

log = logging.getLogger(__name__)

_HUB_EVERY_S = 5.0
_RECALL_EVERY_S = 30.0
TOKEN_FILE = Path("/var/run/modelward/token")


def build(context: Context, clock_ms: Callable[[], int] = now_ms, port: DeliveryPort | None = None) -> Dispatcher:
    """Put the reconciler together; nothing runs yet. The clock gives Unix milliseconds.

    `port` takes the place of what sends to the platform's receivers.
    """
    models.forget_gone(context.store)
    _prepare(context.store)
    series = EndpointMetrics(context.telemetry.registry)
    installed = Installed(context)
    consent = RawConsent(context.client)
    feed = _feed(context, consent, clock_ms)
    BudgetMetrics(context.telemetry.registry, feed.budgets)
    observer = Observer(partial(_read, context))
    evaluators = catalogue().within(context.settings.allowed_hosts)
    monitored = Monitored(context.store, consent, evaluators)

    def asked(namespace: str) -> Awaitable[Mapping[str, MonitoringPlan]]:
        return monitored.in_namespace(namespace, clock_ms())

    alerts = AlertReconciler(context, installed, port or _platform(context), clock_ms)
    recorder = _recorder(context, series, feed, observer, clock_ms)
    return Dispatcher(
        context,
        EndpointReconciler(context, installed, observer, feed, series, monitored, clock_ms),
        PolicyReconciler(
            context,
            evaluators,
            asked,
            clock_ms,
            feed.stored_of,
            feed.scopes.of,
            feed.budgets.of,
            feed.windows,
            CalibrationReconciler(context, installed, feed.calibrations.of),
            series.spend,
            lambda: feed.history,
        ),
        RunReconciler(context, installed, feed, asked, clock_ms),
        OrphanReconciler(context, series.verdicts),
        alerts,
        BackgroundLoops(context, installed, feed, observer, recorder, alerts.recall),
    )


def _feed(context: Context, consent: RawConsent, clock_ms: Callable[[], int]) -> HubFeed:
    """Return the feed of what the hub knows; it has no hub yet."""
    return HubFeed(
        clock_ms,
        budgets=BudgetFeed(partial(terms_now, context.store)),
        shown=ShownFeed(context.store, context.unseen),
        silences=AskedSilences(context.client, context.store),
        namespaces=NamespaceCheck(context.client, clock_ms),
        rules=HubRules(context.store, consent.last).now,
        unseen=context.unseen,
        exists=partial(_exists, context),
        skipped=_skipping(context),
    )


def _platform(context: Context) -> DeliveryPort:
    settings = context.settings
    return platform_port(settings.alerts, settings.pod.env)


@dataclass(slots=True)
class BackgroundLoops:
    """What goes on beside reconciling while this process leads."""

    context: Context
    installed: Installed
    feed: HubFeed
    observer: Observer
    recorder: MinuteRecorder
    recall: Callable[[], Awaitable[None]]

    async def run(self) -> None:
        """Read metrics, ask the hub and look for its certificate until cancelled."""
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
            scraper = Scraper(session, now_ms)
            group.create_task(self.observer.run(scraper, self.context.settings.scrape_interval_s))
            group.create_task(self._follow_hub())
            group.create_task(self.recorder.run())
            group.create_task(self._recall())

    async def _recall(self) -> None:
        """Ask once for what an earlier leader left to be told of what is gone."""
        while True:
            try:
                return await self.recall()
            except ApiError as error:
                log.warning("alerts=not_recalled error=%r", error.message[:200])
                await asyncio.sleep(_RECALL_EVERY_S)

    async def _follow_hub(self) -> None:
        """Ask the hub every few seconds; a changed certificate or address means a new client and new ConfigMaps."""
        client: HubClient | None = None
        try:
            while True:
                changed = await self.installed.refresh()
                now = self.installed.now
                if changed:
                    self._wake_endpoints()
                if now.hub_url and (changed or client is None) and (now.hub_ca_pem or now.hub_url.startswith("http:")):
                    if client is not None:
                        await client.close()
                    client = _client(now.hub_url, now.hub_ca_pem, self.feed.skipped)
                    self.feed.hub = client
                for endpoint in await self._refreshed():
                    self.context.enqueue(_endpoint_key(endpoint), Lane.STATUS)
                for namespace in self.feed.scopes.news():
                    self._wake_policies(namespace)
                for namespace, evaluator in self.feed.calibrations.news():
                    self.context.enqueue(WorkKey("evaluator", namespace, evaluator), Lane.STATUS)
                await asyncio.sleep(_HUB_EVERY_S)
        finally:
            if client is not None:
                await client.close()

    async def _refreshed(self) -> frozenset[str]:
        """Refresh the feed. Whatever a hub may answer, the operator must not end over it."""
        try:
            return await self.feed.refresh()
        except Exception:
            log.exception("hub=not_refreshed")
            return frozenset()

    def _wake_policies(self, namespace: str) -> None:
        for _, name in self.context.store.names(MONITORING_POLICY, namespace):
            self.context.enqueue(WorkKey("policy", namespace, name), Lane.STATUS)

    def _wake_endpoints(self) -> None:
        for obj in self.context.store.list(LLM_ENDPOINT):
            metadata = obj["metadata"]
            self.context.enqueue(WorkKey("endpoint", metadata["namespace"], metadata["name"]), Lane.STATUS)


def _recorder(
    context: Context, series: EndpointMetrics, feed: HubFeed, observer: Observer, clock_ms: Callable[[], int]
) -> MinuteRecorder:
    counted = context.telemetry.history_rows_dropped
    outbox = Outbox(lambda reason, rows: counted.labels(reason=reason).inc(rows))
    return MinuteRecorder(series.minutes, observer, series.ledger, lambda: feed.hub, clock_ms, outbox)


def _prepare(store: Store) -> None:
    """Ask for each lookup while the store is empty: of thousands of objects it would take longer than a turn may."""
    store.lookup(LLM_ENDPOINT, references)
    for kind, label in ((POD, names.ENDPOINT), (POD, names.RUN), (DEPLOYMENT, names.ADOPTED_BY)):
        store.list(kind, "", {label: ""})
    store.list(STATEFUL_SET, "", {names.ADOPTED_BY: ""})


def _read(context: Context, endpoint: str) -> None:
    """Ask for an endpoint whose pages say something new; ahead of others where its status speaks of an older spec."""
    key = _endpoint_key(endpoint)
    obj = context.store.get(LLM_ENDPOINT, key.namespace, key.name)
    context.enqueue(key, Lane.STATUS if obj is None or carried_out(obj) else Lane.SPEC)


def _exists(context: Context, endpoint: str) -> bool:
    namespace, _, name = endpoint.partition("/")
    return context.store.get(LLM_ENDPOINT, namespace, name) is not None


def _skipping(context: Context) -> Callable[[str, int], None]:
    return lambda reason, number: context.telemetry.hub_rows_skipped.labels(reason=reason).inc(number)


def _client(url: str, pem: str, skipped: Callable[[str, int], None]) -> HubClient | None:
    """Return a client of the hub, or None where its certificate cannot be read: that must not end the operator."""
    try:
        return HubClient(url, pem or None, _token, skipped=lambda reason: skipped(reason, 1))
    except ssl.SSLError as error:
        log.error("hub_ca=broken config_map=%s error=%r", CONFIG_MAP_NAME, str(error))
        return None


def _endpoint_key(endpoint: str) -> WorkKey:
    namespace, _, name = endpoint.partition("/")
    return WorkKey("endpoint", namespace, name)


def _token() -> str:
    """Return the operator's projected token; read again each time, because kubelet rotates it."""
    try:
        return TOKEN_FILE.read_text().strip()
    except OSError:
        return ""
