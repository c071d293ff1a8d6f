"""From a change of an endpoint's spec to the change of its child at the API server: how long the operator takes."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from user import User

from modelward.desired import names
from modelward.kube import access
from modelward.kube.kinds import LLM_ENDPOINT

_LONGEST_S = 30.0


@dataclass(slots=True)
class Stopwatch:
    """Sees every Service of ours change; use `async with watching(kubeconfig) as stopwatch`."""

    _awaited: dict[tuple[str, str, int], asyncio.Future[float]] = field(default_factory=dict)

    async def change(self, user: User, name: str, port: int) -> float:
        """Give an endpoint's Service another port; return the seconds until the Service has it."""
        seen = self._awaited[user.namespace, name, port] = asyncio.get_running_loop().create_future()
        began = time.monotonic()
        await user.client.patch(LLM_ENDPOINT, user.namespace, name, {"spec": {"service": {"port": port}}})
        async with asyncio.timeout(_LONGEST_S):
            ended: float = await seen
        return ended - began

    async def follow(self, lines: aiohttp.StreamReader) -> None:
        """Take in the events of a watch of Services."""
        async for line in lines:
            service = json.loads(line)["object"]
            metadata = service["metadata"]
            endpoint = metadata.get("labels", {}).get(names.ENDPOINT, "")
            port = (service.get("spec", {}).get("ports") or [{}])[0].get("port", 0)
            waits = self._awaited.pop((metadata.get("namespace", ""), endpoint, port), None)
            if waits is not None and not waits.done():
                waits.set_result(time.monotonic())


@asynccontextmanager
async def watching(kubeconfig: Path) -> AsyncIterator[Stopwatch]:
    """Follow the Services of all namespaces for the length of the block."""
    server, stopwatch = await access.load(str(kubeconfig)), Stopwatch()
    connector = aiohttp.TCPConnector(ssl=server.ssl if server.ssl is not None else False)
    forever = aiohttp.ClientTimeout(total=None)
    async with (
        aiohttp.ClientSession(connector=connector, timeout=forever, read_bufsize=1 << 20) as session,
        session.get(f"{server.host}/api/v1/services?watch=1&timeoutSeconds=3600") as answer,
    ):
        following = asyncio.create_task(stopwatch.follow(answer.content))
        try:
            yield stopwatch
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
    await server.close()


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below or at which that share of all values lies."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
