"""Tools that apply whole files again and again: their release goes in, our sidecar stays, and no writer fights another.

kubectl is the real one. Each tool applies in turn with the operator, several times, and in the last rounds the
operator has nothing to write.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

import pytest
from becoming import eventually, gone
from control_plane import ControlPlane
from driver import driving
from foreign_controller import ForeignController, How, controlling
from proxy import Proxy
from user import API, TEAM, User, deployment, reference, template

from modelward.desired.names import COLLECTOR, ROLLOUT_AT
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, SERVICE, Object

ROUNDS = 8 if os.environ.get("MODELWARD_FULL") == "1" else 3
TOOLS = {
    "kubectl apply": ("apply",),
    "Argo CD": ("apply", "--server-side", "--field-manager=argocd"),
    "Flux": ("apply", "--server-side", "--force-conflicts", "--field-manager=kustomize-controller"),
}
tools = pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS.keys())


def release(name: str = "server", image: str = "modelward.invalid/vllm:1", **spec: Any) -> Object:
    """Return the manifest of a newer release of the user's Deployment."""
    obj = deployment(**spec)
    (container,) = obj["spec"]["template"]["spec"]["containers"]
    container |= {"name": name, "image": image}
    return obj


def injected(workload: Object) -> bool:
    inits = workload["spec"]["template"]["spec"].get("initContainers", [])
    return COLLECTOR in [one["name"] for one in inits]


def containers(workload: Object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = workload["spec"]["template"]["spec"]["containers"]
    return found


async def kubectl(plane: ControlPlane, user: User, *arguments: str, obj: Object) -> None:
    await asyncio.to_thread(plane.kubectl, *arguments, "-n", user.namespace, "-f", "-", input=json.dumps(obj))


@tools
async def test_a_release_of_the_user_goes_in_and_the_sidecar_stays(
    proxy: Proxy, user: User, control_plane: ControlPlane, tool: tuple[str, ...]
) -> None:
    await kubectl(control_plane, user, *tool, obj=deployment())
    await user.endpoint("chat", reference(mode="Sidecar"))
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
        adopted = await user.get(DEPLOYMENT, "my-vllm")
        assert injected(adopted)
        for _ in range(ROUNDS):
            await kubectl(control_plane, user, *tool, obj=release())
            mark = len(driver.writes)
            await driver.converge()
            assert "deployments/my-vllm" not in "".join(driver.writes[mark:])
        after = await user.get(DEPLOYMENT, "my-vllm")
        assert injected(after)
        assert [one["image"] for one in containers(after)] == ["modelward.invalid/vllm:1"]
        assert after["metadata"]["generation"] == adopted["metadata"]["generation"] + 1, "one roll-out, the user's"
        mark = len(driver.writes)
        await driver.converge()
        assert driver.writes[mark:] == []


@tools
async def test_a_container_that_the_user_renames_leaves_nothing_of_its_old_name(
    proxy: Proxy, user: User, control_plane: ControlPlane, tool: tuple[str, ...]
) -> None:
    await kubectl(control_plane, user, *tool, obj=deployment())
    await user.endpoint("chat", reference(mode="Sidecar"))
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
        await kubectl(control_plane, user, *tool, obj=release("engine"))
        await driver.converge()
        after = await user.get(DEPLOYMENT, "my-vllm")
        assert [one["name"] for one in containers(after)] == ["engine"]
        assert injected(after)
        assert (await user.condition("chat", "Accepted"))["reason"] == "Valid"


async def test_who_replaces_the_whole_workload_is_respected(
    proxy: Proxy, user: User, control_plane: ControlPlane
) -> None:
    await user.workload()
    await user.endpoint("chat", reference(mode="Sidecar"))
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
        for round_ in range(ROUNDS):
            await kubectl(control_plane, user, "replace", obj=release(image=f"modelward.invalid/vllm:{round_}"))
            await driver.converge()
            now = await user.get(DEPLOYMENT, "my-vllm")
            assert not injected(now)
            assert [one["image"] for one in containers(now)] == [f"modelward.invalid/vllm:{round_}"]
        assert (await user.condition("chat", "CollectorReady"))["reason"] == "RemovedByOther"
        front = await user.get(SERVICE, "chat-collector")
        assert front["spec"]["ports"][0]["targetPort"] == 8000, "clients are led past a collector that is not there"
    async with driving(proxy, [user.namespace]) as driver:  # a restart remembers
        await driver.converge()
        assert driver.writes == []
        await user.endpoint("chat", reference(mode="Sidecar"), annotations={ROLLOUT_AT: "now"})
        await driver.converge()
        assert injected(await user.get(DEPLOYMENT, "my-vllm"))


async def test_an_endpoint_that_is_deleted_and_declared_anew_adopts_anew_however_soon_that_is(
    proxy: Proxy, user: User, control_plane: ControlPlane
) -> None:
    await user.workload()
    await user.endpoint("chat", reference(mode="Sidecar"))
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
        await user.delete(LLM_ENDPOINT, "chat")
        await kubectl(control_plane, user, "replace", obj=release())
        await gone(user, SERVICE, "chat-collector")
        await user.endpoint("chat", reference(mode="Sidecar"))
        await driver.converge()
        assert injected(await user.get(DEPLOYMENT, "my-vllm"))


@pytest.mark.parametrize("how", ["replace", "patch", "apply"])
async def test_a_controller_that_reverts_us_causes_no_second_roll_out(
    proxy: Proxy, user: User, control_plane: ControlPlane, how: How
) -> None:
    first = await user.workload()
    wanted = deployment()
    wanted["metadata"]["namespace"] = user.namespace
    await user.endpoint("chat", reference(mode="Sidecar"))
    with controlling(control_plane.kubeconfig, wanted, how) as controller:
        async with driving(proxy, [user.namespace]) as driver:
            for _ in range(ROUNDS):
                await driver.converge()
                await eventually(lambda: _content(controller, user))
            mark = len(driver.writes)
            await driver.converge()
            assert driver.writes[mark:] == []
        async with driving(proxy, [user.namespace]) as driver:
            await driver.converge()
            assert "deployments" not in "".join(driver.writes)
    after = await user.get(DEPLOYMENT, "my-vllm")
    reverts = how != "apply"  # an apply takes out only what was its own
    assert controller.reverts == reverts
    assert injected(after) != reverts
    assert after["metadata"]["generation"] == first["metadata"]["generation"] + 1 + reverts
    reason = (await user.condition("chat", "CollectorReady"))["reason"]
    assert (reason == "RemovedByOther") == reverts


async def _content(controller: ForeignController, user: User) -> bool:
    """Return whether the controller has seen the workload as it is, and leaves it so."""
    now: str = (await user.get(DEPLOYMENT, "my-vllm"))["metadata"]["resourceVersion"]
    return controller.dealt_with == now


async def test_a_workload_that_a_controller_owns_is_not_touched(
    proxy: Proxy, user: User, control_plane: ControlPlane
) -> None:
    owner = await user.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "inference-service"}})
    reference_ = {"apiVersion": "v1", "kind": "ConfigMap", "name": "inference-service", "controller": True}
    wanted = deployment()
    wanted["metadata"] |= {"ownerReferences": [{**reference_, "uid": owner["metadata"]["uid"]}]}
    first = await user.apply(wanted)
    wanted["metadata"]["namespace"] = user.namespace
    await user.endpoint("chat", reference(mode="Sidecar"))
    with controlling(control_plane.kubeconfig, wanted, "replace") as controller:
        async with driving(proxy, [user.namespace]) as driver:
            for _ in range(ROUNDS):
                await driver.converge()
            assert "deployments" not in "".join(driver.writes)
    assert controller.reverts == 0
    assert (await user.get(DEPLOYMENT, "my-vllm"))["metadata"]["generation"] == first["metadata"]["generation"]
    refused = await user.condition("chat", "CollectorReady")
    assert refused["reason"] == "OwnedByAnotherController"
    assert "inference-service" in refused["message"]
    assert (await user.condition("chat", "Accepted"))["status"] == "True"


