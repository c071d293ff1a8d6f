"""The port on a real API server: each verb keeps what it promises."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator

import pytest

from modelward.kube.client import Client
from modelward.kube.errors import Conflict, Invalid, LeadershipLost, NamespaceEnding, NotFound, Unavailable
from modelward.kube.kinds import (
    CONFIG_MAP,
    CUSTOM_RESOURCE_DEFINITION,
    DEPLOYMENT,
    EVENT,
    LEASE,
    NAMESPACE,
    Kind,
    Object,
)
from modelward.kube.scale import Scale

pytestmark = pytest.mark.cluster


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client.connect(os.environ["MODELWARD_TEST_KUBECONFIG"]) as client:
        yield client


@pytest.fixture
async def namespace(client: Client) -> AsyncIterator[str]:
    name = f"port-{uuid.uuid4().hex[:8]}"
    await client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    await client.delete(NAMESPACE, None, name)


def config_map(namespace: str, name: str = "settings", **data: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }


def deployment(namespace: str, **spec: object) -> Object:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"selector": {"matchLabels": labels}, "template": template} | spec,
    }


async def test_kube_absent_objects_are_none_or_not_found_and_deleting_them_is_no_error(
    client: Client, namespace: str
) -> None:
    assert await client.find(CONFIG_MAP, namespace, "nothing") is None
    with pytest.raises(NotFound):
        await client.get(CONFIG_MAP, namespace, "nothing")
    assert await client.delete(CONFIG_MAP, namespace, "nothing") is False


async def test_kube_created_twice_is_a_conflict(client: Client, namespace: str) -> None:
    await client.create(config_map(namespace, a="1"))
    with pytest.raises(Conflict) as conflict:
        await client.create(config_map(namespace, a="1"))
    assert conflict.value.reason == "AlreadyExists"


async def test_kube_applying_the_same_again_writes_nothing(client: Client, namespace: str) -> None:
    first = await client.apply(config_map(namespace, a="1"), "modelward")
    again = await client.apply(config_map(namespace, a="1"), "modelward")
    assert first["metadata"]["resourceVersion"] == again["metadata"]["resourceVersion"]


async def test_kube_field_managers_keep_their_own_fields(client: Client, namespace: str) -> None:
    await client.apply(deployment(namespace, replicas=1), "modelward")
    with pytest.raises(Conflict) as conflict:
        await client.apply(deployment(namespace, replicas=2), "other", force=False)
    assert "modelward" in conflict.value.message
    scaled = await client.set_scale(DEPLOYMENT, namespace, "web", 4, manager="modelward-scale")
    assert scaled.replicas == 4
    kept = await client.apply(deployment(namespace), "modelward-template")
    assert kept["spec"]["replicas"] == 4


async def test_kube_apply_with_a_uid_never_takes_over_another_object(client: Client, namespace: str) -> None:
    await client.create(config_map(namespace, owner="a user"))
    ours = config_map(namespace, owner="us")
    ours["metadata"]["uid"] = str(uuid.uuid4())
    with pytest.raises(Conflict):
        await client.apply(ours, "modelward")
    assert (await client.get(CONFIG_MAP, namespace, "settings"))["data"] == {"owner": "a user"}


async def test_kube_strict_apply_names_the_unknown_field(client: Client, namespace: str) -> None:
    with pytest.raises(Invalid, match=r"spec\.repilcas"):
        await client.apply(deployment(namespace, repilcas=3), "modelward", strict=True, dry_run=True)
    assert await client.find(DEPLOYMENT, namespace, "web") is None


async def test_kube_dry_run_stores_nothing(client: Client, namespace: str) -> None:
    shown = await client.apply(config_map(namespace, a="1"), "modelward", dry_run=True)
    assert shown["data"] == {"a": "1"}
    assert await client.find(CONFIG_MAP, namespace, "settings") is None


async def test_kube_preconditions_protect_the_newer_object(client: Client, namespace: str) -> None:
    old = await client.create(config_map(namespace, a="1"))
    new = await client.patch(CONFIG_MAP, namespace, "settings", {"data": {"a": "2"}})
    stale = {"metadata": {"resourceVersion": old["metadata"]["resourceVersion"]}, "data": {"a": "3"}}
    with pytest.raises(Conflict):
        await client.patch(CONFIG_MAP, namespace, "settings", stale)
    with pytest.raises(Conflict):
        await client.patch(CONFIG_MAP, namespace, "settings", {"metadata": {"uid": str(uuid.uuid4())}, "data": {}})
    with pytest.raises(Conflict):
        await client.delete(CONFIG_MAP, namespace, "settings", uid=str(uuid.uuid4()))
    with pytest.raises(Conflict):
        await client.delete(
            CONFIG_MAP,
            namespace,
            "settings",
            uid=new["metadata"]["uid"],
            resource_version=old["metadata"]["resourceVersion"],
        )
    version = new["metadata"]["resourceVersion"]
    assert await client.delete(CONFIG_MAP, namespace, "settings", uid=new["metadata"]["uid"], resource_version=version)


async def test_kube_json_patch_may_test_before_it_changes(client: Client, namespace: str) -> None:
    await client.create(config_map(namespace, a="1"))
    change = {"op": "replace", "path": "/data/a", "value": "2"}
    with pytest.raises(Invalid):
        await client.patch(CONFIG_MAP, namespace, "settings", [{"op": "test", "path": "/data/a", "value": "0"}, change])
    changed = await client.patch(
        CONFIG_MAP, namespace, "settings", [{"op": "test", "path": "/data/a", "value": "1"}, change]
    )
    assert changed["data"] == {"a": "2"}


def paused(obj: Object) -> Object:
    return {**obj, "spec": {**obj["spec"], "paused": True}}


async def quiet_scale(client: Client, namespace: str) -> Scale:
    """Return the scale once the controllers have observed the object and left it alone for a second."""
    while True:
        before = await client.get(DEPLOYMENT, namespace, "web")
        await asyncio.sleep(1.0)
        scale = await client.get_scale(DEPLOYMENT, namespace, "web")
        observed = before.get("status", {}).get("observedGeneration") == before["metadata"]["generation"]
        if observed and scale.resource_version == before["metadata"]["resourceVersion"]:
            return scale


async def test_kube_scaling_holds_to_the_version_that_was_read(client: Client, namespace: str) -> None:
    # Paused, so that no controller writes to it between our read and our write.
    await client.apply(paused(deployment(namespace, replicas=1)), "modelward")
    read = await quiet_scale(client, namespace)
    assert (read.replicas, read.selector) == (1, "app=web")
    await client.set_scale(DEPLOYMENT, namespace, "web", 2, resource_version=read.resource_version, uid=read.uid)
    with pytest.raises(Conflict):
        await client.set_scale(DEPLOYMENT, namespace, "web", 3, resource_version=read.resource_version)
    with pytest.raises(Conflict):
        await client.set_scale(DEPLOYMENT, namespace, "web", 3, uid=str(uuid.uuid4()))
    assert (await client.get_scale(DEPLOYMENT, namespace, "web")).replicas == 2


async def test_kube_status_is_applied_apart_from_the_spec(client: Client, namespace: str) -> None:
    await client.apply(deployment(namespace, replicas=1), "modelward")
    status = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"replicas": 9},
        "status": {"observedGeneration": 1, "replicas": 1},
    }
    written = await client.apply_status(status, "modelward-status")
    assert (written["spec"]["replicas"], written["status"]["replicas"]) == (1, 1)


async def test_kube_long_lists_come_whole_and_say_their_kind(client: Client, namespace: str) -> None:
    for number in range(7):
        await client.create(config_map(namespace, name=f"item-{number}"))
    listing = await client.list(CONFIG_MAP, namespace, page=3)
    names = [item["metadata"]["name"] for item in listing.items if item["metadata"]["name"].startswith("item-")]
    assert names == [f"item-{number}" for number in range(7)]
    assert {(item["apiVersion"], item["kind"]) for item in listing.items} == {("v1", "ConfigMap")}
    assert int(listing.resource_version) >= max(int(item["metadata"]["resourceVersion"]) for item in listing.items)


async def test_kube_label_selectors_are_the_servers_work(client: Client, namespace: str) -> None:
    labelled = config_map(namespace, name="labelled")
    labelled["metadata"]["labels"] = {"modelward.dev/endpoint": "chat"}
    await client.create(labelled)
    await client.create(config_map(namespace, name="other"))
    listing = await client.list(CONFIG_MAP, namespace, label_selector="modelward.dev/endpoint=chat")
    assert [item["metadata"]["name"] for item in listing.items] == ["labelled"]


async def test_kube_the_same_event_is_counted_not_repeated(client: Client, namespace: str) -> None:
    regarding = await client.create(config_map(namespace, a="1"))
    for _ in range(3):
        await client.event(regarding, type="Warning", reason="Degraded", note="errors 3 % > 1 %, n=120")
    await client.event(regarding, type="Normal", reason="Recovered", note="errors 0.2 %, n=130")
    events = {event["reason"]: event for event in (await client.list(EVENT, namespace)).items}
    assert set(events) == {"Degraded", "Recovered"}
    assert events["Degraded"]["series"]["count"] == 2
    assert events["Degraded"]["regarding"]["uid"] == regarding["metadata"]["uid"]


async def test_kube_events_of_cluster_scoped_objects_go_to_default(client: Client, namespace: str) -> None:
    regarding = await client.get(NAMESPACE, None, namespace)
    await client.event(regarding, type="Normal", reason="Watched", note=namespace)
    events = await client.list(EVENT, "default", field_selector=f"regarding.name={namespace}")
    assert [event["note"] for event in events.items] == [namespace]


async def test_kube_an_event_that_cannot_be_posted_is_no_error(client: Client) -> None:
    regarding = config_map("no-such-namespace") | {"apiVersion": "v1"}
    posted = client.event(regarding, type="Normal", reason="Lost", note="nowhere to post this")
    assert await posted is None  # type: ignore[func-returns-value]


async def test_kube_a_namespace_that_goes_is_told_from_a_right_that_is_missing(client: Client, namespace: str) -> None:
    held = config_map(namespace, "held")
    held["metadata"]["finalizers"] = ["modelward.dev/test"]
    await client.create(held)
    await client.delete(NAMESPACE, None, namespace)
    try:
        with pytest.raises(NamespaceEnding, match="being terminated"):
            await client.apply(config_map(namespace, "late"), "modelward")
        with pytest.raises(NamespaceEnding, match="being terminated"):
            await client.create(config_map(namespace, "later"))
    finally:
        await client.patch(CONFIG_MAP, namespace, "held", {"metadata": {"finalizers": None}})


async def test_kube_served_tells_which_kinds_are_there(client: Client) -> None:
    assert await client.served(DEPLOYMENT)
    assert await client.served(CUSTOM_RESOURCE_DEFINITION)
    assert not await client.served(Kind("nobody.example", "v1", "things", "Thing"))
    assert not await client.served(Kind("apps", "v1", "things", "Thing"))


async def test_kube_nothing_is_written_once_the_lease_ran_out(client: Client, namespace: str) -> None:
    guarded = client.guarded(lambda: 0.0)
    with pytest.raises(LeadershipLost):
        await guarded.apply(config_map(namespace, a="1"), "modelward")
    assert await guarded.find(CONFIG_MAP, namespace, "settings") is None


async def test_kube_a_write_gives_up_when_the_lease_does(client: Client, namespace: str) -> None:
    guarded = client.guarded(lambda: 0.001)
    with pytest.raises(Unavailable):
        await guarded.apply(config_map(namespace, a="1"), "modelward")


async def test_kube_leases_are_replaced_only_at_the_version_read(client: Client, namespace: str) -> None:
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
    named = lease | {"metadata": {"name": "modelward", "namespace": namespace}, "spec": {"holderIdentity": "a"}}
    first = await client.create(named)
    await client.replace(first | {"spec": {"holderIdentity": "b"}})
    with pytest.raises(Conflict):
        await client.replace(first | {"spec": {"holderIdentity": "c"}})
    assert (await client.get(LEASE, namespace, "modelward"))["spec"]["holderIdentity"] == "b"
