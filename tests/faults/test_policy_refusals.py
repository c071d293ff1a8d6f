"""Whatever an admission policy refuses of ours is quoted in a condition, and heals when the policy goes."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import pytest
from becoming import becomes, eventually, fails, tried_again
from control_plane import ControlPlane
from driver import driving
from platform_team import SAYS, refusing
from proxy import Proxy
from user import API, TEAM, User, reference, template

from modelward.desired.names import COLLECTOR
from modelward.kube.errors import Forbidden, Invalid
from modelward.kube.kinds import (
    DEPLOYMENT,
    LLM_ENDPOINT,
    SERVICE,
    Object,
)

POD_SPEC: Object = {
    "selector": {"matchLabels": {"app": "probe"}},
    "template": {
        "metadata": {"labels": {"app": "probe"}},
        "spec": {"containers": [{"name": "probe", "image": "modelward.invalid/probe:0"}]},
    },
}


OTHERS = "!object.metadata.name.startsWith('chat')"
POLICIES: Mapping[str, tuple[str, Object]] = {
    "Deployment": ("deployments", {"apiVersion": "apps/v1", "kind": "Deployment", "spec": POD_SPEC}),
    "Service": ("services", {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 1}]}}),
}


@pytest.mark.parametrize("kind", POLICIES)
async def test_a_policy_that_refuses_one_child_is_quoted_while_all_else_goes_on(
    proxy: Proxy, user: User, control_plane: ControlPlane, kind: str
) -> None:
    resource, probe = POLICIES[kind]
    with refusing(control_plane, user, resource, unless=OTHERS):
        await eventually(lambda: user.refused({**probe, "metadata": {"name": "chat"}}))
        for name in ("chat", "other"):
            await user.endpoint(name, template(replicas=1))
        async with driving(proxy, [user.namespace]) as driver:
            says = await becomes(driver, user, "chat", "Accepted", "Refused")
            assert SAYS in says
            assert f"{kind} chat" in says
            made = {(kind_, bool(await user.find(kind_, "chat"))) for kind_ in (DEPLOYMENT, SERVICE)}
            assert made == {(DEPLOYMENT, kind != "Deployment"), (SERVICE, kind != "Service")}
            await becomes(driver, user, "other", "Accepted", "Valid")
            assert await tried_again(driver) == [f"{resource}/chat"]
    async with driving(proxy, [user.namespace]) as driver:
        await becomes(driver, user, "chat", "Accepted", "Valid")
        assert await user.find(DEPLOYMENT, "chat")
        assert await user.find(SERVICE, "chat")


async def test_a_policy_that_refuses_our_sidecar_leaves_the_workload_as_it_is(
    proxy: Proxy, user: User, control_plane: ControlPlane
) -> None:
    before = await user.workload()
    probe = copy.deepcopy(before)
    probe["metadata"] = {"name": "probe"}
    probe["spec"]["template"]["spec"]["initContainers"] = [{"name": "a", "image": "a"}]
    with refusing(control_plane, user, "deployments", unless="!has(object.spec.template.spec.initContainers)"):
        await eventually(lambda: user.refused(probe))
        await user.endpoint("chat", reference(mode="Sidecar"))
        async with driving(proxy, [user.namespace]) as driver:
            assert SAYS in await becomes(driver, user, "chat", "Accepted", "Refused")
            assert await tried_again(driver) == ["deployments/my-vllm"]
        now = await user.get(DEPLOYMENT, "my-vllm")
        assert (now["spec"], now["metadata"].get("labels")) == (before["spec"], before["metadata"].get("labels"))
        front = await user.get(SERVICE, "chat-collector")
        assert front["spec"]["ports"][0]["targetPort"] == 8000, "clients reach the model itself"
    async with driving(proxy, [user.namespace]) as driver:
        await becomes(driver, user, "chat", "Accepted", "Valid")
        inits = (await user.get(DEPLOYMENT, "my-vllm"))["spec"]["template"]["spec"]["initContainers"]
        assert [one["name"] for one in inits] == [COLLECTOR]


async def test_a_policy_that_refuses_our_status_stops_no_child_and_is_told_by_an_event(
    proxy: Proxy, user: User, control_plane: ControlPlane
) -> None:
    with refusing(control_plane, user, "llmendpoints/status", unless=OTHERS):
        await eventually(lambda: _status_refused(user))
        for name in ("chat", "other"):
            await user.endpoint(name, template(replicas=1))
        async with driving(proxy, [user.namespace]) as driver:
            await becomes(driver, user, "other", "Accepted", "Valid")
            assert await user.find(DEPLOYMENT, "chat")
            assert "status" not in await user.get(LLM_ENDPOINT, "chat")
            await fails(driver, SAYS)
        told = control_plane.kubectl("get", "events", "-n", user.namespace, "-o", "jsonpath={.items[*].message}")
        assert SAYS in told
    async with driving(proxy, [user.namespace]) as driver:
        await becomes(driver, user, "chat", "Accepted", "Valid")


async def _status_refused(user: User) -> bool:
    """Return whether the policy is in force by now, with an endpoint that goes again."""
    about = {"apiVersion": API, "kind": "LLMEndpoint", "metadata": {"name": "chat-probe", "labels": TEAM}}
    await user.apply({**about, "spec": template(paused=True)})
    metadata = {"name": "chat-probe", "namespace": user.namespace}
    try:
        await user.client.apply_status({**about, "metadata": metadata, "status": {"summary": "probe"}}, "probe")
    except (Forbidden, Invalid):
        await user.delete(LLM_ENDPOINT, "chat-probe")
        return True
    return False
