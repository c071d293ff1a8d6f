"""A local HTTP server that hands on what is posted to it: the receiver of a bench."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web


async def posted_to(take: Callable[[web.Request], Awaitable[web.Response]]) -> tuple[web.AppRunner, int]:
    """Serve on loopback; return what is to be cleaned up, and the port."""
    application = web.Application()
    application.router.add_post("/{path:.*}", take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, int(runner.addresses[0][1])