def endpoint(replicas: int | None) -> Object:
    spec = template() | ({} if replicas is None else {"replicas": replicas})
    return {"apiVersion": API, "kind": "LLMEndpoint", "metadata": {"name": "chat", "labels": TEAM}, "spec": spec}


@tools
@pytest.mark.parametrize("declared", [None, 2], ids=["without replicas", "with replicas"])
async def test_replicas_that_are_scaled_and_those_in_a_file_do_not_fight(
    proxy: Proxy, user: User, control_plane: ControlPlane, tool: tuple[str, ...], declared: int | None
) -> None:
    forced = "--server-side" not in tool or "--force-conflicts" in tool
    await kubectl(control_plane, user, *tool, obj=endpoint(declared))
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
        template_ = (await user.get(DEPLOYMENT, "chat"))["spec"]["template"]
        for _ in range(ROUNDS):
            await user.client.set_scale(LLM_ENDPOINT, user.namespace, "chat", 5, manager="kubectl-scale")
            await driver.converge()
            assert (await user.get(DEPLOYMENT, "chat"))["spec"]["replicas"] == 5
            mark = len(driver.writes)
            if declared is not None and not forced:
                with pytest.raises(AssertionError, match="conflict"):  # as Argo CD says of every scaled field
                    await kubectl(control_plane, user, *tool, obj=endpoint(declared))
            else:
                await kubectl(control_plane, user, *tool, obj=endpoint(declared))
            await driver.converge()
            kept = declared is None or not forced
            after = await user.get(DEPLOYMENT, "chat")
            assert after["spec"]["replicas"] == (5 if kept else declared)
            assert sum("deployments" in one for one in driver.writes[mark:]) == (0 if kept else 1), "the user's wish"
            assert after["spec"]["template"] == template_
        mark = len(driver.writes)
        await driver.converge()
        assert driver.writes[mark:] == []
