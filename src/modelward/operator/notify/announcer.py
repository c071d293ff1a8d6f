"""Notifies every receiver, and lets none of them hold up or fail the work that caused the notice."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from modelward.operator.notify.notifier import Notification, Notifier

log = logging.getLogger(__name__)

DEADLINE_S = 5.0


@dataclass(frozen=True, slots=True)
class Announcer:
    """Events first, as any other write to the API server; then all other receivers at once, by their names."""

    events: Notifier
    receivers: Mapping[str, Notifier]
    deadline_s: float = DEADLINE_S

    async def notify(self, notification: Notification) -> None:
        """Notify all; a receiver that fails or takes too long is logged. Raises what the events' notifier raises."""
        await self.events.notify(notification)
        await asyncio.gather(*(self._told(name, one, notification) for name, one in self.receivers.items()))

    async def _told(self, name: str, receiver: Notifier, notification: Notification) -> None:
        try:
            async with asyncio.timeout(self.deadline_s):
                await receiver.notify(notification)
        except Exception as error:  # noqa: BLE001 - a receiver is foreign, and what it says may hold a secret
            log.warning(
                "notification=lost receiver=%s reason=%s error=%s", name, notification.reason, type(error).__name__
            )
