"""A workload takes a collector in only after a pod of the collector alone has started where its pods run.

What keeps such a pod out would keep a pod that serves from coming back: it is named, and the workload is not touched.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import pytest
from becoming import becomes, eventually, tried_again
from control_plane import ControlPlane
from driver import Driver, driving
from platform_team import SAYS, quota, refusing
from proxy import Proxy
from user import User, deployment, reference

from modelward.desired.names import COLLECTOR
from modelward.kube.kinds import DEPLOYMENT, NAMESPACE, POD, SERVICE, STATEFUL_SET, Kind, Object

REHEARSAL = "chat-rehearsal"
Act = Callable[[User], Awaitable[object]]
KINDS: Mapping[str, Kind] = {"Deployment": DEPLOYMENT, "StatefulSet": STATEFUL_SET}


async def theirs(user: User, kind: str, replicas: int = 4) -> Object:
    """Deploy a model server of which one pod would go before one with a collector is ready."""
    spec = {"serviceName": "my-vllm"} if kind == "StatefulSet" else {}
    return await user.apply({**deployment(replicas=replicas, **spec), "kind": kind})


async def adopt(user: User, kind: str) -> None:
    spec = reference(mode="Sidecar")
    spec["backend"]["workloadRef"]["kind"] = kind
    await user.endpoint("chat", spec)


@asynccontextmanager
async def untouched(user: User, kind: str) -> AsyncIterator[None]:
    """Assert that the block leaves the workload and its pods as they are."""
    before = await _now(user, kind)
    yield
    assert await _now(user, kind) == before


async def _now(user: User, kind: str) -> tuple[object, set[str]]:
    workload = await user.get(KINDS[kind], "my-vllm")
    pods = (await user.client.list(POD, user.namespace, label_selector="app=my-vllm")).items
    metadata = workload["metadata"]
    about = (metadata["generation"], metadata.get("labels"), metadata.get("annotations", {}).keys())
    return (about, workload["spec"]), {pod["metadata"]["uid"] for pod in pods}


async def assert_taken_in(driver: Driver, user: User, kind: str) -> None:
    """Reconcile until the collector is in the workload and nothing is left of the rehearsal."""

    async def done() -> bool:
        await driver.sync()
        await driver.round()
        inits = (await user.get(KINDS[kind], "my-vllm"))["spec"]["template"]["spec"].get("initContainers", [])
        return [one["name"] for one in inits] == [COLLECTOR] and await user.find(DEPLOYMENT, REHEARSAL) is None

    await eventually(done)
    assert (await user.condition("chat", "Accepted"))["reason"] == "Valid"


async def all_pods_made(user: User, replicas: int) -> None:
    async def made() -> bool:
        return len((await user.client.list(POD, user.namespace, label_selector="app=my-vllm")).items) == replicas

    await eventually(made)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_quota_that_has_no_room_for_a_collector_is_quoted_before_any_pod_goes(
    proxy: Proxy, user: User, control_plane: ControlPlane, kind: str
) -> None:
    replicas = 4 if kind == "Deployment" else 1  # without a node the first pod of a StatefulSet is never ready
    await theirs(user, kind, replicas)
    await all_pods_made(user, replicas)
    control_plane.apply(quota(pods=str(replicas)), namespace=user.namespace)
    await eventually(lambda: user.refused(_pod()))
    await adopt(user, kind)
    async with driving(proxy, [user.namespace]) as driver:
        async with untouched(user, kind):
            says = await becomes(driver, user, "chat", "CollectorReady", "Refused")
            assert "exceeded quota: none" in says
            assert f"{kind} my-vllm takes the collector in, and rolls, when" in says
            assert (await user.condition("chat", "Accepted"))["status"] == "True"
            front = await user.get(SERVICE, "chat-collector")
            assert front["spec"]["ports"][0]["targetPort"] == 8000, "clients reach the model itself"
            assert await tried_again(driver) == []
        control_plane.kubectl("delete", "resourcequota", "none", "-n", user.namespace)
        await assert_taken_in(driver, user, kind)


async def test_pod_security_that_lets_in_the_user_and_the_collector_lets_the_rehearsal_in(
    proxy: Proxy, user: User
) -> None:
    enforce = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    await user.client.patch(NAMESPACE, None, user.namespace, enforce)
    await theirs(user, "Deployment")
    await adopt(user, "Deployment")
    async with driving(proxy, [user.namespace]) as driver:
        await assert_taken_in(driver, user, "Deployment")


async def test_a_policy_that_refuses_the_rehearsal_is_quoted_and_leaves_the_workload_as_it_is(
    proxy: Proxy, user: User, control_plane: ControlPlane
) -> None:
    await theirs(user, "Deployment")
    await all_pods_made(user, 4)
    probe = deployment(REHEARSAL)
    with refusing(control_plane, user, "deployments", unless="object.metadata.name == 'my-vllm'"):
        await eventually(lambda: user.refused(probe))
        await adopt(user, "Deployment")
        async with driving(proxy, [user.namespace]) as driver, untouched(user, "Deployment"):
            assert SAYS in await becomes(driver, user, "chat", "CollectorReady", "Refused")
            assert (await user.condition("chat", "Accepted"))["status"] == "True"
            assert await tried_again(driver) == [f"deployments/{REHEARSAL}"]
    async with driving(proxy, [user.namespace]) as driver:
        await assert_taken_in(driver, user, "Deployment")


async def called_off(user: User) -> None:
    await user.endpoint("chat", reference())


async def become_impossible(user: User) -> None:
    """Let a foreign controller own the workload."""
    owner = await user.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "inference-service"}})
    whose = {"apiVersion": "v1", "kind": "ConfigMap", "name": "inference-service", "uid": owner["metadata"]["uid"]}
    metadata = {"name": "my-vllm", "ownerReferences": [{**whose, "controller": True}]}
    await user.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}, "another")


@pytest.mark.parametrize(
    ("change", "reason"),
    [(called_off, "ScrapeOnly"), (become_impossible, "OwnedByAnotherController")],
    ids=["called off", "impossible"],
)
async def test_an_adoption_that_comes_to_nothing_leaves_nothing_of_its_rehearsal(
    proxy: Proxy, user: User, control_plane: ControlPlane, change: Act, reason: str
) -> None:
    await theirs(user, "Deployment")
    await all_pods_made(user, 4)
    control_plane.apply(quota(pods="4"), namespace=user.namespace)
    await eventually(lambda: user.refused(_pod()))
    await adopt(user, "Deployment")
    async with driving(proxy, [user.namespace]) as driver:
        await becomes(driver, user, "chat", "CollectorReady", "Refused")
        await change(user)
        async with untouched(user, "Deployment"):
            await driver.converge()
        assert await user.find(DEPLOYMENT, REHEARSAL) is None
        assert (await user.condition("chat", "CollectorReady"))["reason"] == reason


def _pod() -> Object:
    container = {"name": "probe", "image": "modelward.invalid/probe:0"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": {"containers": [container]}}
