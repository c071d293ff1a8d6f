"""Who writes replicas: the endpoint's number is followed, an autoscaler of somebody else's is never fought."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fake_api import FakeApi
from prometheus_client import CollectorRegistry

from modelward.desired.finding import Finding
from modelward.desired.installation import Installation
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.kube.errors import Conflict, Forbidden
from modelward.kube.kinds import LLM_ENDPOINT, Object
from modelward.metrics.histogram import Histogram
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot
from modelward.operator.consent import RawConsent
from modelward.operator.endpoint.carry_out import set_replicas
from modelward.operator.endpoint.gather import Gatherer
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.endpoint.plan import EndpointPlan, plan
from modelward.operator.endpoint.precondition import Precondition
from modelward.operator.endpoint.reconcile import EndpointReconciler
from modelward.operator.endpoint.scale import Scaled, Scaler
from modelward.operator.hub.feed import HubFeed
from modelward.operator.monitored import Monitored
from modelward.operator.observe.observer import Observation, Observer
from modelward.operator.observe.verdict_metrics import VerdictMetrics
from modelward.operator.runtime.installed import Installed
from modelward.reasons.accepted import AcceptedReason

NOW_MS = 1_795_480_000_000
API = "modelward.dev/v1alpha1"


class ScalerRig:
    """An endpoint `chat` that refers to the Deployment `my-vllm`."""

    def __init__(self) -> None:
        self.world = FakeApi()
        self.gatherer, self.scaler = Gatherer(self.world.context, RawConsent(self.world.context.client)), Scaler()
        self.now_ms = NOW_MS

    def endpoint(self, status: dict[str, Any] | None = None, **spec: Any) -> Object:
        about = {"name": "chat", "namespace": "retail", "uid": "u", "generation": 1}
        whole = {"backend": {"workloadRef": {"name": "my-vllm"}}, **spec}
        body = {"apiVersion": API, "kind": "LLMEndpoint", "metadata": about, "spec": whole}
        return self.world.put({**body, "status": status or {}})

    def workload(self, replicas: int = 1) -> None:
        container = {"name": "server", "ports": [{"containerPort": 8000}]}
        template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [container]}}
        about = {"name": "my-vllm", "namespace": "retail"}
        spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "x"}}, "template": template}
        self.world.put({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": about, "spec": spec})

    def autoscaler(self, kind: str, name: str) -> None:
        target = {"scaleTargetRef": {"kind": kind, "name": name}}
        self.world.listed = [{"metadata": {"name": "theirs"}, "spec": target}]

    async def known(self) -> Gathered:
        found = await self.gatherer.gather("retail", "chat", self.now_ms)
        assert found is not None
        return found

    async def scale(
        self,
        known: Gathered | None = None,
        seen: Observation | None = None,
        now_ms: int | None = None,
        todo: EndpointPlan | None = None,
    ) -> Scaled:
        """Plan, decide and write the replicas, as a reconcile does."""
        known = known or await self.known()
        todo = todo or plan(known, MonitoringPlan(), Installation("collector", "modelward"))
        found = self.scaler.decide(known, seen or Observation(), now_ms or self.now_ms, todo)
        write, client = todo.replicas or found.replicas, self.world.context.client
        basis = Precondition(self.world.context, LLM_ENDPOINT, known.raw)
        refused = await set_replicas(client, write, basis) if write is not None else None
        done = found if refused is None else found.refused(refused, known.endpoint.status.scaling)
        return replace(done, replicas=None)


@pytest.fixture
def desk() -> ScalerRig:
    return ScalerRig()


async def test_a_referenced_workload_follows_the_endpoints_number(desk: ScalerRig) -> None:
    desk.endpoint(replicas=3)
    desk.workload(1)
    assert await desk.scale() == Scaled()
    assert (desk.world.writes, desk.world.bodies) == ([("scale", "Deployment", "my-vllm")], [3])
    desk.workload(3)
    await desk.scale()
    assert len(desk.world.writes) == 1


async def test_a_spec_that_cannot_be_carried_out_scales_nothing(desk: ScalerRig) -> None:
    desk.endpoint(replicas=3, scaling={"mode": "Direct", "minReplicas": 2, "maxReplicas": 2})
    desk.workload(1)
    found = await desk.scale(todo=EndpointPlan(blocked=Finding(AcceptedReason.TARGET_TAKEN, "")))
    assert found.state is not None
    assert (found.state.status, found.state.reason) == ("Unknown", "NotAccepted")
    assert desk.world.writes == []


async def test_where_nobody_declared_a_number_nothing_is_scaled(desk: ScalerRig) -> None:
    desk.endpoint()
    desk.workload(7)
    await desk.scale()
    assert desk.world.writes == []


async def test_a_paused_endpoint_scales_nothing(desk: ScalerRig) -> None:
    desk.endpoint(replicas=3, paused=True)
    desk.workload(1)
    await desk.scale()
    assert desk.world.writes == []


async def test_an_autoscaler_made_a_moment_ago_is_seen_before_anything_is_scaled(desk: ScalerRig) -> None:
    desk.endpoint(replicas=1)
    desk.workload(1)
    await desk.scale()
    desk.autoscaler("Deployment", "my-vllm")
    desk.workload(4)
    desk.now_ms += 1_000
    await desk.scale()
    assert desk.world.writes == []


async def test_a_refused_scaling_is_told_and_hides_nothing_else(desk: ScalerRig) -> None:
    desk.endpoint(replicas=3)
    desk.workload(1)
    desk.world.refusals["scale"] = Forbidden(403, "Forbidden", "policy says no")
    found = (await desk.scale()).state
    assert found is not None
    assert (found.status, found.reason) == ("False", "Refused")
    assert "policy says no" in found.message
    desk.world.refusals["scale"] = Conflict(409, "Conflict", "changed meanwhile")
    with pytest.raises(Conflict):
        await desk.scale()


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [("LLMEndpoint", "chat", "AnotherScaler"), ("Deployment", "my-vllm", "MultipleWriters")],
)
async def test_two_writers_are_named_and_ours_stands_back(desk: ScalerRig, kind: str, name: str, reason: str) -> None:
    desk.endpoint(scaling={"mode": "Direct", "maxReplicas": 4})
    desk.workload(9)
    desk.autoscaler(kind, name)
    found = (await desk.scale()).state
    assert found is not None
    assert (found.status, found.reason) == ("False", reason)
    assert "HorizontalPodAutoscaler theirs" in found.message
    assert desk.world.writes == []


async def test_an_autoscaler_of_something_else_is_no_concern(desk: ScalerRig) -> None:
    desk.endpoint(scaling={"mode": "Advisory", "maxReplicas": 4})
    desk.workload(1)
    desk.autoscaler("Deployment", "other")
    found = (await desk.scale()).state
    assert found is not None
    assert found.reason not in ("AnotherScaler", "MultipleWriters")


async def test_without_readings_replicas_are_held(desk: ScalerRig) -> None:
    desk.endpoint(scaling={"mode": "Direct", "maxReplicas": 4})
    assert (await desk.scale()).state is not None
    desk.workload(3)
    found = (await desk.scale()).state
    assert found is not None
    assert (found.status, found.reason) == ("Unknown", "HoldingOnStaleMetrics")
    assert desk.world.writes == []


def endpoints(desk: ScalerRig) -> EndpointReconciler:
    world = desk.world
    verdicts, feed = VerdictMetrics(CollectorRegistry()), HubFeed(lambda: desk.now_ms)
    installed, observer = Installed(world.context), Observer(lambda _: None)
    monitored = Monitored(world.store, RawConsent(world.context.client), EvaluatorCatalogue({}))
    return EndpointReconciler(world.context, installed, observer, feed, verdicts, monitored, lambda: desk.now_ms)


async def test_a_spec_that_cannot_be_read_is_refused_and_ready_says_so(desk: ScalerRig) -> None:
    old = {"type": "Ready", "status": "True", "reason": "Serving", "lastTransitionTime": "2026-11-24T00:00:00Z"}
    desk.endpoint({"health": "Healthy", "conditions": [old], "scaling": "of a later version"}, engine="of a later one")
    loop = endpoints(desk)
    assert await loop.reconcile("retail", "chat") is None
    status = (desk.world.store.get(LLM_ENDPOINT, "retail", "chat") or {})["status"]
    found = {one["type"]: (one["status"], one["reason"]) for one in status["conditions"]}
    assert found["Ready"] == found["Accepted"] == ("False", "InvalidSpec")
    accepted = next(one["message"] for one in status["conditions"] if one["type"] == "Accepted")
    assert accepted.startswith("spec.engine: ")
    assert "`modelward doctor`" in accepted, "the next step is named"
    assert status["scaling"] == "of a later version", "what else is known stays"
    await loop.reconcile("retail", "chat")
    assert desk.world.verbs("status") == (("status", "LLMEndpoint", "chat"),)


async def test_a_flip_is_told_once_and_a_quiet_endpoint_writes_nothing(desk: ScalerRig) -> None:
    desk.endpoint()
    loop = endpoints(desk)
    await loop.reconcile("retail", "chat")
    assert [reason for _, reason, _ in desk.world.verbs("event")] == ["NotAccepted"]
    desk.workload(1)
    desk.now_ms += 1_000
    await loop.reconcile("retail", "chat")
    assert [reason for _, reason, _ in desk.world.verbs("event")][1:] == ["Accepted"]
    writes = len(desk.world.writes)
    for _ in range(3):
        desk.now_ms += 1_000
        await loop.reconcile("retail", "chat")
    assert len(desk.world.writes) == writes


async def test_an_endpoint_that_is_gone_is_forgotten(desk: ScalerRig) -> None:
    gone = desk.endpoint()
    loop = endpoints(desk)
    assert await loop.reconcile("retail", "chat") == 45.0
    assert "chat" in await loop.monitored.in_namespace("retail", desk.now_ms)
    desk.world.store.remove(LLM_ENDPOINT, {**gone, "metadata": {**gone["metadata"], "resourceVersion": "999"}})
    assert await loop.reconcile("retail", "chat") is None
    assert await loop.monitored.in_namespace("retail", desk.now_ms) == {}


def page(at_ms: int, tokens_of: Signal) -> Snapshot:
    """Return a page of 60 requests a minute, one in ten of them over a tenth of a second by `tokens_of`."""
    requests = (at_ms - NOW_MS) / 1_000
    whole = Histogram((0.1, 0.2), (0.9 * requests, requests), 0.0, requests)
    counts = {SignalKey(signal): requests for signal in (Signal.REQUESTS, Signal.INPUT_TOKENS, Signal.OUTPUT_TOKENS)}
    return Snapshot("a", at_ms, "engine", {SignalKey(Signal.IN_FLIGHT): 1.0}, counts, {SignalKey(tokens_of): whole})


POD = {
    "metadata": {"name": "a", "labels": {"pod-template-hash": "r"}},
    "spec": {"containers": [{"name": "server"}]},
    "status": {
        "phase": "Running",
        "podIP": "127.0.0.1",
        "conditions": [{"type": "Ready", "status": "True"}],
    },
}


@pytest.mark.parametrize(
    ("objective", "measured", "reason"),
    [
        ({"timePerOutputToken": "100ms"}, Signal.TPOT, "SlowTokens"),
        ({"timePerOutputToken": "100ms", "attainment": "90%"}, Signal.TPOT, "Steady"),
        ({"timePerOutputToken": "100ms"}, Signal.TTFT, "Steady"),
        ({"timeToFirstToken": "100ms"}, Signal.TTFT, "SlowFirstToken"),
        ({"timeToFirstToken": "100ms", "attainment": "90%"}, Signal.TTFT, "Steady"),
    ],
)
async def test_each_field_of_the_objective_is_acted_on(
    desk: ScalerRig, objective: dict[str, str], measured: Signal, reason: str
) -> None:
    scaling = {"mode": "Advisory", "maxReplicas": 4, "tokensPerSecond": 2, "objective": objective}
    desk.endpoint(engine="vllm", scaling=scaling)
    desk.workload(1)
    known, seen = await desk.known(), Observation()
    serving = {**(known.workload or {}), "status": {"readyReplicas": 1}}
    known = replace(known, pods=(POD,), workload=serving)
    found = Scaled()
    for at_ms in range(NOW_MS, NOW_MS + 240_001, 15_000):
        seen.history.add(page(at_ms, measured))
        found = await desk.scale(known, seen, at_ms)
    assert found.status is not None
    assert (found.status.reason, found.status.desired) == (reason, 1 if reason == "Steady" else 2)


async def test_replicas_that_were_just_raised_are_held_while_the_workload_still_says_the_old_number(
    desk: ScalerRig,
) -> None:
    desk.endpoint(engine="vllm", replicas=6, scaling={"mode": "Direct", "maxReplicas": 8, "tokensPerSecond": 1})
    desk.workload(2)
    known, seen = await desk.known(), Observation()
    assert known.workload is not None
    known = replace(known, pods=(POD,), workload={**known.workload, "status": {"readyReplicas": 2}})
    for at_ms in (NOW_MS, NOW_MS + 60_000):
        seen.history.add(page(at_ms, Signal.TPOT))
    found = await desk.scale(known, seen, NOW_MS + 60_000)
    assert found.status is not None
    assert (found.status.desired, found.status.reason) == (6, "ScaleDownHold")
    assert ("scale", "LLMEndpoint", "chat") not in desk.world.writes


async def test_a_bound_of_no_time_that_was_stored_before_it_was_refused_is_none(desk: ScalerRig) -> None:
    objective = {"timeToFirstToken": "0s", "timePerOutputToken": "0m0s"}
    desk.endpoint(engine="vllm", scaling={"mode": "Direct", "maxReplicas": 8, "objective": objective})
    desk.workload(1)
    known, seen = replace(await desk.known(), pods=(POD,)), Observation()
    for at_ms in range(NOW_MS, NOW_MS + 240_001, 15_000):
        seen.history.add(page(at_ms, Signal.TTFT))
        found = await desk.scale(known, seen, at_ms)
        assert found.status is not None
        assert found.status.reason in ("NoTokenCounts", "LearningCapacity")


async def test_a_restart_remembers_what_a_replica_carries(desk: ScalerRig) -> None:
    status = {"revision": "r", "scaling": {"desired": 1, "capacity": "1 tok/s (Learned)"}}
    desk.endpoint(status, engine="vllm", scaling={"mode": "Direct", "maxReplicas": 8})
    desk.workload(1)
    known, seen = replace(await desk.known(), pods=(POD,)), Observation()
    for at_ms in (NOW_MS, NOW_MS + 60_000):
        seen.history.add(page(at_ms, Signal.TPOT))
    found = await desk.scale(known, seen, NOW_MS + 60_000)
    assert found.status is not None
    assert (found.status.desired, found.status.capacity) == (2, "1 tok/s (Learned)")
    assert ("scale", "LLMEndpoint", "chat") in desk.world.writes
