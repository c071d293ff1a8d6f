"""Other hands on what Modelward makes: what is ours is put back, what is theirs stays, and no writer is fought."""

from __future__ import annotations

import asyncio
import copy
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from control_plane import ControlPlane
from driver import Driver, driving
from owned_fields import Path, altered, owned, text, without
from proxy import Proxy
from snapshot import differences, snapshot
from user import API, User, reference, template

from modelward.desired.names import ROLLOUT_AT, TEMPLATE_HASH
from modelward.kube.errors import Conflict, Invalid
from modelward.kube.kinds import CONFIG_MAP, DEPLOYMENT, SERVICE, SERVICE_ACCOUNT, Kind, Object

FULL = os.environ.get("MODELWARD_FULL") == "1"
CHILDREN: tuple[tuple[Kind, str], ...] = (
    (DEPLOYMENT, "chat"),
    (SERVICE, "chat"),
    (CONFIG_MAP, "modelward-collector-chat"),
    (DEPLOYMENT, "front-gateway"),
    (SERVICE, "front"),
    (SERVICE, "front-pods"),
    (CONFIG_MAP, "modelward-collector-front"),
    (SERVICE_ACCOUNT, "modelward-gateway"),
    (SERVICE, "theirs-collector"),
    (CONFIG_MAP, "modelward-collector-theirs"),
)
"""Every child of one endpoint of each kind."""


async def declared(user: User) -> None:
    """Declare an endpoint that we run, one behind a gateway, and one that we adopt."""
    await user.workload()
    await user.endpoint("chat", template(replicas=2))
    await user.endpoint("front", template(replicas=1, collector={"mode": "Gateway"}))
    await user.endpoint("theirs", reference(mode="Sidecar"))
    await user.policy(capture={"content": "Redacted", "sample": "10%"})


async def edit(user: User, obj: Object) -> Object:
    """Store the whole object as `kubectl edit` does."""
    return await user.client.replace(obj, manager="kubectl-edit")


async def seen(user: User) -> dict[str, Any]:
    """Return all children as they are, with what we own of each."""
    found = await snapshot(user.client, user.namespace, generations=False)
    children = {f"{kind.kind}/{name}": found.get(f"{kind.kind}/{name}") for kind, name in CHILDREN}
    for child in filter(None, children.values()):
        child["ours"] = sorted(map(text, owned(child, "modelward")))
        child["metadata"].pop("managedFields")
        child["metadata"].get("annotations", {}).pop("deployment.kubernetes.io/revision", None)
    return children


async def heal(driver: Driver) -> None:
    """Observe and reconcile once, and again after a conflict."""
    for _ in range(5):
        await driver.sync()
        await driver.round()
        if not driver.failed:
            return


@dataclass(slots=True)
class Edits:
    """All edits of one child: each field that we own with another value, and without it."""

    kind: Kind
    name: str
    left: list[tuple[Path, Callable[[Mapping[str, Any], Path], dict[str, Any]]]]
    made: int = 0

    async def next(self, user: User) -> str:
        """Make the next edit that the API server takes; empty when none is left."""
        while self.left:
            path, change = self.left.pop()
            try:
                await edit(user, change(await user.get(self.kind, self.name), path))
            except (Invalid, LookupError):  # required, immutable, or no such value: it cannot be edited so
                continue
            except Conflict:  # the cluster's own controllers note something on it all the time
                self.left.append((path, change))
                continue
            self.made += 1
            return f"{self.kind.kind} {self.name}: {change.__name__} {text(path)}"
        return ""


def edits(kind: Kind, obj: Object, step: int) -> Edits:
    paths = [path for path in owned(obj, "modelward") if path[-1] not in ("name", "namespace") or len(path) > 2]
    return Edits(kind, obj["metadata"]["name"], [(path, how) for path in paths[::step] for how in (altered, without)])


