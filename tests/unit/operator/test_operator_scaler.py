"""Who writes replicas: the endpoint's number is followed, a foreign autoscaler is never fought."""

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
from modelward.operator.observe.endpoint_metrics import EndpointMetrics
from modelward.operator.observe.observer import Observation, Observer
from modelward.operator.runtime.installed import Installed
from modelward.reasons.accepted import AcceptedReason

NOW_MS = 1_795_480_000_000
API = "modelward.dev/v1alpha1"


class ScalerRig:
    """An endpoint `chat` that refers to the Deployment `my-vllm`."""

    def __init__(self) -> None:
        self.api = FakeApi()
        self.gatherer, self.scaler = Gatherer(self.api.context, RawConsent(self.api.context.client)), Scaler()
        self.now_ms = NOW_MS

    def endpoint(self, status: dict[str, Any] | None = None, **spec: Any) -> Object:
        about = {"name": "chat", "namespace": "retail", "uid": "u", "generation": 1}
        whole = {"backend": {"workloadRef": {"name": "my-vllm"}}, **spec}
        body = {"apiVersion": API, "kind": "LLMEndpoint", "metadata": about, "spec": whole}
        return self.api.put({**body, "status": status or {}})

    def workload(self, replicas: int = 1) -> None:
        container = {"name": "server", "ports": [{"containerPort": 8000}]}
        template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [container]}}
        about = {"name": "my-vllm", "namespace": "retail"}
        spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "x"}}, "template": template}
        self.api.put({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": about, "spec": spec})

    def autoscaler(self, kind: str, name: str) -> None:
        target = {"scaleTargetRef": {"kind": kind, "name": name}}
        self.api.listed = [{"metadata": {"name": "theirs"}, "spec": target}]

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
        write, client = todo.replicas or found.replicas, self.api.context.client
        basis = Precondition(self.api.context, LLM_ENDPOINT, known.raw)
        refused = await set_replicas(client, write, basis) if write is not None else None
        done = found if refused is None else found.refused(refused, known.endpoint.status.scaling)
        return replace(done, replicas=None)


@pytest.fixture
def rig() -> ScalerRig:
    return ScalerRig()


async def test_a_referenced_workload_follows_the_endpoints_number(rig: ScalerRig) -> None:
    rig.endpoint(replicas=3)
    rig.workload(1)
    assert await rig.scale() == Scaled()
    assert (rig.api.writes, rig.api.bodies) == ([("scale", "Deployment", "my-vllm")], [3])
    rig.workload(3)
    await rig.scale()
    assert len(rig.api.writes) == 1


@pytest.mark.parametrize(("declared", "follows"), [(299, 4), (1, 2), (3, 3)])
async def test_a_workload_follows_a_number_only_within_the_bounds_of_scaling(
    rig: ScalerRig, declared: int, follows: int
) -> None:
    rig.endpoint(replicas=declared, scaling={"mode": "Direct", "minReplicas": 2, "maxReplicas": 4})
    rig.workload(9)
    await rig.scale()
    assert (rig.api.writes, rig.api.bodies) == ([("scale", "Deployment", "my-vllm")], [follows])


async def test_where_the_user_decides_the_bounds_of_scaling_are_advice(rig: ScalerRig) -> None:
    rig.endpoint(replicas=9, scaling={"mode": "Advisory", "minReplicas": 1, "maxReplicas": 4})
    rig.workload(1)
    await rig.scale()
    assert rig.api.bodies == [9]


async def test_a_spec_that_cannot_be_carried_out_scales_nothing(rig: ScalerRig) -> None:
    rig.endpoint(replicas=3, scaling={"mode": "Direct", "minReplicas": 2, "maxReplicas": 2})
    rig.workload(1)
    found = await rig.scale(todo=EndpointPlan(blocked=Finding(AcceptedReason.TARGET_TAKEN, "")))
    assert found.state is not None
    assert (found.state.status, found.state.reason) == ("Unknown", "NotAccepted")
    assert rig.api.writes == []


async def test_where_nobody_declared_a_number_nothing_is_scaled(rig: ScalerRig) -> None:
    rig.endpoint()
    rig.workload(7)
    await rig.scale()
    assert rig.api.writes == []


async def test_a_paused_endpoint_scales_nothing(rig: ScalerRig) -> None:
    rig.endpoint(replicas=3, paused=True)
    rig.workload(1)
    await rig.scale()
    assert rig.api.writes == []


async def test_an_autoscaler_made_a_moment_ago_is_seen_before_anything_is_scaled(rig: ScalerRig) -> None:
    rig.endpoint(replicas=1)
    rig.workload(1)
    await rig.scale()
    rig.autoscaler("Deployment", "my-vllm")
    rig.workload(4)
    rig.now_ms += 1_000
    await rig.scale()
    assert rig.api.writes == []


async def test_a_refused_scaling_is_told_and_hides_nothing_else(rig: ScalerRig) -> None:
    rig.endpoint(replicas=3)
    rig.workload(1)
    rig.api.refusals["scale"] = Forbidden(403, "Forbidden", "policy says no")
    found = (await rig.scale()).state
    assert found is not None
    assert (found.status, found.reason) == ("False", "Refused")
    assert "policy says no" in found.message
    rig.api.refusals["scale"] = Conflict(409, "Conflict", "changed meanwhile")
    with pytest.raises(Conflict):
        await rig.scale()


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [("LLMEndpoint", "chat", "AnotherScaler"), ("Deployment", "my-vllm", "MultipleWriters")],
)
async def test_two_writers_are_named_and_ours_stands_back(rig: ScalerRig, kind: str, name: str, reason: str) -> None:
    rig.endpoint(scaling={"mode": "Direct", "maxReplicas": 4})
    rig.workload(9)
    rig.autoscaler(kind, name)
    found = (await rig.scale()).state
    assert found is not None
    assert (found.status, found.reason) == ("False", reason)
    assert "HorizontalPodAutoscaler theirs" in found.message
    assert rig.api.writes == []


async def test_an_autoscaler_of_something_else_is_no_concern(rig: ScalerRig) -> None:
    rig.endpoint(scaling={"mode": "Advisory", "maxReplicas": 4})
    rig.workload(1)
    rig.autoscaler("Deployment", "other")
    found = (await rig.scale()).state
    assert found is not None
    assert found.reason not in ("AnotherScaler", "MultipleWriters")


async def test_without_readings_replicas_are_held(rig: ScalerRig) -> None:
    rig.endpoint(scaling={"mode": "Direct", "maxReplicas": 4})
    assert (await rig.scale()).state is not None
    rig.workload(3)
    found = (await rig.scale()).state
    assert found is not None
    assert (found.status, found.reason) == ("Unknown", "HoldingOnStaleMetrics")
    assert rig.api.writes == []


def endpoints(rig: ScalerRig) -> EndpointReconciler:
    api = rig.api
    series, feed = EndpointMetrics(CollectorRegistry()), HubFeed(lambda: rig.now_ms)
    installed, observer = Installed(api.context), Observer(lambda _: None)
    monitored = Monitored(api.store, RawConsent(api.context.client), EvaluatorCatalogue({}))
    return EndpointReconciler(api.context, installed, observer, feed, series, monitored, lambda: rig.now_ms)


async def test_a_spec_that_cannot_be_read_is_refused_and_ready_says_so(rig: ScalerRig) -> None:
    old = {"type": "Ready", "status": "True", "reason": "Serving", "lastTransitionTime": "2026-11-24T00:00:00Z"}
    rig.endpoint({"health": "Healthy", "conditions": [old], "scaling": "of a later version"}, engine="of a later one")
    loop = endpoints(rig)
    assert await loop.reconcile("retail", "chat") is None
    status = (rig.api.store.get(LLM_ENDPOINT, "retail", "chat") or {})["status"]
    found = {one["type"]: (one["status"], one["reason"]) for one in status["conditions"]}
    assert found["Ready"] == found["Accepted"] == ("False", "InvalidSpec")
    accepted = next(one["message"] for one in status["conditions"] if one["type"] == "Accepted")
    assert accepted.startswith("spec.engine: ")
    assert "`modelward doctor`" in accepted, "the next step is named"
    assert status["scaling"] == "of a later version", "what else is known stays"
    await loop.reconcile("retail", "chat")
    assert rig.api.verbs("status") == (("status", "LLMEndpoint", "chat"),)


async def test_a_flip_is_told_once_and_a_quiet_endpoint_writes_nothing(rig: ScalerRig) -> None:
    rig.endpoint()
    loop = endpoints(rig)
    await loop.reconcile("retail", "chat")
    assert [reason for _, reason, _ in rig.api.verbs("event")] == ["NotAccepted"]
    rig.workload(1)
    rig.now_ms += 1_000
    await loop.reconcile("retail", "chat")
    assert [reason for _, reason, _ in rig.api.verbs("event")][1:] == ["Accepted"]
    writes = len(rig.api.writes)
    for _ in range(3):
        rig.now_ms += 1_000
        await loop.reconcile("retail", "chat")
    assert len(rig.api.writes) == writes


async def test_an_endpoint_that_is_gone_is_forgotten(rig: ScalerRig) -> None:
    gone = rig.endpoint()
    loop = endpoints(rig)
    assert await loop.reconcile("retail", "chat") == 45.0
    assert "chat" in await loop.monitored.in_namespace("retail", rig.now_ms)
    rig.api.store.remove(LLM_ENDPOINT, {**gone, "metadata": {**gone["metadata"], "resourceVersion": "999"}})
    assert await loop.reconcile("retail", "chat") is None
    assert await loop.monitored.in_namespace("retail", rig.now_ms) == {}


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
    rig: ScalerRig, objective: dict[str, str], measured: Signal, reason: str
) -> None:
    scaling = {"mode": "Advisory", "maxReplicas": 4, "tokensPerSecond": 2, "objective": objective}
    rig.endpoint(engine="vllm", scaling=scaling)
    rig.workload(1)
    known, seen = await rig.known(), Observation()
    serving = {**(known.workload or {}), "status": {"readyReplicas": 1}}
    known = replace(known, pods=(POD,), workload=serving)
    found = Scaled()
    for at_ms in range(NOW_MS, NOW_MS + 240_001, 15_000):
        seen.history.add(page(at_ms, measured))
        found = await rig.scale(known, seen, at_ms)
    assert found.status is not None
    assert (found.status.reason, found.status.desired) == (reason, 1 if reason == "Steady" else 2)


