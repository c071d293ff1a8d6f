"""Asks the API server whether namespaces are there of which the hub holds something and no endpoint is known."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modelward.hub_client.client import HubClient
from modelward.kube.client import Client
from modelward.kube.errors import ApiError
from modelward.kube.kinds import NAMESPACE

log = logging.getLogger(__name__)
EVERY_MS = 600_000


@dataclass(slots=True)
class NamespaceCheck:
    """Asks by name, each ten minutes: that none is found is an answer, and whatever fails is none."""

    client: Client
    clock_ms: Callable[[], int]
    _asked_ms: int = 0

    async def refresh(self, hub: HubClient, names: Sequence[str]) -> None:
        """Tell the hub what is gone and what is there. HubUnavailableError as the hub's client."""
        now_ms = self.clock_ms()
        if not names or 0 <= now_ms - self._asked_ms < EVERY_MS:
            return
        self._asked_ms, gone, there = now_ms, list[str](), list[str]()
        for name in names:
            try:
                found = await self.client.about(NAMESPACE, None, name)
            except ApiError as error:
                log.info("namespace=not_known name=%s cause=%r", name, str(error)[:200])
                continue
            (there if found else gone).append(name)
        if gone or there:
            await hub.tell_namespaces(gone, there)
