"""Sidecars whose endpoint is gone: they stay until their owner rolls, and nothing of ours rolls them."""

from __future__ import annotations

from typing import Any

import pytest
from controller_world import World
from prometheus_client import CollectorRegistry

from modelward.controller.orphans import Orphans
from modelward.controller.verdict_metrics import VerdictMetrics
from modelward.kube.client import Listing
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, Object


def adopted(name: str = "vllm", endpoint: str = "chat", note: str = "", **spec: Any) -> Object:
    pod = {"initContainers": [{"name": "modelward-collector"}], "containers": [{"name": "server"}]}
    template = {"metadata": {"annotations": {"note": note}}, "spec": pod}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "retail", "labels": {"modelward.dev/adopted-by": endpoint}},
        "spec": {"replicas": 1, "template": template, **spec},
    }


def endpoint(name: str = "chat") -> Object:
    metadata = {"name": name, "namespace": "retail"}
    return {"apiVersion": "modelward.dev/v1alpha1", "kind": "LLMEndpoint", "metadata": metadata, "spec": {}}


@pytest.fixture
def world() -> World:
    made = World()
    made.store.sweep(LLM_ENDPOINT, Listing((), "0"))
    return made


@pytest.fixture
def orphans(world: World) -> Orphans:
    return Orphans(world.context, VerdictMetrics(CollectorRegistry()))


def braked(orphans: Orphans) -> bool:
    return orphans.verdicts._brake


async def test_an_orphan_is_released_when_its_owner_rolls_it_and_not_before(world: World, orphans: Orphans) -> None:
    world.put(adopted())
    assert await orphans.release("retail", "Deployment/vllm") == 60.0
    world.put(adopted(replicas=5))
    assert await orphans.release("retail", "Deployment/vllm") == 60.0
    assert world.writes == []
    world.put(adopted(note="rolled by its owner"))
    assert await orphans.release("retail", "Deployment/vllm") is None
    assert world.writes == [("apply", "Deployment", "vllm")]
    assert set(world.bodies[0]["metadata"]) >= {"name", "namespace", "uid"}


async def test_an_orphan_is_released_at_once_where_somebody_asks(world: World, orphans: Orphans) -> None:
    asked = adopted()
    asked["metadata"]["annotations"] = {"modelward.dev/release": "now"}
    world.put(asked)
    assert await orphans.release("retail", "Deployment/vllm") is None
    assert world.writes == [("apply", "Deployment", "vllm")]


async def test_what_still_has_its_endpoint_is_no_orphan(world: World, orphans: Orphans) -> None:
    world.put(endpoint())
    world.put(adopted())
    assert await orphans.release("retail", "Deployment/vllm") is None
    assert await orphans.release("retail", "StatefulSet/none") is None
    assert world.writes == []


async def test_a_roll_out_under_its_endpoint_is_not_remembered_against_it(world: World, orphans: Orphans) -> None:
    world.put(adopted(note="one"))
    await orphans.release("retail", "Deployment/vllm")
    back = world.put(endpoint())
    await orphans.release("retail", "Deployment/vllm")
    world.put(adopted(note="two"))
    world.store.remove(LLM_ENDPOINT, {**back, "metadata": {**back["metadata"], "resourceVersion": "99"}})
    assert await orphans.release("retail", "Deployment/vllm") == 60.0
    assert world.writes == []


async def test_before_endpoints_were_listed_nothing_looks_orphaned() -> None:
    world = World()
    unsure = Orphans(world.context, VerdictMetrics(CollectorRegistry()))
    world.put(adopted())
    assert await unsure.release("retail", "Deployment/vllm") is None


@pytest.mark.parametrize(("number", "released"), [(3, True), (4, False)])
async def test_where_too_many_look_orphaned_at_once_nothing_is_touched(
    world: World, orphans: Orphans, number: int, released: bool
) -> None:
    names = [f"vllm-{i}" for i in range(number)]
    for name in names:
        world.put(adopted(name))
        await orphans.release("retail", f"Deployment/{name}")
    world.put(adopted(names[0], note="rolled"))
    await orphans.release("retail", f"Deployment/{names[0]}")
    assert bool(world.writes) == released
    assert (world.store.get(DEPLOYMENT, "retail", names[0]) or {})["metadata"]["name"] == names[0]


async def test_what_its_owner_rolled_while_the_brake_held_is_not_rolled_again_when_it_ends(
    world: World, orphans: Orphans
) -> None:
    names = [f"vllm-{i}" for i in range(4)]
    for name in names:
        world.put(adopted(name, name))
        await orphans.release("retail", f"Deployment/{name}")
    assert braked(orphans), "the alarm is raised before anybody rolls"
    world.put(adopted(names[0], names[0], note="rolled"))
    await orphans.release("retail", f"Deployment/{names[0]}")
    for name in names[1:]:
        world.put(endpoint(name))
        await orphans.release("retail", f"Deployment/{name}")
    assert not braked(orphans)
    assert await orphans.release("retail", f"Deployment/{names[0]}") == 60.0
    assert world.writes == []


async def test_a_few_orphans_among_many_adopted_do_not_brake(world: World, orphans: Orphans) -> None:
    world.put(endpoint())
    for i in range(45):
        world.put(adopted(f"kept-{i}"))
    for i in range(4):
        world.put(adopted(f"lost-{i}", "gone"))
        await orphans.release("retail", f"Deployment/lost-{i}")
    world.put(adopted("lost-0", "gone", note="rolled"))
    await orphans.release("retail", "Deployment/lost-0")
    assert world.writes == [("apply", "Deployment", "lost-0")]
