"""Sidecars whose endpoint is gone: they stay until their owner rolls, and nothing of ours rolls them."""

from __future__ import annotations

from typing import Any

import pytest
from fake_api import FakeApi
from prometheus_client import CollectorRegistry

from modelward.desired import names
from modelward.kube.client import Listing
from modelward.kube.errors import Conflict, Forbidden, Invalid
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, Kind, Object
from modelward.operator.endpoint.orphans import OrphanReconciler
from modelward.operator.observe.verdict_metrics import VerdictMetrics


def adopted(name: str = "vllm", endpoint: str = "chat", note: str = "", **spec: Any) -> Object:
    pod = {"initContainers": [{"name": "modelward-collector"}], "containers": [{"name": "server"}]}
    template = {"metadata": {"annotations": {"note": note}}, "spec": pod}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "retail", "labels": {"modelward.dev/adopted-by": endpoint}},
        "spec": {"replicas": 1, "template": template, **spec},
    }


def endpoint(name: str = "chat", workload: str = "vllm", kind: str = "Deployment") -> Object:
    metadata = {"name": name, "namespace": "retail"}
    spec = {"backend": {"workloadRef": {"kind": kind, "name": workload}}}
    return {"apiVersion": "modelward.dev/v1alpha1", "kind": "LLMEndpoint", "metadata": metadata, "spec": spec}


@pytest.fixture
def api() -> FakeApi:
    made = FakeApi()
    made.store.sweep(LLM_ENDPOINT, Listing((), "0"))
    return made


@pytest.fixture
def orphans(api: FakeApi) -> OrphanReconciler:
    return OrphanReconciler(api.context, VerdictMetrics(CollectorRegistry()))


def braked(orphans: OrphanReconciler) -> bool:
    shown = {family.name: family.samples for family in orphans.verdicts.collect()}
    return shown["modelward_orphan_brake"][0].value == 1


async def test_an_orphan_is_released_when_its_owner_rolls_it_and_not_before(
    api: FakeApi, orphans: OrphanReconciler
) -> None:
    api.put(adopted())
    assert await orphans.release("retail", "Deployment/vllm") == 60.0
    api.put(adopted(replicas=5))
    assert await orphans.release("retail", "Deployment/vllm") == 60.0
    assert api.writes == []
    api.put(adopted(note="rolled by its owner"))
    assert await orphans.release("retail", "Deployment/vllm") is None
    assert api.writes == [("apply", "Deployment", "vllm")]
    assert set(api.bodies[0]["metadata"]) >= {"name", "namespace", "uid"}


async def test_an_orphan_is_released_at_once_where_somebody_asks(api: FakeApi, orphans: OrphanReconciler) -> None:
    api.put(asked())
    assert await orphans.release("retail", "Deployment/vllm") is None
    assert api.writes == [("apply", "Deployment", "vllm")]


def asked() -> Object:
    obj = adopted()
    obj["metadata"]["annotations"] = {"modelward.dev/release": "now"}
    return obj


@pytest.mark.parametrize("error", [Forbidden, Invalid])
async def test_who_refuses_a_release_is_quoted_on_the_workload_and_asked_again(
    api: FakeApi, orphans: OrphanReconciler, error: type[Forbidden | Invalid]
) -> None:
    api.put(asked())
    api.refusals["apply"] = error(422, "Invalid", "the platform team says no")
    assert await orphans.release("retail", "Deployment/vllm") == 60.0
    assert api.writes == [("event", "ReleaseRefused", "vllm")]
    assert "the platform team says no" in api.bodies[0]
    api.refusals.clear()
    assert await orphans.release("retail", "Deployment/vllm") is None
    assert api.writes[1:] == [("apply", "Deployment", "vllm")]


@pytest.mark.parametrize("name", ["chat", "chat-" + "x" * 70])
async def test_no_sidecar_is_taken_out_while_the_server_has_its_endpoint(
    api: FakeApi, orphans: OrphanReconciler, name: str
) -> None:
    obj = asked()
    obj["metadata"]["labels"]["modelward.dev/adopted-by"] = names.fit(name)
    api.put(obj)
    there = endpoint(name) | {"metadata": {**endpoint(name)["metadata"], "uid": "1", "resourceVersion": "99"}}

    async def find(_kind: Kind, _namespace: str, asked_for: str) -> Object | None:
        return there if asked_for == name else None

    api.find = find  # type: ignore[assignment,method-assign]
    api.listed = [there]
    with pytest.raises(Conflict, match="was not known"):
        await orphans.release("retail", "Deployment/vllm")
    assert await orphans.release("retail", "Deployment/vllm") is None, "it is known now"
    assert api.writes == []


async def test_nothing_is_remembered_of_orphans_that_are_gone(api: FakeApi, orphans: OrphanReconciler) -> None:
    there = api.put(adopted())
    await orphans.release("retail", "Deployment/vllm")
    assert orphans._template
    api.store.remove(DEPLOYMENT, {**there, "metadata": {**there["metadata"], "resourceVersion": "9"}})
    await orphans.release("retail", "Deployment/vllm")
    assert not orphans._template


