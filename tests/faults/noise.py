"""Three bad neighbours in one namespace: one hangs, one floods events, one has pages that are too large."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from control_plane import ControlPlane
from fleet import Fleet
from metrics_pages import PageServer
from user import User

from modelward.desired import names
from modelward.kube.client import Client
from modelward.kube.errors import ApiError
from modelward.kube.kinds import LLM_ENDPOINT

FLOOD_PER_S = 50
_HOOK = "modelward-tests-hang"


@dataclass(slots=True)
class Noise:
    """What the neighbours did so far, which a test must see, or its quiet proves nothing."""

    client: Client
    user: User
    flooding: str
    hanging: str
    floods: int = 0
    hangs: int = 0
    _asked: set[asyncio.StreamWriter] = field(default_factory=set)
    """Connections on which a client waits for an answer."""

    @asynccontextmanager
    async def loud(self, plane: ControlPlane, pages: dict[str, str], server: PageServer) -> AsyncIterator[None]:
        """Make noise for the length of the block; `pages` gives pods' addresses their kind of page."""
        listener = await asyncio.start_server(self._never, "127.0.0.1", 0)
        plane.apply(_webhook(listener.sockets[0].getsockname()[1], self.user.namespace, self.hanging))
        for address, mode in pages.items():
            await asyncio.to_thread(server.let, address, mode)
        tasks = [asyncio.create_task(self._flood()), asyncio.create_task(self._prod())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(plane.kubectl, "delete", "validatingwebhookconfiguration", _HOOK)
            for address in pages:
                await asyncio.to_thread(server.let, address, "normal")
            listener.close()

    async def hang_up(self) -> None:
        """Let those go that still wait for an answer."""
        for writer in tuple(self._asked):
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _never(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Accept what the API server wants to know, and never answer."""
        self.hangs += 1
        self._asked.add(writer)
        with suppress(ConnectionError):
            while await reader.read(4096):
                pass
        self._asked.discard(writer)
        writer.close()

    async def _flood(self) -> None:
        """Change the flooding endpoint all the time.

        Not its workload: with each event of that the cluster's own controllers write as well, which on few cores makes
        the API server slow for everybody, whatever the operator does.
        """
        while True:
            about = {"metadata": {"annotations": {"example.com/beat": str(self.floods)}}}
            with suppress(ApiError):
                await self.client.patch(LLM_ENDPOINT, self.user.namespace, self.flooding, about)
                self.floods += 1
            await asyncio.sleep(1 / FLOOD_PER_S)

    async def _prod(self) -> None:
        """Change the hanging endpoint's spec, so that there is something to write that hangs."""
        for port in range(9_000, 9_900):
            about = {"spec": {"service": {"port": port}}}
            with suppress(ApiError):
                await self.client.patch(LLM_ENDPOINT, self.user.namespace, self.hanging, about)
            await asyncio.sleep(1.0)


def settled(fleet: Fleet) -> Noise:
    """Take the neighbours from the first namespace: one that floods, and a hanging sidecar."""
    user = fleet.users[0]
    own = [name for owner, name in fleet.names if owner == user]
    flooding = next(name for name in own if name.startswith("scrapeonly"))
    return Noise(fleet.client, user, flooding, next(name for name in own if name.startswith("sidecar")))


def _webhook(port: int, namespace: str, endpoint: str) -> dict[str, Any]:
    """Return an admission webhook that never answers, for the children of one endpoint."""
    rule = {
        "apiGroups": ["", "apps"],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["services", "configmaps", "deployments"],
    }
    hook = {
        "name": "hang.tests.modelward.dev",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "timeoutSeconds": 30,
        "failurePolicy": "Fail",
        "clientConfig": {"url": f"https://127.0.0.1:{port}/"},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "objectSelector": {"matchLabels": {names.ENDPOINT: endpoint}},
        "rules": [rule],
    }
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    return {**kind, "metadata": {"name": _HOOK}, "webhooks": [hook]}
