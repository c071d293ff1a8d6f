"""The watch on a real API server: what changed arrives, whatever ends the watch, and nothing is written."""

import asyncio
import os
import threading
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from waiting import PATIENCE_S, PROCESS_PATIENCE_S

from modelward.kube.client import Client
from modelward.kube.kinds import CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, NAMESPACE, SERVICE_ACCOUNT, Kind, Object
from modelward.operator.cache.kopf_watch import Watched
from modelward.operator.cache.watcher import Pauses, Watcher
from modelward.operator.runtime.telemetry import Telemetry

pytestmark = pytest.mark.cluster

MANAGED = "app.kubernetes.io/managed-by=modelward"
PAUSES = Pauses(first=0.1, longest=1.0, absent_kinds=0.3)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client.connect(os.environ["MODELWARD_TEST_KUBECONFIG"]) as client:
        yield client


@pytest.fixture
async def namespace(client: Client) -> AsyncIterator[str]:
    name = f"hints-{uuid.uuid4().hex[:8]}"
    await client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    await client.delete(NAMESPACE, None, name)


class Heard:
    """What the watch brought."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str | None, str]] = []
        self.telemetry = Telemetry()

    def take(self, kind: Kind, event: str | None, obj: Object) -> None:
        self.events.append((kind.kind, event, obj["metadata"]["name"]))

    async def until(self, found: Callable[[], bool], seconds: float = PROCESS_PATIENCE_S) -> None:
        async with asyncio.timeout(seconds):
            while not found():  # noqa: ASYNC110 - what is waited for is in a cluster
                await asyncio.sleep(0.02)

    async def name(self, name: str, event: str | None = "ADDED") -> None:
        await self.until(lambda: any(heard[1:] == (event, name) for heard in self.events))

    def restarts(self) -> dict[str, float]:
        (family,) = self.telemetry.hints_restarts.collect()
        return {sample.labels["reason"]: sample.value for sample in family.samples}


@asynccontextmanager
async def watching(client: Client, namespace: str, *watched: Watched) -> AsyncIterator[Heard]:
    heard = Heard()
    hints = Watcher(client, watched, [namespace], heard.take, heard.telemetry, PAUSES)
    task = asyncio.create_task(hints.run())
    try:
        yield heard
    finally:
        assert hints.problem() is None
        task.cancel()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(task, return_exceptions=True)
        assert not [thread for thread in threading.enumerate() if thread.name == "kopf"]


def config_map(namespace: str, name: str, **metadata: object) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace} | metadata}


def definition(group: str, plural: str, kind: str) -> Object:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


async def test_hints_tell_of_what_is_there_and_of_each_change(client: Client, namespace: str) -> None:
    await client.create(config_map(namespace, "before"))
    async with watching(client, namespace, Watched(CONFIG_MAP)) as heard:
        await heard.name("before", None)
        await client.create(config_map(namespace, "after"))
        await heard.name("after", "ADDED")
        await client.patch(CONFIG_MAP, namespace, "after", {"data": {"a": "1"}})
        await heard.name("after", "MODIFIED")
        await client.delete(CONFIG_MAP, namespace, "after")
        await heard.name("after", "DELETED")
        assert heard.restarts() == {}


async def test_hints_write_nothing_to_what_they_watch(client: Client, namespace: str) -> None:
    finalizer = "kopf.zalando.org/KopfFinalizerMarker"
    before = await client.create(config_map(namespace, "foreign", finalizers=[finalizer]))
    async with watching(client, namespace, Watched(CONFIG_MAP)) as heard:
        await heard.name("foreign", None)
        await asyncio.sleep(0.3)
        assert await client.get(CONFIG_MAP, namespace, "foreign") == before
    await client.patch(CONFIG_MAP, namespace, "foreign", {"metadata": {"finalizers": None}})


async def test_hints_filter_by_label_on_the_server(client: Client, namespace: str) -> None:
    key, value = MANAGED.split("=")
    async with watching(client, namespace, Watched(CONFIG_MAP, MANAGED), Watched(SERVICE_ACCOUNT)) as heard:
        await client.create(config_map(namespace, "foreign"))
        await client.create(config_map(namespace, "ours", labels={key: value}))
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "all", "namespace": namespace}}
        await client.create(account)
        await heard.until(lambda: {heard[2] for heard in heard.events} >= {"ours", "all"})
        assert "foreign" not in {heard[2] for heard in heard.events}


async def test_hints_watch_a_kind_whose_definition_comes_later_and_outlive_its_removal(
    client: Client, namespace: str
) -> None:
    group = f"{namespace}.example"
    late = Kind(group, "v1", "lates", "Late")
    async with watching(client, namespace, Watched(CONFIG_MAP), Watched(late)) as heard:
        await client.create(config_map(namespace, "first"))
        await heard.until(lambda: any(event[2] == "first" for event in heard.events))
        await client.create(definition(group, "lates", "Late"))
        await heard.until(lambda: heard.restarts().get("KindAppeared") == 1)
        thing = {"apiVersion": f"{group}/v1", "kind": "Late", "metadata": {"name": "thing", "namespace": namespace}}
        await client._write("POST", late.path(namespace), thing, "application/json", 10.0, {})
        await heard.until(lambda: any(event[2] == "thing" for event in heard.events))
        await client.delete(CUSTOM_RESOURCE_DEFINITION, None, f"lates.{group}")
        await heard.until(lambda: sum(heard.restarts().values()) >= 2)
        await client.create(config_map(namespace, "last"))
        await heard.until(lambda: any(event[2] == "last" for event in heard.events))
        assert heard.restarts()["KindAppeared"] == 1
