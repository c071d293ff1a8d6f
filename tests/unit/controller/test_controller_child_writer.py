"""What is written of the children, and what is not even asked for."""

from __future__ import annotations

import pytest
from controller_world import World

from modelward.controller.child_writer import ChildWriter
from modelward.desired import names
from modelward.desired.children import Child
from modelward.kube.errors import Conflict
from modelward.kube.kinds import Object

OWNER = {"uid": "uid-of-chat"}


def workload(kind: str) -> Object:
    metadata = {"name": "my-vllm", "namespace": "retail", "labels": {names.ADOPTED_BY: "chat"}}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": {"template": {}}}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
async def test_a_workload_that_went_away_is_not_made_by_adopting_it(kind: str) -> None:
    world = World()
    adopting = (Child(workload(kind), names.ADOPT_MANAGER),)
    with pytest.raises(Conflict, match="my-vllm went away"):
        await ChildWriter(world.context).write(adopting, OWNER)
    assert world.writes == []
    world.put(workload(kind))
    assert await ChildWriter(world.context).write(adopting, OWNER) == ()
    assert world.verbs("apply") == (("apply", kind, "my-vllm"),)


@pytest.mark.parametrize(
    ("manager", "as_seen"),
    [(names.ADOPT_MANAGER, True), (names.TEMPLATE_MANAGER, True), (names.SCALE_MANAGER, True), ("modelward", False)],
)
async def test_what_may_restart_or_end_pods_is_written_only_to_a_workload_as_it_was_seen(
    manager: str, as_seen: bool
) -> None:
    world = World()
    owned = workload("Deployment")
    owned["metadata"]["ownerReferences"] = [{"uid": OWNER["uid"], "controller": True}]
    seen = world.put(owned)
    changed = {**workload("Deployment"), "spec": {"replicas": 2}}
    sent: list[Object] = []

    async def apply(obj: Object, manager: str, **_options: bool) -> Object:
        sent.append(obj)
        return world.put(obj)

    world.apply = apply  # type: ignore[method-assign]
    await ChildWriter(world.context).write((Child(changed, manager),), OWNER)
    meant = [(obj["metadata"]["uid"], obj["metadata"].get("resourceVersion")) for obj in sent]
    assert meant == [(seen["metadata"]["uid"], seen["metadata"]["resourceVersion"] if as_seen else None)]
