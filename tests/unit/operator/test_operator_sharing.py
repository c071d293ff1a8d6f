"""Two LLMEndpoints that refer to one workload, through whole reconciles: one writes, the other says why it does not."""

from __future__ import annotations

from typing import Any

from fake_api import FakeApi

from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, Kind, Object
from modelward.kube.scale import Scale
from modelward.operator.runtime import assembly
from modelward.operator.runtime.dispatch import Dispatcher

NOW_MS = 1_795_480_000_000


class Scaled(FakeApi):
    """A cluster in memory in which what is scaled is scaled."""

    async def set_scale(self, kind: Kind, namespace: str, name: str, replicas: int, **more: Any) -> Scale:
        there = self.store.get(kind, namespace, name) or {}
        self.put({**there, "spec": {**there["spec"], "replicas": replicas}})
        return await super().set_scale(kind, namespace, name, replicas, **more)


def workload(replicas: int = 1) -> Object:
    pod = {
        "metadata": {"labels": {"app": "vllm"}},
        "spec": {"containers": [{"name": "m", "ports": [{"containerPort": 1}]}]},
    }
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "vllm"}}, "template": pod}
    metadata = {"name": "vllm", "namespace": "retail"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def endpoint(name: str, day: int, **spec: Any) -> Object:
    metadata = {"name": name, "namespace": "retail", "generation": 1, "creationTimestamp": f"2026-01-0{day}T00:00:00Z"}
    spec = {"backend": {"workloadRef": {"name": "vllm"}}, **spec}
    return {"apiVersion": "modelward.dev/v1alpha1", "kind": "LLMEndpoint", "metadata": metadata, "spec": spec}


def accepted(api: FakeApi, name: str) -> tuple[str, str]:
    status = (api.store.get(LLM_ENDPOINT, "retail", name) or {})["status"]
    return next((one["status"], one["reason"]) for one in status["conditions"] if one["type"] == "Accepted")


async def rounds(reconciler: Dispatcher, number: int, *names: str) -> None:
    for _ in range(number):
        for name in names:
            await reconciler.endpoints.reconcile("retail", name)


async def test_two_endpoints_with_other_replicas_do_not_fight_over_their_workload() -> None:
    api = Scaled()
    reconciler = assembly.build(api.context, lambda: NOW_MS)
    api.put(workload())
    old = api.put(endpoint("chat", 1, replicas=2))
    api.put(endpoint("canary", 2, replicas=5))
    await rounds(reconciler, 5, "canary", "chat")
    assert [body for write, body in zip(api.writes, api.bodies, strict=False) if write[0] == "scale"] == [2]
    assert (accepted(api, "chat"), accepted(api, "canary")) == (("True", "Valid"), ("False", "TargetTaken"))
    api.store.remove(LLM_ENDPOINT, {**old, "metadata": {**old["metadata"], "resourceVersion": "999"}})
    await rounds(reconciler, 2, "chat", "canary")
    assert (api.store.get(DEPLOYMENT, "retail", "vllm") or {})["spec"]["replicas"] == 5
    assert accepted(api, "canary") == ("True", "Valid")


async def test_the_one_that_is_left_is_woken_when_the_older_goes() -> None:
    api = FakeApi()
    reconciler = assembly.build(api.context)
    api.put(workload())
    old = api.put(endpoint("chat", 1, replicas=2))
    api.put(endpoint("canary", 2, replicas=5))
    woken = {f"{key.work}/{key.name}" for key in reconciler.keys_for(LLM_ENDPOINT, old)}
    assert {"endpoint/chat", "endpoint/canary"} <= woken


async def test_what_an_endpoint_adopted_is_looked_at_when_it_goes_or_refers_elsewhere() -> None:
    api = FakeApi()
    reconciler = assembly.build(api.context)
    adopted = workload()
    adopted["metadata"]["labels"] = {"modelward.dev/adopted-by": "chat"}
    api.put(adopted)
    moved = api.put(endpoint("chat", 1, backend={"workloadRef": {"name": "another"}}))
    woken = {f"{key.work}/{key.name}" for key in reconciler.keys_for(LLM_ENDPOINT, moved)}
    assert "adopted/Deployment/vllm" in woken