async def test_each_field_of_ours_that_another_hand_changes_or_takes_out_is_put_back(proxy: Proxy, user: User) -> None:
    await declared(user)
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
        before = await seen(user)
        found = [(kind, await user.get(kind, name)) for kind, name in CHILDREN]
        every = [edits(kind, obj, 1 if FULL or kind != DEPLOYMENT else 4) for kind, obj in found]
        left: list[str] = []
        while made := [what for one in every if (what := await one.next(user))]:
            await heal(driver)
            if now := differences(before, await seen(user)):
                left += ["edited:", *made, "left:", *now]
                before = await seen(user)
        assert not left, "\n".join(left)
        assert not driver.failed
    assert min(one.made for one in every) >= 4, {one.name: one.made for one in every}
    print(f"edits healed: {sum(one.made for one in every)}")


async def test_each_child_that_another_hand_deletes_is_made_again_the_same(proxy: Proxy, user: User) -> None:
    await declared(user)
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
        before = await seen(user)
        for kind, name in CHILDREN:
            assert await user.client.delete(kind, user.namespace, name), name
        await driver.converge()
        assert differences(before, await seen(user)) == []
        mark = len(driver.writes)
        await driver.converge()
        assert driver.writes[mark:] == []


def enriched(obj: Object) -> Object:
    """Return a child with what other people and tools add to it."""
    changed: Object = copy.deepcopy(obj)
    metadata, theirs = changed["metadata"], {"example.com/theirs": "yes"}
    metadata["labels"] |= theirs
    metadata["annotations"] |= theirs
    match obj["kind"]:
        case "ConfigMap":
            changed["data"]["theirs"] = "yes"
        case "Service":
            changed["spec"]["sessionAffinity"] = "ClientIP"
            changed["spec"]["ports"].append({"name": "theirs", "port": 9, "targetPort": 9, "protocol": "TCP"})
        case "Deployment":
            changed["spec"]["minReadySeconds"] = 3
            pod = changed["spec"]["template"]["spec"]
            pod["nodeSelector"] = theirs
            pod["containers"].append({"name": "theirs", "image": "modelward.invalid/mesh:0"})
            pod["containers"][0].setdefault("env", []).append({"name": "THEIRS", "value": "yes"})
    return changed


async def test_what_others_add_to_our_children_stays_and_costs_no_write(proxy: Proxy, user: User) -> None:
    await declared(user)
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
        for kind, name in CHILDREN:
            await put(user, kind, name, enriched)
        mark = len(driver.writes)
        before = await seen(user)
        await driver.converge()
        assert differences(before, await seen(user)) == []
        assert [one for one in driver.writes[mark:] if "llmendpoints" not in one] == []
        await user.policy(capture={"content": "Redacted", "sample": "20%"})  # and when we do write
        await driver.converge()
        config = await user.get(CONFIG_MAP, "modelward-collector-chat")
        assert config["data"]["theirs"] == "yes"
        assert config["metadata"]["labels"]["example.com/theirs"] == "yes"


async def put(user: User, kind: Kind, name: str, change: Callable[[Object], Object]) -> Object:
    """Edit an object, anew where one of the cluster's controllers was faster."""
    while True:
        try:
            return await edit(user, change(await user.get(kind, name)))
        except Conflict:
            continue


def other_image(obj: Object) -> Object:
    """Return the model's Deployment after `kubectl set image`."""
    return altered(obj, (*POD, "containers", 0, "image"))


def no_sidecar(obj: Object) -> Object:
    """Return the model's Deployment without our collector."""
    return without(obj, (*POD, "initContainers"))


def no_arguments(obj: Object) -> Object:
    """Return the model's Deployment without a field that the user had written."""
    return without(obj, (*POD, "containers", 0, "args"))


POD: Path = ("spec", "template", "spec")
TOLD: Mapping[Callable[[Object], Object], tuple[str, str]] = {
    other_image: ("WorkloadReady", "spec.containers[model].image"),
    no_arguments: ("WorkloadReady", "spec.containers[model].args"),
    no_sidecar: ("CollectorReady", "another writer removed the collector"),
}


