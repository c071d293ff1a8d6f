"""A right that the operator lacks is named; the chart's rights alone are enough for owners to be set."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping

import proxy as proxies
import pytest
from becoming import becomes, eventually, tried_again
from chart_render import SYSTEM, of_kind, render
from control_plane import ControlPlane
from driver import driving
from proxy import Proxy
from snapshot import objects
from user import API, User, reference, template

from modelward.desired.names import COLLECTOR
from modelward.kube.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    SERVICE,
    Object,
)


def rights(namespace: str) -> tuple[Object, list[Object]]:
    """Return the operator's role in a namespace, as the chart has it, and what binds it to its account."""
    made = render({"watchNamespaces": [namespace], "crds": {"install": False}})
    here = [one for one in of_kind(made, "Role", "RoleBinding") if one["metadata"].get("namespace") == namespace]
    (role,) = of_kind(here, "Role")
    return role, of_kind(here, "RoleBinding")


def less(role: Object, resource: str, *verbs: str) -> Object:
    """Return a role without some verbs on one resource."""
    rest = copy.deepcopy(role)
    for rule in [rule for rule in rest["rules"] if resource in rule["resources"]]:
        rule["resources"].remove(resource)
        kept = [verb for verb in rule["verbs"] if verb not in verbs]
        if kept:
            rest["rules"].append({**rule, "resources": [resource], "verbs": kept})
    rest["rules"] = [rule for rule in rest["rules"] if rule["resources"]]
    return rest


@pytest.fixture
def operator(control_plane: ControlPlane) -> Iterator[Proxy]:
    """A proxy that has only the rights of the operator's account."""
    account = f"system:serviceaccount:{SYSTEM}:modelward"
    with proxies.running(control_plane.kubeconfig, user=account) as running:
        yield running


async def test_with_the_charts_rights_alone_owners_are_set_and_set_again(
    operator: Proxy, user: User, control_plane: ControlPlane
) -> None:
    role, bindings = rights(user.namespace)
    control_plane.apply(role, *bindings)
    await user.workload()
    await user.endpoint("chat", template(replicas=1))
    await user.endpoint("front", template(replicas=1, collector={"mode": "Gateway"}))
    await user.endpoint("theirs", reference(mode="Sidecar", replicas=1))
    evaluation = {"name": "personal", "check": {"builtin": "PII"}, "failAbove": "10%"}
    await user.policy(capture={"content": "Redacted", "sample": "10%"}, evaluations=[evaluation])
    run = {"apiVersion": API, "kind": "EvaluationRun", "metadata": {"name": "once"}, "spec": {"endpoint": "chat"}}
    await user.apply(run)
    async with driving(operator, [user.namespace]) as driver:
        await becomes(driver, user, "chat", "Accepted", "Valid")
        await driver.converge()
        for name in ("chat", "front", "theirs"):
            assert (await user.condition(name, "Accepted"))["reason"] == "Valid"
        for kind, name in ((SERVICE, "chat"), (CONFIG_MAP, f"{COLLECTOR}-chat"), (DEPLOYMENT, "chat")):
            orphan = await user.get(kind, name)
            orphan["metadata"].pop("ownerReferences")
            await user.client.replace(orphan, manager="kubectl-edit")
        await driver.converge()
    forbidden = [str(one.call) for one in operator.recorded if one.answered == 403]
    assert forbidden == []
    made = [one for one in await objects(user.client, user.namespace) if one["metadata"].get("ownerReferences")]
    assert {(one["kind"], one["metadata"]["name"]) for one in made} >= {
        ("Deployment", "chat"), ("Service", "chat"), ("Job", "once"), ("Deployment", "front-gateway"),
    }  # fmt: skip
    references = [reference_ for one in made for reference_ in one["metadata"]["ownerReferences"]]
    assert not any(reference_.get("blockOwnerDeletion") for reference_ in references), "needs a right on finalizers"


async def test_an_owner_that_may_not_be_set_is_quoted_until_it_may(
    operator: Proxy, user: User, control_plane: ControlPlane
) -> None:
    role, bindings = rights(user.namespace)
    control_plane.apply(role, *bindings)
    await user.endpoint("chat", template(replicas=1))
    async with driving(operator, [user.namespace]) as driver:
        await becomes(driver, user, "chat", "Accepted", "Valid")
        control_plane.apply(less(role, "services", "delete"))
        orphan = await user.get(SERVICE, "chat")
        orphan["metadata"].pop("ownerReferences")
        await user.client.replace(orphan, manager="kubectl-edit")
        says = await becomes(driver, user, "chat", "Accepted", "Refused")
        assert "Service chat" in says
        assert "cannot set an ownerRef on a resource you can't delete" in says
        control_plane.apply(role)
        await becomes(driver, user, "chat", "Accepted", "Valid")
    assert (await user.get(SERVICE, "chat"))["metadata"]["ownerReferences"]


RIGHTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "writing Services": ("services", ("create", "patch")),
    "writing Deployments": ("deployments", ("create", "patch")),
    "reading HorizontalPodAutoscalers": ("horizontalpodautoscalers", ("list", "get", "watch")),
}


@pytest.mark.parametrize("missing", RIGHTS)
async def test_a_right_that_is_missing_is_named_while_all_else_goes_on(
    operator: Proxy, user: User, control_plane: ControlPlane, missing: str
) -> None:
    resource, verbs = RIGHTS[missing]
    role, bindings = rights(user.namespace)
    control_plane.apply(less(role, resource, *verbs), *bindings)
    await user.endpoint("chat", template(replicas=1))
    async with driving(operator, [user.namespace]) as driver:
        says = await becomes(driver, user, "chat", "Accepted", "Refused")
        assert f'cannot {"list" if "list" in verbs else "patch"} resource "{resource}"' in says
        kinds = {"services": SERVICE, "deployments": DEPLOYMENT}
        made = {name: bool(await user.find(kind, "chat")) for name, kind in kinds.items()}
        assert made == {name: name != resource for name in kinds}
        assert await tried_again(driver) == ([f"{resource}/chat"] if resource in kinds else [])
        control_plane.apply(role)
        await becomes(driver, user, "chat", "Accepted", "Valid")
        assert await user.find(SERVICE, "chat")
        assert await user.find(DEPLOYMENT, "chat")


async def test_without_the_right_to_list_pods_an_endpoint_says_so(
    operator: Proxy, user: User, control_plane: ControlPlane
) -> None:
    role, bindings = rights(user.namespace)
    control_plane.apply(role, *bindings)
    await user.workload()
    await user.endpoint("theirs", reference())
    async with driving(operator, [user.namespace]) as driver:
        await becomes(driver, user, "theirs", "Accepted", "Valid")
        control_plane.apply(less(role, "pods", "list", "watch", "get"))
        await user.workload(replicas=2)
        driver.see(DEPLOYMENT, await user.get(DEPLOYMENT, "my-vllm"))

        async def told() -> bool:
            await driver.round()
            return bool((await user.condition("theirs", "Accepted"))["reason"] == "Refused")

        await eventually(told)
        assert 'cannot list resource "pods"' in (await user.condition("theirs", "Accepted"))["message"]
        control_plane.apply(role)
        await becomes(driver, user, "theirs", "Accepted", "Valid")
