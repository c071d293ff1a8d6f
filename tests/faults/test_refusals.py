"""Whoever refuses us is quoted in a condition, the rest goes on, and it heals without a hand of the user's.

Each refusal has its real cause in the API server or its controllers; nothing is injected.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import proxy as proxies
import pytest
from chart_render import SYSTEM, of_kind, render
from control_plane import ControlPlane
from driver import Clock, Driver, driving
from proxy import Proxy
from snapshot import objects
from user import API, TEAM, User, reference, template

from modelward.api.quantity import timestamp_ms
from modelward.desired.names import COLLECTOR
from modelward.kube.errors import Forbidden, Invalid
from modelward.kube.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    EVALUATION_RUN,
    JOB,
    LLM_ENDPOINT,
    NAMESPACE,
    POD,
    SERVICE,
    Object,
)

AMOUNTS = {"requests": {"cpu": "4"}, "limits": {"cpu": "4", "memory": "4Gi"}}
RESTRICTED = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
SAYS = "the platform team says no"


async def becomes(driver: Driver, user: User, name: str, type_: str, reason: str, seconds: float = 40.0) -> str:
    """Reconcile until a condition has this reason; return its message."""
    found: dict[str, Any] = {}
    try:
        async with asyncio.timeout(seconds):
            while found.get("reason") != reason:
                await driver.sync()
                await driver.round()
                found = await user.condition(name, type_)
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"{type_} of {name} is {found}, not {reason}; failed: {driver.failed}") from None
    return str(found.get("message", ""))


async def eventually(look: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not await look():  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.05)


async def tried_again(driver: Driver, rounds: int = 6) -> list[str]:
    """Reconcile some more times; return what was written, or tried to be, in the last."""
    mark = 0
    for _ in range(rounds):
        mark = len(driver.writes)
        await driver.sync()
        await driver.round()
    return [one.partition("/")[2] for one in driver.writes[mark:]]


def quota(**hard: str) -> Object:
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": hard}}


def limits(**item: Any) -> Object:
    spec = {"limits": [{"type": "Container", **item}]}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "bounds"}, "spec": spec}


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
        assert (await neighbour.condition("chat", "Accepted"))["reason"] == "Valid"
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
    """Tell whether an endpoint's model has a pod with the limits of the namespace."""
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


def admission(user: User, resources: tuple[str, ...], expression: str) -> list[Object]:
    """Return a policy, in force in the user's namespace, that refuses where the expression is false."""
    groups = ["", "apps", "modelward.dev"]
    rule = {"apiGroups": groups, "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": list(resources)}
    where: Object = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": user.namespace}}}
    api, about = "admissionregistration.k8s.io/v1", {"metadata": {"name": user.namespace}}
    spec: Object = {"matchConstraints": {**where, "resourceRules": [rule]}, "failurePolicy": "Fail"}
    spec |= {"validations": [{"expression": expression, "message": SAYS}]}
    binding = {"policyName": user.namespace, "validationActions": ["Deny"]}
    return [
        {"apiVersion": api, "kind": "ValidatingAdmissionPolicy", **about, "spec": spec},
        {"apiVersion": api, "kind": "ValidatingAdmissionPolicyBinding", **about, "spec": binding},
    ]


@contextmanager
def refusing(plane: ControlPlane, user: User, *resources: str, unless: str = "false") -> Iterator[None]:
    """Have an admission policy for the block."""
    plane.apply(*admission(user, resources, unless))
    try:
        yield
    finally:
        for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
            plane.kubectl("delete", kind, user.namespace)


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
            assert (await user.condition("other", "Accepted"))["reason"] == "Valid"
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
            (failure,) = driver.failed.values()
            assert SAYS in str(failure)
        told = control_plane.kubectl("get", "events", "-n", user.namespace, "-o", "jsonpath={.items[*].message}")
        assert SAYS in told
    async with driving(proxy, [user.namespace]) as driver:
        await becomes(driver, user, "chat", "Accepted", "Valid")


async def _status_refused(user: User) -> bool:
    """Tell whether the policy is in force by now, with an endpoint that goes again."""
    about = {"apiVersion": API, "kind": "LLMEndpoint", "metadata": {"name": "chat-probe", "labels": TEAM}}
    await user.apply({**about, "spec": template(paused=True)})
    metadata = {"name": "chat-probe", "namespace": user.namespace}
    try:
        await user.client.apply_status({**about, "metadata": metadata, "status": {"summary": "probe"}}, "probe")
    except (Forbidden, Invalid):
        await user.delete(LLM_ENDPOINT, "chat-probe")
        return True
    return False


Role = dict[str, Any]


def rights(namespace: str) -> tuple[Role, list[Object]]:
    """Return the operator's role in a namespace, as the chart has it, and what binds it to its account."""
    made = render({"watchNamespaces": [namespace], "crds": {"install": False}})
    here = [one for one in of_kind(made, "Role", "RoleBinding") if one["metadata"].get("namespace") == namespace]
    (role,) = of_kind(here, "Role")
    return role, of_kind(here, "RoleBinding")


def less(role: Role, resource: str, *verbs: str) -> Role:
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
    await user.policy(capture={"content": "Redacted", "sample": "10%"})
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