@pytest.mark.parametrize("change", TOLD, ids=lambda change: change.__name__)
async def test_a_pod_template_that_another_hand_has_changed_is_told_of_and_rolls_only_when_asked(
    proxy: Proxy, user: User, change: Callable[[Object], Object]
) -> None:
    spec = template(replicas=1)
    spec["backend"]["template"]["podTemplate"]["spec"]["containers"][0]["args"] = ["--fast"]
    await user.endpoint("chat", spec)
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
        before = await user.get(DEPLOYMENT, "chat")
        hers = await put(user, DEPLOYMENT, "chat", change)
        await driver.converge()
        type_, says = TOLD[change]
        assert says in await told(driver, user, type_)
        after = await user.get(DEPLOYMENT, "chat")
        assert after["spec"] == hers["spec"]
        front = await user.get(SERVICE, "chat")
        bypassed = change is no_sidecar
        assert front["spec"]["ports"][0]["targetPort"] == (8080 if bypassed else 18080), "clients meet who listens"
        await user.endpoint("chat", spec, annotations={ROLLOUT_AT: "now"})
        await driver.converge()
        back = await user.get(DEPLOYMENT, "chat")
        back["spec"]["template"]["metadata"].pop("annotations")
        assert back["spec"] == before["spec"]
        assert says not in await told(driver, user, type_)


async def told(driver: Driver, user: User, type_: str) -> str:
    """Return the message of a condition an hour later: a message alone is not written at once."""
    driver.clock.now_ms += 3_600_001
    await driver.converge()
    return str((await user.condition("chat", type_)).get("message", ""))


async def test_the_note_of_the_template_that_another_hand_took_off_comes_back_without_a_roll_out(
    proxy: Proxy, user: User
) -> None:
    await user.endpoint("chat", template(replicas=1))
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
    before = await user.get(DEPLOYMENT, "chat")
    await put(user, DEPLOYMENT, "chat", lambda obj: without(obj, ("metadata", "annotations", TEMPLATE_HASH)))
    async with driving(proxy, [user.namespace], collector_image="modelward.invalid/collector:9") as driver:
        await driver.converge()
        after = await user.get(DEPLOYMENT, "chat")
        assert after["metadata"]["annotations"] == before["metadata"]["annotations"]
        assert after["spec"] == before["spec"]
        newer = template(replicas=1)
        newer["backend"]["template"]["podTemplate"]["spec"]["containers"][0]["image"] = "modelward.invalid/vllm:1"
        await user.endpoint("chat", newer)
        await driver.converge()
        changed = await user.get(DEPLOYMENT, "chat")
        assert changed["spec"]["template"]["spec"]["containers"][0]["image"] == "modelward.invalid/vllm:1"
        assert changed["metadata"]["annotations"][TEMPLATE_HASH] != before["metadata"]["annotations"][TEMPLATE_HASH]
        mark = len(driver.writes)
        await driver.converge()
        assert driver.writes[mark:] == []


async def test_what_the_job_of_a_run_needs_is_made_again_and_its_plan_never_changes(
    proxy: Proxy, user: User, control_plane: ControlPlane
) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    control_plane.apply(quota, namespace=user.namespace)  # the pod never comes
    pod = {"containers": [{"name": "probe", "image": "modelward.invalid/probe:0"}]}
    probe = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": pod}
    while not await user.refused(probe):  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.05)
    await user.endpoint("chat", template(replicas=0))
    check = {"builtin": "OffTopicAnswered", "config": {"inScope": ["cards"]}}
    asked = [{"name": "topic", "check": check, "failAbove": "10%"}]
    await user.policy(capture={"content": "Redacted", "sample": "10%"}, evaluations=asked)
    await user.apply(
        {"apiVersion": API, "kind": "EvaluationRun", "metadata": {"name": "once"}, "spec": {"endpoint": "chat"}}
    )
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
        plan = await user.get(CONFIG_MAP, "once")
        assert '"evaluation":"topic"' in plan["data"]["plan.json"]
        for kind, name in ((CONFIG_MAP, "once"), (SERVICE_ACCOUNT, "modelward-evaluate")):
            await user.delete(kind, name)
        await driver.converge()
        again = await user.get(CONFIG_MAP, "once")
        assert again["data"] == plan["data"]
        assert await user.find(SERVICE_ACCOUNT, "modelward-evaluate")
        asked[0]["failAbove"] = "20%"
        asked[0]["check"] = {**check, "config": {"inScope": ["loans"]}}
        await user.policy(capture={"content": "Redacted", "sample": "10%"}, evaluations=asked)
        await driver.converge()
        assert (await user.get(CONFIG_MAP, "once"))["data"] == plan["data"]
