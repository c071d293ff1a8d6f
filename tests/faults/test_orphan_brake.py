"""Where all endpoints seem to be gone, or come back as others, no model server rolls: whoever errs, pods go on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from calls import Call, Reply, of
from control_plane import CRDS, ControlPlane
from driver import Driver, driving
from proxy import Proxy
from user import User, deployment, reference, template

from faults import Forward
from modelward.desired import adoption, names
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, Object

NUMBER = 5
NEWER: Mapping[str, Any] = {"collector_image": "modelward.invalid/collector:1", "hub_url": "http://hub.invalid:8443"}
"""What would roll a pod if it entered a template."""


async def emptied(call: Call, forward: Forward) -> Reply | None:
    """A list says that there is nothing: of an API server whose store is not what it was, or of a wrong one."""
    reply = await forward(call)
    return replace(reply, body=json.dumps({**json.loads(reply.body), "items": []}).encode())


async def declare(user: User) -> None:
    """Declare endpoints that adopt, one for each workload."""
    for number in range(NUMBER):
        await user.endpoint(f"chat-{number}", reference(f"vllm-{number}", mode="Sidecar"))


async def release(user: User, number: int, image: str) -> None:
    """Let the owner of a workload roll it."""
    server = {"name": "server", "image": image, "ports": [{"containerPort": 8000}]}
    released = deployment(f"vllm-{number}")
    released["spec"]["template"]["spec"]["containers"] = [server]
    await user.apply(released)


async def adopted(proxy: Proxy, user: User) -> None:
    """Let workloads be adopted."""
    for number in range(NUMBER):
        await user.workload(f"vllm-{number}")
    await declare(user)
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
    assert all(adoption.injected(one) for one in await workloads(user))


async def workloads(user: User) -> tuple[Object, ...]:
    """Return the user's Deployments."""
    return (await user.client.list(DEPLOYMENT, user.namespace)).items


async def versions(user: User) -> Mapping[str, tuple[str, str]]:
    """Return uid and pod template of each: while both stay, no pod is restarted."""
    found = await workloads(user)
    return {one["metadata"]["name"]: (one["metadata"]["uid"], json.dumps(one["spec"]["template"])) for one in found}


async def settled(driver: Driver, user: User) -> None:
    """Converge until every endpoint is accepted: the garbage collector first takes what the endpoints of before had."""
    async with asyncio.timeout(90):
        while True:
            await driver.converge()
            endpoints = (await user.client.list(LLM_ENDPOINT, user.namespace)).items
            told = [await user.condition(one["metadata"]["name"], "Accepted") for one in endpoints]
            if all(one.get("status") == "True" for one in told):
                return
            await asyncio.sleep(1.0)


def braked(driver: Driver) -> bool:
    """Return whether the alarm is raised."""
    found = driver.reconciler.orphans.verdicts.collect()
    (brake,) = (family for family in found if family.name == "modelward_orphan_brake")
    return brake.samples[0].value == 1


async def look(driver: Driver, rounds: int = 3) -> None:
    """List and reconcile some rounds, whatever comes of it."""
    for _ in range(rounds):
        await driver.sync()
        await driver.round()


@pytest.mark.parametrize("fresh", [False, True], ids=["while it runs", "after a restart"])
async def test_an_empty_list_of_endpoints_rolls_nothing_even_where_owners_roll(
    proxy: Proxy, user: User, *, fresh: bool
) -> None:
    await adopted(proxy, user)
    async with driving(proxy, [user.namespace]) as driver:
        if not fresh:
            await driver.converge()
        rule = proxy.spoil(of("llmendpoints", verb="list"), emptied)
        await look(driver)
        assert rule.met
        for number in range(NUMBER):
            await release(user, number, "modelward.invalid/vllm:1")
        released = await versions(user)
        await look(driver)
        assert await versions(user) == released
        assert all(adoption.injected(one) for one in await workloads(user))
        assert braked(driver)
        proxy.clear()
        await driver.converge()
        assert not braked(driver)
    assert await versions(user) == released


async def test_one_that_is_really_gone_among_many_is_no_reason_to_brake(proxy: Proxy, user: User) -> None:
    await adopted(proxy, user)
    await user.delete(LLM_ENDPOINT, "chat-0")
    async with driving(proxy, [user.namespace]) as driver:
        await look(driver)
        await release(user, 0, "modelward.invalid/vllm:1")
        await look(driver)
    left = {one["metadata"]["name"] for one in await workloads(user) if not adoption.injected(one)}
    assert left == {"vllm-0"}


@pytest.mark.parametrize("fresh", [False, True], ids=["while it runs", "after a restart with other settings"])
async def test_definitions_that_go_and_come_back_roll_no_adopted_workload(
    control_plane: ControlPlane, proxy: Proxy, user: User, *, fresh: bool
) -> None:
    await adopted(proxy, user)
    before = await versions(user)
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
        await asyncio.to_thread(control_plane.kubectl, "delete", "--wait", "-f", str(CRDS))
        try:
            await look(driver)
            assert driver.store.list(LLM_ENDPOINT) == ()
        finally:
            await asyncio.to_thread(control_plane.install_crds)
        assert await versions(user) == before
        await declare(user)
        if not fresh:
            await settled(driver, user)
    if fresh:
        async with driving(proxy, [user.namespace], **NEWER) as driver:
            await settled(driver, user)
    assert await versions(user) == before


async def test_endpoints_restored_under_another_uid_with_other_settings_roll_nothing(
    control_plane: ControlPlane, proxy: Proxy, user: User
) -> None:
    await adopted(proxy, user)
    await user.endpoint("owned", template(replicas=2))
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
    before = await versions(user)
    assert "owned" in before
    # What backups do that keep children: they are not taken down with what owned them.
    command = ("delete", "llmendpoints", "--all", "--cascade=orphan", "-n", user.namespace)
    await asyncio.to_thread(control_plane.kubectl, *command)
    await declare(user)
    await user.endpoint("owned", template(replicas=2))
    async with driving(proxy, [user.namespace], **NEWER) as driver:
        await settled(driver, user)
        assert driver.writes, "what is not in templates follows the new settings"
    assert await versions(user) == before
    owned = await user.get(DEPLOYMENT, "owned")
    assert owned["metadata"]["ownerReferences"][0]["uid"] == (await user.get(LLM_ENDPOINT, "owned"))["metadata"]["uid"]
    assert names.ADOPTED_BY not in owned["metadata"]["labels"]
