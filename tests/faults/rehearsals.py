"""What a kubelet says of the pods in which a collector is tried alone, where there is no node to run them.

It speaks of nothing else: model servers stay pending, as on a cluster without room.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from modelward.desired import names
from modelward.kube.client import Client
from modelward.kube.errors import ApiError
from modelward.kube.kinds import POD, Object

_LOOK_S, _SHARE = 0.1, 5
"""How often it reads, and how much longer it rests than a reading takes: a server goes through all its pods."""
_TRIED = f"{names.COMPONENT}=rehearsal"


@contextmanager
def starting(kubeconfig: Path) -> Iterator[None]:
    """Let each of them start as soon as it is made, in every namespace, while the block runs."""
    stop = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_run(kubeconfig, stop)), name="rehearsals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)


async def _run(kubeconfig: Path, stop: threading.Event) -> None:
    async with Client.connect(str(kubeconfig)) as client:
        while not stop.is_set():
            began = time.monotonic()
            with suppress(ApiError):  # the server is away, or a pod went meanwhile
                await _start_all(client)
            await asyncio.sleep(max(_LOOK_S, _SHARE * (time.monotonic() - began)))


async def _start_all(client: Client) -> None:
    for pod in (await client.list(POD, None, label_selector=_TRIED)).items:
        if not started(pod):
            metadata = pod["metadata"]
            about = {"status": {"phase": "Running", "containerStatuses": [_running(pod)]}}
            await client.patch(POD, metadata["namespace"], metadata["name"], about, subresource="status")


def started(pod: Mapping[str, Any]) -> bool:
    """Return whether the pod's only container runs."""
    return any(status["ready"] for status in pod.get("status", {}).get("containerStatuses", ()))


def _running(pod: Object) -> dict[str, Any]:
    (container,) = pod["spec"]["containers"]
    since = {"startedAt": pod["metadata"]["creationTimestamp"]}
    about = {"name": container["name"], "image": container["image"], "imageID": "", "restartCount": 0}
    return {**about, "ready": True, "started": True, "state": {"running": since}}
