"""Does the hub answer the operator? Only its own token can find out, so only its own pod."""

from __future__ import annotations

import ssl

from modelward.cli.cluster.unread import Unread
from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.kube.certificate import KEY
from modelward.kube.kinds import Object
from modelward.operator.runtime.assembly import TOKEN_FILE

_TIMEOUT_S = 10.0


async def hub_contact(url: str | None, authority: Object | Unread | None) -> str | None:
    """Ask the hub as the operator does; return "" where it answers, else what is wrong, None where we cannot ask."""
    if url is None or isinstance(authority, Unread) or not TOKEN_FILE.exists():
        return None
    pem = ((authority or {}).get("data") or {}).get(KEY, "")
    if url.startswith("https:") and not pem:
        return "its certificate authority is not known"
    try:
        async with HubClient(url, pem or None, lambda: TOKEN_FILE.read_text().strip(), _TIMEOUT_S) as hub:
            await hub.endpoints()
    except (HubUnavailableError, ssl.SSLError) as error:
        return str(error)
    return ""
