"""One endpoint from its pods' pages to its status, with nothing left out but the cluster.

Real are the scraper and its sockets, the observer, the scaler, verdicts and status. The objects are as the API server
would give them; the numbers of replicas that would be written are recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp
from waiting import PATIENCE_S

from modelward.api.llmendpoint import LLMEndpoint, LLMEndpointStatus
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired.installation import Installation
from modelward.desired.monitoring_plan import merge_policies
from modelward.kube.kinds import Object
from modelward.operator.endpoint.assess import assessed
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.endpoint.plan import EndpointPlan
from modelward.operator.endpoint.scale import Scaler
from modelward.operator.endpoint.view import HubEvidence, ReconcileView
from modelward.operator.observe.observer import Observer
from modelward.scrape.pages import PageTarget, Scraper
from modelward.status.endpoint import endpoint_status

NOON_MS = 1_790_000_000_000
DAY_MS = 86_400_000
NO_HUB = "no hub is configured; evaluations need one (hub.enabled in the chart)"
HOLD_MS = 120_000
_METADATA = {"name": "chat", "namespace": "retail", "uid": "u", "generation": 1, "resourceVersion": "1"}
_POLICY = {
    "metadata": {"name": "baseline", "namespace": "retail", "uid": "p", "generation": 1},
    "spec": {
        "endpointSelector": {},
        "objectives": [
            {"name": "errors", "metric": "ErrorRate", "maxRate": "20%", "over": "5m", "minRequests": 20},
            {
                "name": "first-token",
                "metric": "TimeToFirstToken",
                "percentile": 95,
                "maxDuration": "800ms",
                "over": "5m",
                "minRequests": 20,
            },
        ],
    },
}


@dataclass(slots=True)
class Scales:
    """The numbers of replicas that were asked for."""

    asked: list[int] = field(default_factory=list)


_INSTALLED = Installation("modelward.invalid/collector:0", "modelward.invalid/modelward:0")


class ObservedEndpoint:
    """An endpoint of some pods at given addresses, scaled by what is seen of them; time is what the test says."""

    def __init__(self, session: aiohttp.ClientSession, urls: Sequence[str], *, collectors: bool = False) -> None:
        self.now_ms = NOON_MS
        self.scales = Scales()
        self.observer = Observer(lambda _: None)
        self.timeout_s = PATIENCE_S
        self._session = session
        self._targets = tuple(_target(number, url, collectors) for number, url in enumerate(urls))
        self._known = _gathered([target.pod for target in self._targets], collectors)
        self._scaler = Scaler()

    @property
    def status(self) -> LLMEndpointStatus:
        """The status as it was last computed."""
        return self._known.endpoint.status

    @property
    def lowered(self) -> list[int]:
        """The numbers of replicas that were asked for below what there are."""
        return [asked for asked in self.scales.asked if asked < len(self._targets)]

    def condition(self, kind: str) -> tuple[str, str, str]:
        """Return status, reason and message of a condition."""
        return next((one.status, one.reason, one.message) for one in self.status.conditions if one.type == kind)

    async def read(self) -> None:
        """Go round once."""
        self.observer.watch(self._known.key, self._targets)
        await self.observer.round(Scraper(self._session, lambda: self.now_ms, timeout_s=self.timeout_s))

    async def judge(self) -> LLMEndpointStatus:
        """Do what one reconcile does after its children are written."""
        known, seen = self._known, self.observer.of(self._known.key)
        asked = merge_policies(known.endpoint, known.policies, {}, allow_raw=False)
        scaled = self._scaler.decide(known, seen, self.now_ms, EndpointPlan())
        if scaled.replicas is not None:
            self.scales.asked.append(scaled.replicas.replicas)
        look = ReconcileView(
            known, asked, (), self._targets, seen, scaled, HubEvidence(trouble=NO_HUB), self.now_ms, _INSTALLED
        )
        status = endpoint_status(known.endpoint, assessed(look), self.now_ms)
        object.__setattr__(known, "endpoint", known.endpoint.model_copy(update={"status": status}))
        return status

    async def step(self, later_ms: int = 15_000) -> LLMEndpointStatus:
        """Let time pass, read all pages, and judge."""
        self.now_ms += later_ms
        await self.read()
        return await self.judge()


def _target(number: int, url: str, collectors: bool) -> PageTarget:
    return PageTarget(f"chat-{number}", url, "vllm", "collector" if collectors else "engine")


def _gathered(pods: Sequence[str], collectors: bool) -> Gathered:
    spec = {
        "engine": "vllm",
        "backend": {"workloadRef": {"name": "my-vllm"}},
        "collector": {"mode": "Sidecar" if collectors else "ScrapeOnly"},
        "scaling": {
            "mode": "Direct",
            "minReplicas": 1,
            "maxReplicas": 8,
            "tokensPerSecond": 100,
            "scaleDownHold": f"{HOLD_MS // 1_000}s",
        },
    }
    endpoint = LLMEndpoint.model_validate({"metadata": _METADATA, "spec": spec})
    return Gathered(
        endpoint=endpoint,
        raw={"metadata": _METADATA},
        policies=(MonitoringPolicy.model_validate(_POLICY),),
        evaluators={},
        allow_raw=False,
        workload=_workload(len(pods)),
        pods=tuple(_pod(name) for name in pods),
        gateway=None,
        gateway_pods=(),
        autoscalers=(),
    )


def _workload(replicas: int) -> Object:
    labels = {"app": "my-vllm"}
    container = {"name": "server", "ports": [{"containerPort": 8000}]}
    return {
        "kind": "Deployment",
        "metadata": {"name": "my-vllm", "namespace": "retail", "uid": "d", "resourceVersion": "1"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
        "status": {"replicas": replicas, "readyReplicas": replicas},
    }


def _pod(name: str) -> Object:
    sidecar = {"name": "modelward-collector", "ready": True, "state": {}}
    return {
        "metadata": {"name": name, "labels": {"pod-template-hash": "r"}, "creationTimestamp": "2026-09-21T12:00:00Z"},
        "spec": {"containers": [{"name": "server"}], "initContainers": [{"name": "modelward-collector"}]},
        "status": {
            "phase": "Running",
            "podIP": "127.0.0.1",
            "conditions": [{"type": "Ready", "status": "True"}],
            "initContainerStatuses": [sidecar],
        },
    }
