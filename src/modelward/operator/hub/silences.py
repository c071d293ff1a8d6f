"""Makes the AlertSilences that people asked the hub for, each once and in the person's name."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from modelward.api.silence_order import SilenceOrder
from modelward.hub_client.client import HubClient
from modelward.kube.client import Client
from modelward.kube.errors import ApiError, Conflict, Forbidden, Invalid, NamespaceEnding, NotFound
from modelward.kube.kinds import ALERT_SILENCE, Object
from modelward.kube.store import Store

log = logging.getLogger(__name__)
AT_ONCE = 50
"""More wait for the next turn."""


@dataclass(frozen=True, slots=True)
class AskedSilences:
    """Carries out what waits at the hub."""

    client: Client
    store: Store

    async def carry_out(self, hub: HubClient) -> None:
        """Make what waits, and tell the hub what became of it. HubUnavailableError as the hub's client.

        What the API server cannot answer now is tried again: the object's name comes of the order's id.
        """
        for order in (await hub.silence_orders())[:AT_ONCE]:
            try:
                problem = await self._make(order)
            except ApiError as error:
                log.warning("silence=waits namespace=%s cause=%r", order.asked.namespace, error.message[:200])
                continue
            await hub.silence_made(order, problem)
            done = f"refused cause={problem[:200]!r}" if problem else "made"
            log.info("silence=%s namespace=%s name=%s", done, order.asked.namespace, order.name)

    async def _make(self, order: SilenceOrder) -> str:
        """Return why it cannot be made, empty where it is there."""
        try:
            self.store.put(ALERT_SILENCE, await self.client.create(silence_object(order)))
        except ValueError:
            return "no AlertSilence can say that"
        except Conflict:
            return ""  # it was made before, and the hub not told
        except (Forbidden, Invalid, NamespaceEnding, NotFound) as error:
            return error.message or type(error).__name__
        return ""


def silence_object(order: SilenceOrder) -> Object:
    """Return the AlertSilence of an order; ValueError where there is none."""
    return {
        "apiVersion": ALERT_SILENCE.api_version,
        "kind": ALERT_SILENCE.kind,
        "metadata": {"namespace": order.asked.namespace, "name": order.name},
        "spec": order.spec().wire(),
    }
