"""The versions that a namespace goes through, which etcd remembers and a stale read may show again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager

import aiohttp
from proxy import Proxy
from waiting import PROCESS_PATIENCE_S

from modelward.kube.client import Client
from modelward.kube.kinds import Kind, Object
from modelward.operator.runtime.process import WATCHED

_ARRIVES_S = 0.3


@asynccontextmanager
async def recorded(client: Client, proxy: Proxy, namespace: str) -> AsyncIterator[list[int]]:
    """Give a list that holds, when the block has ended, the resourceVersions of all changes meanwhile, in order.

    What counts are the kinds that the operator lists.
    """
    found: set[int] = set()
    versions: list[int] = []
    listings = [(each.kind, await client.list(each.kind, namespace)) for each in WATCHED]
    starts = [(kind, listing.resource_version) for kind, listing in listings]
    before = {_version(obj) for _, listing in listings for obj in listing.items}
    async with aiohttp.ClientSession() as session:
        watches = [asyncio.create_task(_watch(session, proxy, *start, namespace, found)) for start in starts]
        try:
            yield versions
            await asyncio.sleep(_ARRIVES_S)
            await _arrived(client, namespace, before, found)
            assert not any(watch.done() for watch in watches), "a watch of the history ended"
        finally:
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)
    versions += sorted(found)


async def _arrived(client: Client, namespace: str, before: AbstractSet[int], found: AbstractSet[int]) -> None:
    """Wait until the watches have told of every object as it is now; what is deleted came by then or soon after."""
    now = {_version(obj) for each in WATCHED for obj in (await client.list(each.kind, namespace)).items}
    async with asyncio.timeout(PROCESS_PATIENCE_S):
        while not now <= before | found:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


def _version(obj: Object) -> int:
    return int(obj["metadata"]["resourceVersion"])


async def _watch(
    session: aiohttp.ClientSession, proxy: Proxy, kind: Kind, since: str, namespace: str, found: set[int]
) -> None:
    query = {"watch": "true", "resourceVersion": since}
    async with session.get(f"{proxy.url}{_path(kind, namespace)}", params=query) as response:
        async for line in response.content:
            found.add(_version(json.loads(line)["object"]))


def _path(kind: Kind, namespace: str) -> str:
    path = kind.path(namespace)
    return path if path.startswith("/") else f"/{path}"