async def test_an_orphan_made_anew_under_its_name_has_not_been_rolled(api: FakeApi, orphans: OrphanReconciler) -> None:
    api.put(adopted(note="one"))
    await orphans.release("retail", "Deployment/vllm")
    anew = adopted(note="two")
    anew["metadata"]["uid"] = "another"
    api.put(anew)
    assert await orphans.release("retail", "Deployment/vllm") == 60.0
    assert api.writes == []


async def test_what_still_has_its_endpoint_is_no_orphan(api: FakeApi, orphans: OrphanReconciler) -> None:
    api.put(endpoint())
    api.put(adopted())
    assert await orphans.release("retail", "Deployment/vllm") is None
    assert await orphans.release("retail", "StatefulSet/none") is None
    assert api.writes == []


@pytest.mark.parametrize(
    "there",
    [
        endpoint(workload="another"),
        endpoint(kind="StatefulSet"),
        {**endpoint(), "spec": {"backend": {"template": {"image": "llama", "port": 8080}}}},
        {**endpoint(), "spec": {"backend": "unreadable"}},
    ],
)
async def test_a_workload_that_its_endpoint_no_longer_refers_to_is_an_orphan(
    api: FakeApi, orphans: OrphanReconciler, there: Object
) -> None:
    api.put(there)
    api.put(adopted())
    assert await orphans.release("retail", "Deployment/vllm") == 60.0
    assert api.writes == []

    async def find(*_: Any) -> Object | None:
        return api.store.get(LLM_ENDPOINT, "retail", "chat")

    api.find = find  # type: ignore[assignment,method-assign]
    api.put(asked())
    assert await orphans.release("retail", "Deployment/vllm") is None
    assert api.writes == [("apply", "Deployment", "vllm")]


async def test_a_roll_out_under_its_endpoint_is_not_remembered_against_it(
    api: FakeApi, orphans: OrphanReconciler
) -> None:
    api.put(adopted(note="one"))
    await orphans.release("retail", "Deployment/vllm")
    back = api.put(endpoint())
    await orphans.release("retail", "Deployment/vllm")
    api.put(adopted(note="two"))
    api.store.remove(LLM_ENDPOINT, {**back, "metadata": {**back["metadata"], "resourceVersion": "99"}})
    assert await orphans.release("retail", "Deployment/vllm") == 60.0
    assert api.writes == []


async def test_before_endpoints_were_listed_nothing_looks_orphaned() -> None:
    api = FakeApi()
    unsure = OrphanReconciler(api.context, VerdictMetrics(CollectorRegistry()))
    api.put(adopted())
    assert await unsure.release("retail", "Deployment/vllm") is None


@pytest.mark.parametrize(("number", "released"), [(3, True), (4, False)])
async def test_where_too_many_look_orphaned_at_once_nothing_is_touched(
    api: FakeApi, orphans: OrphanReconciler, number: int, released: bool
) -> None:
    vllms = [f"vllm-{i}" for i in range(number)]
    for name in vllms:
        api.put(adopted(name))
        await orphans.release("retail", f"Deployment/{name}")
    api.put(adopted(vllms[0], note="rolled"))
    await orphans.release("retail", f"Deployment/{vllms[0]}")
    assert bool(api.writes) == released
    assert (api.store.get(DEPLOYMENT, "retail", vllms[0]) or {})["metadata"]["name"] == vllms[0]


async def test_what_its_owner_rolled_while_the_brake_held_is_not_rolled_again_when_it_ends(
    api: FakeApi, orphans: OrphanReconciler
) -> None:
    vllms = [f"vllm-{i}" for i in range(4)]
    for name in vllms:
        api.put(adopted(name, name))
        await orphans.release("retail", f"Deployment/{name}")
    assert braked(orphans), "the alarm is raised before a workload rolls"
    api.put(adopted(vllms[0], vllms[0], note="rolled"))
    await orphans.release("retail", f"Deployment/{vllms[0]}")
    for name in vllms[1:]:
        api.put(endpoint(name, name))
        await orphans.release("retail", f"Deployment/{name}")
    assert not braked(orphans)
    assert await orphans.release("retail", f"Deployment/{vllms[0]}") == 60.0
    assert api.writes == []


async def test_a_few_orphans_among_many_adopted_do_not_brake(api: FakeApi, orphans: OrphanReconciler) -> None:
    for i in range(45):
        api.put(endpoint(f"kept-{i}", f"kept-{i}"))
        api.put(adopted(f"kept-{i}", f"kept-{i}"))
    for i in range(4):
        api.put(adopted(f"lost-{i}", "gone"))
        await orphans.release("retail", f"Deployment/lost-{i}")
    api.put(adopted("lost-0", "gone", note="rolled"))
    await orphans.release("retail", "Deployment/lost-0")
    assert api.writes == [("apply", "Deployment", "lost-0")]
