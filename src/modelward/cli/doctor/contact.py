"""What answers that is no object of the API: the API server's version, and the hub to the operator's own token."""

from __future__ import annotations

import ssl
from typing import Any

import aiohttp

from modelward.cli.cluster.reading import Unread
from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.kube.certificate import KEY
from modelward.kube.client import Client
from modelward.kube.kinds import Object
from modelward.kube.transport import session
from modelward.operator.runtime.assembly import TOKEN_FILE

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_HUB_TIMEOUT_S = 10.0


async def hub_contact(url: str | None, authority: Object | Unread | None) -> str | None:
    """Ask the hub as the operator does; return "" where it answers, else what is wrong, None where we cannot ask."""
    if url is None or isinstance(authority, Unread) or not TOKEN_FILE.exists():
        return None
    pem = ((authority or {}).get("data") or {}).get(KEY, "")
    if url.startswith("https:") and not pem:
        return "its certificate authority is not known"
    try:
        async with HubClient(url, pem or None, lambda: TOKEN_FILE.read_text().strip(), _HUB_TIMEOUT_S) as hub:
            await hub.endpoints()
    except (HubUnavailableError, ssl.SSLError) as error:
        return str(error)
    return ""


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
