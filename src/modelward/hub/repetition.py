"""Work that a hub does again and again beside serving."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)
RETRY_S = 10.0


@dataclass(frozen=True, slots=True)
class Repetition:
    """Does work for ever; nothing in it may end the hub. `failed` is told of each failure."""

    failed: Callable[[], None]

    async def repeat(
        self,
        work: Callable[[], Awaitable[None]],
        first_s: float,
        every_s: float,
        good: Callable[[], bool] = lambda: True,
    ) -> None:
        """Do it after a time and then at intervals; after a failure, or while it is not `good`, again soon."""
        await asyncio.sleep(first_s)
        while True:
            try:
                await work()
                pause_s = every_s if good() else RETRY_S
            except Exception as error:  # noqa: BLE001  # whatever it is, serving goes on and it is tried again
                self.failed()
                log.error("background work=%s failed cause=%s: %r", work.__name__, type(error).__name__, str(error))
                pause_s = RETRY_S
            await asyncio.sleep(pause_s)
