"""The whole process on a real API server: it leads, hands over, and stops, and only the leader works."""

import asyncio
import os
import signal
import sys
import textwrap
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import aiohttp
import pytest
from waiting import PROCESS_PATIENCE_S

from modelward.kube.client import Client
from modelward.kube.kinds import CONFIG_MAP, LEASE, NAMESPACE, Kind, Object, name_of, namespace_of
from modelward.operator.runtime import process as operator
from modelward.operator.runtime.context import Context
from modelward.operator.runtime.settings import Settings
from modelward.operator.runtime.work_queue import WorkKey

pytestmark = pytest.mark.cluster

KUBECONFIG = "MODELWARD_TEST_KUBECONFIG"
LABELS = {"app.kubernetes.io/managed-by": "modelward"}
GRACE_S = 30.0
"""What a kubelet gives a pod to end."""


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client.connect(os.environ[KUBECONFIG]) as client:
        yield client


@pytest.fixture
async def namespace(client: Client) -> AsyncIterator[str]:
    name = f"process-{uuid.uuid4().hex[:8]}"
    await client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    await client.delete(NAMESPACE, None, name)


class Marker:
    """A reconciler that marks each of our ConfigMaps with who was there."""

    def __init__(self, context: Context, who: str) -> None:
        self.context = context
        self.who = who

    async def reconcile(self, key: WorkKey) -> float | None:
        if self.context.store.get(CONFIG_MAP, key.namespace, key.name) is not None:
            mark = {"data": {self.who: "was here"}}
            await self.context.client.patch(CONFIG_MAP, key.namespace, key.name, mark, manager=self.who)
        return None

    def keys_for(self, kind: Kind, obj: Object, _before: Object | None = None) -> Iterable[WorkKey]:
        return [WorkKey("mark", namespace_of(obj), name_of(obj))] if kind is CONFIG_MAP else []


class Process:
    """One operator in this process."""

    def __init__(self, who: str, namespace: str) -> None:
        self.stop = asyncio.Event()
        settings = Settings(
            namespace=namespace,
            collector_image="collector",
            evaluator_image="modelward",
            watch_namespaces=(namespace,),
            sweep_interval_s=1.0,
            listen="127.0.0.1:0",
            kubeconfig=os.environ[KUBECONFIG],
        )
        self.task = asyncio.create_task(operator.run(settings, lambda context: Marker(context, who), self.stop))

    async def end(self) -> int:
        self.stop.set()
        return await self.task


def config_map(namespace: str, name: str) -> Object:
    metadata = {"name": name, "namespace": namespace, "labels": LABELS}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


async def marked(client: Client, namespace: str, name: str, who: str, seconds: float = PROCESS_PATIENCE_S) -> Object:
    async with asyncio.timeout(seconds):
        while True:
            found = await client.get(CONFIG_MAP, namespace, name)
            if who in (found.get("data") or {}):
                return found
            await asyncio.sleep(0.05)


async def test_process_the_leader_works_and_hands_over_within_five_seconds(client: Client, namespace: str) -> None:
    await client.create(config_map(namespace, "before"))
    first = Process("first", namespace)
    await marked(client, namespace, "before", "first")
    second = Process("second", namespace)
    await client.create(config_map(namespace, "after"))
    assert "second" not in (await marked(client, namespace, "after", "first"))["data"]
    await asyncio.sleep(1.0)
    start = time.monotonic()
    assert await first.end() == 0
    assert time.monotonic() - start < 5.0
    await marked(client, namespace, "before", "second", seconds=5.0 - (time.monotonic() - start))
    await client.create(config_map(namespace, "later"))
    assert "first" not in (await marked(client, namespace, "later", "second"))["data"]
    assert await second.end() == 0


async def test_process_ends_with_1_when_another_takes_the_lease(client: Client, namespace: str) -> None:
    await client.create(config_map(namespace, "before"))
    process = Process("first", namespace)
    await marked(client, namespace, "before", "first")
    await client.patch(LEASE, namespace, "modelward", {"spec": {"holderIdentity": "usurper"}})
    async with asyncio.timeout(PROCESS_PATIENCE_S):
        assert await process.task == 1
    lease = await client.get(LEASE, namespace, "modelward")
    assert lease["spec"]["holderIdentity"] == "usurper"


async def test_process_answers_probes_and_leaves_on_sigterm(client: Client, namespace: str, tmp_path: Path) -> None:
    program = """
        import asyncio, sys
        from modelward.operator.runtime import process as operator
        from modelward.operator.runtime import settings
        class Idle:
            async def reconcile(self, key): return None
            def keys_for(self, kind, obj): return ()
        values = {"namespace": sys.argv[1], "watch_namespaces": sys.argv[1], "kubeconfig": sys.argv[2],
                  "collector_image": "c", "evaluator_image": "e", "listen": "127.0.0.1:18979"}
        sys.exit(asyncio.run(operator.run(settings.load(overrides=values), lambda context: Idle())))
    """
    script = tmp_path / "idle.py"
    script.write_text(textwrap.dedent(program))
    process = await asyncio.create_subprocess_exec(sys.executable, str(script), namespace, os.environ[KUBECONFIG])
    try:
        await _ready("http://127.0.0.1:18979/readyz")
        async with asyncio.timeout(PROCESS_PATIENCE_S):
            while await client.find(LEASE, namespace, "modelward") is None:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(GRACE_S):
            assert await process.wait() == 0
        assert (await client.get(LEASE, namespace, "modelward"))["spec"]["holderIdentity"] == ""
    finally:
        if process.returncode is None:
            process.kill()


async def _ready(url: str) -> None:
    async with asyncio.timeout(PROCESS_PATIENCE_S), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.1)
