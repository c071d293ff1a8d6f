"""The hub as a process: until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal

from modelward.hub.listener import raise_descriptor_limit
from modelward.hub.server import Hub, Publish
from modelward.hub.settings import HubSettings

log = logging.getLogger(__name__)


async def serve(settings: HubSettings, publish: Publish | None = None) -> None:
    """Run a hub until SIGTERM or SIGINT; `publish` is called with the authority's PEM at start and every 5 minutes."""
    log.info("descriptors limit=%d", raise_descriptor_limit())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with Hub(settings, publish).running():
        await stop.wait()
        log.info("hub stopping")
