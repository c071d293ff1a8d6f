"""Asks the hub to erase, for `modelward erase`; only the operator's own account may, so inside its pod."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.kube.certificate import CONFIG_MAP_NAME, KEY
from modelward.kube.client import Client
from modelward.kube.kinds import CONFIG_MAP
from modelward.operator.runtime.assembly import TOKEN_FILE

INSIDE = "kubectl exec -it -n modelward-system deploy/modelward -- modelward erase ..."
_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_TIMEOUT_S = 900.0
"""Erasing one exchange reads all that is kept of its endpoint."""


class EraseError(Exception):
    """Nothing was erased, or not all; the message says what to do next."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was erased: exchanges, and ids of them in results; `recorded` says whether the audit has it."""

    exchanges: int
    examples: int
    recorded: bool


async def counted(hub: HubClient, target: Mapping[str, str]) -> int:
    """Return how many exchanges would be erased; EraseError when the hub does not say."""
    return int((await _asked(hub, {**target, "dryRun": True})).get("exchanges", 0))


async def erased(hub: HubClient, target: Mapping[str, str], by: str) -> Done:
    """Erase; EraseError when the hub does not."""
    answer = await _asked(hub, {**target, "by": by})
    return Done(int(answer.get("exchanges", 0)), int(answer.get("examples", 0)), bool(answer.get("recorded")))


@asynccontextmanager
async def connected(hub_url: str | None, kubeconfig: str | None) -> AsyncIterator[HubClient]:
    """Connect to the hub as the operator; EraseError outside its pod."""
    if not hub_url:
        raise EraseError(f"no hub is known: run it in the operator's pod ({INSIDE}), or set --hub-url")
    if hub_url.startswith("http:"):  # a hub by hand believes everybody on its own machine
        async with HubClient(hub_url, timeout_s=_TIMEOUT_S) as hub:
            yield hub
        return
    if not TOKEN_FILE.exists():
        raise EraseError(f"only the operator's account may erase: run it in its pod ({INSIDE})")
    async with HubClient(hub_url, await _authority(kubeconfig), _token, _TIMEOUT_S) as hub:
        yield hub


async def _authority(kubeconfig: str | None) -> str | None:
    async with Client.connect(kubeconfig) as client:
        found = await client.find(CONFIG_MAP, _own_namespace(), CONFIG_MAP_NAME)
    pem: str | None = (found or {}).get("data", {}).get(KEY)
    return pem


def _own_namespace() -> str:
    return _NAMESPACE_FILE.read_text().strip() if _NAMESPACE_FILE.exists() else "modelward-system"


def _token() -> str:
    return TOKEN_FILE.read_text().strip()


async def _asked(hub: HubClient, target: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return await hub.erase(target)
    except HubUnavailableError as error:
        if error.status == 404:
            raise EraseError("this hub cannot erase yet: upgrade it to the operator's version") from error
        if error.status in (400, 403):
            raise EraseError(f"the hub refuses: {error}") from error
        again = "run the same command again: what was not finished is hidden already, and erasing twice does no harm"
        raise EraseError(f"{error}; {again}") from error