async def test_replicas_that_were_just_raised_are_held_while_the_workload_still_says_the_old_number(
    rig: ScalerRig,
) -> None:
    rig.endpoint(engine="vllm", replicas=6, scaling={"mode": "Direct", "maxReplicas": 8, "tokensPerSecond": 1})
    rig.workload(2)
    known, seen = await rig.known(), Observation()
    assert known.workload is not None
    known = replace(known, pods=(POD,), workload={**known.workload, "status": {"readyReplicas": 2}})
    for at_ms in (NOW_MS, NOW_MS + 60_000):
        seen.history.add(page(at_ms, Signal.TPOT))
    found = await rig.scale(known, seen, NOW_MS + 60_000)
    assert found.status is not None
    assert (found.status.desired, found.status.reason) == (6, "ScaleDownHold")
    assert ("scale", "LLMEndpoint", "chat") not in rig.api.writes


async def test_a_bound_of_no_time_that_was_stored_before_it_was_refused_is_none(rig: ScalerRig) -> None:
    objective = {"timeToFirstToken": "0s", "timePerOutputToken": "0m0s"}
    rig.endpoint(engine="vllm", scaling={"mode": "Direct", "maxReplicas": 8, "objective": objective})
    rig.workload(1)
    known, seen = replace(await rig.known(), pods=(POD,)), Observation()
    for at_ms in range(NOW_MS, NOW_MS + 240_001, 15_000):
        seen.history.add(page(at_ms, Signal.TTFT))
        found = await rig.scale(known, seen, at_ms)
        assert found.status is not None
        assert found.status.reason in ("NoTokenCounts", "LearningCapacity")


async def test_a_restart_remembers_what_a_replica_carries(rig: ScalerRig) -> None:
    status = {"revision": "r", "scaling": {"desired": 1, "capacity": "1 tok/s (Learned)"}}
    rig.endpoint(status, engine="vllm", scaling={"mode": "Direct", "maxReplicas": 8})
    rig.workload(1)
    known, seen = replace(await rig.known(), pods=(POD,)), Observation()
    for at_ms in (NOW_MS, NOW_MS + 60_000):
        seen.history.add(page(at_ms, Signal.TPOT))
    found = await rig.scale(known, seen, NOW_MS + 60_000)
    assert found.status is not None
    assert (found.status.desired, found.status.capacity) == (2, "1 tok/s (Learned)")
    assert ("scale", "LLMEndpoint", "chat") in rig.api.writes
