"""Whoever refuses us is quoted in a condition, the rest goes on, and it heals without a hand of the user's.

Each refusal has its real cause in the API server or its controllers; nothing is injected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from becoming import becomes, eventually
from control_plane import ControlPlane
from driver import Clock, driving
from platform_team import limits, quota
from proxy import Proxy
from user import API, User, template

from modelward.api.quantity import timestamp_ms
from modelward.desired.names import COLLECTOR
from modelward.kube.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    EVALUATION_RUN,
    JOB,
    NAMESPACE,
    POD,
    SERVICE,
    Object,
)

AMOUNTS = {"requests": {"cpu": "4"}, "limits": {"cpu": "4", "memory": "4Gi"}}
PERSONAL = {"name": "personal", "check": {"builtin": "PII"}, "failAbove": "10%"}
RESTRICTED = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def model(**container: Any) -> dict[str, Any]:
    """Return the spec of an endpoint that we run, with more in the model's container."""
    spec = template(replicas=1)
    spec["backend"]["template"]["podTemplate"]["spec"]["containers"][0] |= container
    return spec


@pytest.fixture
async def neighbour(user: User) -> User:
    """Another namespace, in which nothing is refused."""
    return await User.settled(user.client, f"{user.namespace}-next")


async def test_a_quota_on_deployments_is_quoted_while_all_else_goes_on(
    proxy: Proxy, user: User, neighbour: User, control_plane: ControlPlane
) -> None:
    control_plane.apply(quota(**{"count/deployments.apps": "0"}), namespace=user.namespace)
    probe = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "probe"}, "spec": POD_SPEC}
    await eventually(lambda: user.refused(probe))
    for where in (user, neighbour):
        await where.endpoint("chat", template(replicas=1))
    async with driving(proxy, [user.namespace, neighbour.namespace]) as driver:
        assert "exceeded quota: none" in await becomes(driver, user, "chat", "Accepted", "Refused")
        assert (await user.condition("chat", "Ready"))["reason"] == "Refused"
        assert await user.find(SERVICE, "chat")
        assert await user.find(CONFIG_MAP, f"{COLLECTOR}-chat")
        await becomes(driver, neighbour, "chat", "Accepted", "Valid")
        control_plane.kubectl("delete", "resourcequota", "none", "-n", user.namespace)
        await becomes(driver, user, "chat", "Accepted", "Valid")
        assert (await user.get(DEPLOYMENT, "chat"))["spec"]["replicas"] == 1


POD_SPEC: Object = {
    "selector": {"matchLabels": {"app": "probe"}},
    "template": {
        "metadata": {"labels": {"app": "probe"}},
        "spec": {"containers": [{"name": "probe", "image": "modelward.invalid/probe:0"}]},
    },
}
POD_REFUSALS: Mapping[str, tuple[Object, str, dict[str, Any]]] = {
    "a quota on pods": (quota(pods="0"), "exceeded quota: none", model()),
    "a quota on cpu": (quota(**{"requests.cpu": "1"}), "exceeded quota: none", model(resources=AMOUNTS)),
    "a quota that asks for limits": (quota(**{"limits.memory": "1Gi"}), "must specify limits.memory", model()),
    "a LimitRange": (limits(max={"cpu": "1"}), "maximum cpu usage per Container is 1", model(resources=AMOUNTS)),
}


@pytest.mark.parametrize("cause", POD_REFUSALS)
async def test_who_refuses_the_pods_is_quoted_and_forgotten_when_gone(
    proxy: Proxy, user: User, control_plane: ControlPlane, cause: str
) -> None:
    rule, says, spec = POD_REFUSALS[cause]
    control_plane.apply(rule, namespace=user.namespace)
    container = spec["backend"]["template"]["podTemplate"]["spec"]["containers"][0]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": {"containers": [container]}}
    await eventually(lambda: user.refused(pod))
    await user.endpoint("chat", spec)
    async with driving(proxy, [user.namespace]) as driver:
        assert says in await becomes(driver, user, "chat", "WorkloadReady", "Refused")
        ready = await user.condition("chat", "Ready")
        assert (ready["status"], ready["reason"]) == ("False", "Refused")
        assert says in ready["message"]
        assert (await user.condition("chat", "Accepted"))["status"] == "True", "the spec is not at fault"
        control_plane.kubectl("delete", rule["kind"], rule["metadata"]["name"], "-n", user.namespace)
        await becomes(driver, user, "chat", "WorkloadReady", "NotReady")
        await driver.converge()


