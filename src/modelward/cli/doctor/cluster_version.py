"""The version of the API server: below the one that Modelward needs, sidecars do not work."""

from __future__ import annotations

from typing import Any

import aiohttp

from modelward.cli.cluster.unread import Unread
from modelward.kube.client import Client
from modelward.kube.transport import session

_TIMEOUT = aiohttp.ClientTimeout(total=10)


async def cluster_version(client: Client) -> dict[str, Any] | Unread:
    """Return what `/version` answers; it is no resource, so the client's verbs do not reach it."""
    try:
        async with (
            session(client.access, 1) as http,
            http.get(f"{client.access.host}/version", timeout=_TIMEOUT) as response,
        ):
            response.raise_for_status()
            answer: dict[str, Any] = await response.json()
            return answer
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return Unread(f"/version: {error or type(error).__name__}")
