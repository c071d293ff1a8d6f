"""One running console: its listener, its sessions, and its orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from modelward.api.address import host_and_port
from modelward.clock import now_ms
from modelward.console.app import application
from modelward.console.assets import load
from modelward.console.login.ticket import Ticket
from modelward.console.sessions import Sessions
from modelward.console.settings import ConsoleSettings
from modelward.console.site.desk import Desk

log = logging.getLogger(__name__)
SWEEP_S = 60.0


@asynccontextmanager
async def running(
    settings: ConsoleSettings, ticket: Ticket | None = None, clock_ms: Callable[[], int] = now_ms
) -> AsyncIterator[Sessions]:
    """Serve until the block ends; OSError where the address is taken."""
    sessions = Sessions(clock_ms)
    app = application(Desk(settings, load(), sessions, clock_ms), ticket)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5, max_line_size=16 << 10)
    await runner.setup()
    sweep = asyncio.create_task(_end_old(sessions))
    try:
        await web.TCPSite(runner, *host_and_port(settings.listen)).start()
        yield sessions
    finally:
        sweep.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweep
        await runner.cleanup()
        await sessions.end_all()


async def serve(
    settings: ConsoleSettings, ticket: Ticket | None = None, opened: Callable[[], None] = lambda: None
) -> None:
    """Serve until a signal; `opened` is called when pages are answered."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with running(settings, ticket):
        log.info("console listens address=%s url=%s hub=%s", settings.listen, settings.url, settings.hub_url)
        opened()
        await stop.wait()


async def _end_old(sessions: Sessions) -> None:
    while True:
        await asyncio.sleep(SWEEP_S)
        await sessions.end_old()