async def test_a_quota_that_refuses_the_pod_of_a_run_is_no_run_that_runs(
    proxy: Proxy, user: User, control_plane: ControlPlane
) -> None:
    control_plane.apply(quota(pods="0"), namespace=user.namespace)
    probe = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": POD_SPEC["template"]["spec"]}
    await eventually(lambda: user.refused(probe))
    await user.endpoint("chat", template(replicas=0))
    await user.policy(evaluations=[PERSONAL])
    run = {"apiVersion": API, "kind": "EvaluationRun", "metadata": {"name": "once"}, "spec": {"endpoint": "chat"}}
    await user.apply(run)
    clock = Clock()
    async with driving(proxy, [user.namespace], clock) as driver:
        await driver.converge()
        await eventually(lambda: _begun(user, "once"))
        clock.now_ms = timestamp_ms((await user.get(JOB, "once"))["status"]["startTime"]) + 31_000
        await driver.converge()
        complete = await user.condition("once", "Complete", EVALUATION_RUN)
        assert complete["reason"] == "NoPod"
        events = control_plane.kubectl("get", "events", "-n", user.namespace, "-o", "jsonpath={.items[*].message}")
        assert "exceeded quota: none" in events, "where the message leads to"


async def _begun(user: User, job: str) -> bool:
    return "startTime" in (await user.get(JOB, job)).get("status", {})


async def test_limits_that_a_namespace_gives_to_pods_are_no_reason_to_write_again(
    proxy: Proxy, user: User, control_plane: ControlPlane
) -> None:
    bounds = limits(default={"cpu": "1", "memory": "1Gi"}, defaultRequest={"cpu": "100m"}, min={"cpu": "1m"})
    control_plane.apply(bounds, namespace=user.namespace)
    await user.endpoint("chat", model())
    await user.endpoint("front", template(replicas=1, collector={"mode": "Gateway"}))
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
        await eventually(lambda: _limited(user, "chat"))
        await driver.converge()
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
        assert driver.writes == []


async def _limited(user: User, endpoint: str) -> bool:
    """Return whether an endpoint's model has a pod with the limits of the namespace."""
    pods = (await user.client.list(POD, user.namespace, label_selector=f"modelward.dev/endpoint={endpoint}")).items
    wanted = {"cpu": "1", "memory": "1Gi"}
    return any(one["spec"]["containers"][0]["resources"]["limits"] == wanted for one in pods)


async def restrict(user: User) -> None:
    enforce = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    await user.client.patch(NAMESPACE, None, user.namespace, enforce)


async def test_in_a_restricted_namespace_our_pods_are_let_in_and_who_refuses_the_users_is_quoted(
    proxy: Proxy, user: User
) -> None:
    await restrict(user)
    await user.endpoint("good", model(securityContext=RESTRICTED))
    await user.endpoint("front", template(replicas=1, collector={"mode": "Gateway"}))
    await user.policy(evaluations=[PERSONAL])
    run = {"apiVersion": API, "kind": "EvaluationRun", "metadata": {"name": "once"}, "spec": {"endpoint": "good"}}
    await user.apply(run)
    async with driving(proxy, [user.namespace]) as driver:
        says = await becomes(driver, user, "front", "WorkloadReady", "Refused")
        assert 'violates PodSecurity "restricted' in says
        assert "modelward-collector" not in says, "what is at fault is the user's container alone"
        for workload in ("good", "front-gateway"):
            await eventually(lambda workload=workload: _all_there(user, workload))  # type: ignore[misc]
        await eventually(lambda: _started(user, "once"))
        pods = (await user.client.list(POD, user.namespace)).items
        assert {pod["metadata"]["labels"]["modelward.dev/component"] for pod in pods} == {
            "model", "gateway", "evaluator",
        }  # fmt: skip
        fixed = template(replicas=1, collector={"mode": "Gateway"})
        fixed["backend"] = model(securityContext=RESTRICTED)["backend"]
        await user.endpoint("front", fixed)
        await driver.converge()
        mine = "modelward.dev/endpoint=front,modelward.dev/component=model"
        await eventually(lambda: _any(user, mine))


async def _all_there(user: User, workload: str) -> bool:
    obj = await user.get(DEPLOYMENT, workload)
    return bool(obj.get("status", {}).get("replicas") == obj["spec"]["replicas"])


async def _any(user: User, selector: str) -> bool:
    return bool((await user.client.list(POD, user.namespace, label_selector=selector)).items)


async def _started(user: User, job: str) -> bool:
    return bool((await user.get(JOB, job)).get("status", {}).get("active") == 1)
