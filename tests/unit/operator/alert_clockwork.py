"""The operator's own parts from a pod's metrics page to a receiver, in virtual time and with the timing that ships.

Real are the reading of pages in rounds, verdicts, status, the state machine of alerts and its delivery, over a fake API
server. No program's own time is in it: what a loaded machine adds comes on top.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any, cast

from alert_bench import OwnedStatusApi
from merging_api import MergingApi

from modelward.alerts.message import AlertMessage
from modelward.alerts.receiver import Addressee, Answered, Told
from modelward.api.alert_receivers import PlatformReceiver
from modelward.desired import names
from modelward.kube.kinds import DEPLOYMENT
from modelward.metrics.collector_page import snapshot_from_collector
from modelward.metrics.exposition import parse
from modelward.metrics.snapshot import Snapshot
from modelward.operator.runtime import assembly
from modelward.operator.runtime.alert_settings import AlertSettings
from modelward.scrape.pages import PageTarget, Scraper

API = "modelward.dev/v1alpha1"
START_MS = 1_795_480_000_000
PER_S = 10
"""Requests a second."""
_OBJECTIVE = {"name": "errors", "metric": "ErrorRate", "maxRate": "1%", "severity": "Critical"}
_ALERTS = {"receivers": [{"name": "sre", "shared": "sre"}]}
_PAGE = """\
modelward_requests_started_total{{revision="r"}} {every}
modelward_requests_in_flight{{revision="r"}} 1
modelward_requests_total{{model="m",revision="r",operation="chat",code="200",outcome="ok"}} {good}
modelward_requests_total{{model="m",revision="r",operation="chat",code="500",outcome="error"}} {bad}
modelward_collector_info{{version="0.1.0"}} 1
modelward_engine_up 1
"""


class WholeApi(OwnedStatusApi, MergingApi):
    """Merges what is applied, and keeps apart what each manager applied to alerts."""


@dataclass
class Inbox:
    """The platform's receiver: when each message came, and what it was."""

    clock: Clockwork
    taken: list[tuple[int, AlertMessage]] = field(default_factory=list)

    async def deliver(self, message: AlertMessage, to: Addressee) -> Answered:  # noqa: ARG002 - the port's signature
        self.taken.append((self.clock.now_ms, message))
        return Told()


class Clockwork:
    """One endpoint with steady traffic, all of which fails from `fault_ms` on."""

    def __init__(self) -> None:
        self.api, self.inbox, self.now_ms, self.fault_ms = WholeApi(), Inbox(self), START_MS, 1 << 62
        sre = PlatformReceiver.model_validate({"name": "sre", "webhook": {"url": "https://hooks.example.com/sre"}})
        before = self.api.context
        settings = replace(before.settings, alerts=AlertSettings(receivers=(sre,)))
        self.round_ms = round(settings.scrape_interval_s * 1_000)
        context = replace(before, settings=settings, monotonic=lambda: self.now_ms / 1_000)
        self.operator = assembly.build(context, lambda: self.now_ms, self.inbox)
        self.alerts_at_ms = 1 << 62
        self._declare()

    async def scrape(self, target: PageTarget, before: Snapshot | None = None) -> Snapshot:  # noqa: ARG002
        """Return what the pod's page says now."""
        every = (self.now_ms - START_MS) // 1_000 * PER_S
        bad = max(0, self.now_ms - self.fault_ms) // 1_000 * PER_S
        page = _PAGE.format(every=every, good=every - bad, bad=bad)
        return snapshot_from_collector(parse(page.encode()), target.pod, self.now_ms)

    async def run(self, seconds: float, *, phase_ms: int = 0) -> None:
        """Let time pass, second by second; rounds of readings begin at the phase."""
        for _ in range(round(seconds)):
            self.now_ms += 1_000
            if (self.now_ms - START_MS - phase_ms) % self.round_ms < 1_000:
                await self.operator.endpoints.observer.round(cast("Scraper", self))
                await self._reconcile()
            if self.now_ms >= self.alerts_at_ms:
                await self._alerts()

    async def _reconcile(self) -> None:
        rows = self._rows()
        await self.operator.endpoints.reconcile("retail", "chat")
        if rows != self._rows():
            await self._alerts()

    async def _alerts(self) -> None:
        for _ in range(3):
            again_s = await self.operator.alerts.reconcile("retail")
            await asyncio.sleep(0)
        self.alerts_at_ms = self.now_ms + round(again_s * 1_000) if again_s is not None else 1 << 62

    def _rows(self) -> Any:
        return [row.get("state") for rows in self.api.rows.values() for row in rows]

    def _declare(self) -> None:
        about = {"name": "baseline", "namespace": "retail", "generation": 1}
        spec = {"endpointSelector": {}, "objectives": [_OBJECTIVE], "alerts": _ALERTS}
        self.api.put({"apiVersion": API, "kind": "MonitoringPolicy", "metadata": about, "spec": spec})
        container = {"name": "model", "image": "vllm:0"}
        template = {"port": 8000, "podTemplate": {"spec": {"containers": [container]}}}
        endpoint = {"name": "chat", "namespace": "retail", "generation": 1, "creationTimestamp": "2026-11-01T00:00:00Z"}
        backend = {"engine": "vllm", "backend": {"template": template}, "replicas": 1}
        self.api.put({"apiVersion": API, "kind": "LLMEndpoint", "metadata": endpoint, "spec": backend})
        running = {"name": names.COLLECTOR, "ready": True, "started": True, "state": {"running": {}}}
        status = {
            "phase": "Running",
            "podIP": "10.0.0.1",
            "conditions": [{"type": "Ready", "status": "True"}],
            "initContainerStatuses": [running],
            "containerStatuses": [{**running, "name": "model"}],
        }
        pod = {"initContainers": [{"name": names.COLLECTOR}], "containers": [{"name": "model"}]}
        named = {"namespace": "retail", "name": "chat-pod", "labels": dict(names.selector("chat", "model"))}
        self.api.put({"apiVersion": "v1", "kind": "Pod", "metadata": named, "spec": pod, "status": status})

    async def serving(self) -> None:
        """Let the endpoint be made, and its model server be ready."""
        await self.operator.endpoints.reconcile("retail", "chat")
        ready = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
        for workload in self.api.store.list(DEPLOYMENT):
            generation = workload["metadata"].get("generation")
            self.api.put({**workload, "status": {**ready, "observedGeneration": generation}})
        await self._reconcile()


async def told_after_s(phase_s: int, healthy_s: int = 300, most_s: int = 180) -> float | None:
    """Return the seconds from a fault, so long after a round of readings, to its message; None where none came."""
    clock = Clockwork()
    await clock.serving()
    await clock.run(healthy_s)
    assert clock.inbox.taken == []
    await clock.run(phase_s)
    clock.fault_ms = clock.now_ms
    for _ in range(most_s):
        await clock.run(1)
        if clock.inbox.taken:
            at_ms, message = clock.inbox.taken[0]
            assert [one.name for one in message.alerts] == ["Objective/errors"]
            return (at_ms - clock.fault_ms) / 1_000
    return None
