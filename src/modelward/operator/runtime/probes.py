"""The operator's one HTTP port: is it alive, is it ready, and its metrics."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from modelward.api.address import host_and_port

ProbeCheck = Callable[[], str | None]
"""Says in a few words what is wrong, or None."""
_ASIDE_BYTES = 65_536
"""From what size on a page is compressed in a thread."""


def application(
    registry: CollectorRegistry, alive: Mapping[str, ProbeCheck], ready: Mapping[str, ProbeCheck]
) -> web.Application:
    """The app with /healthz, /readyz and /metrics; 503 with what is wrong where a check finds something."""
    app = web.Application()
    app.router.add_get("/healthz", _probe(alive))
    app.router.add_get("/readyz", _probe(ready))
    app.router.add_get("/metrics", _page(registry))
    return app


@asynccontextmanager
async def serving(app: web.Application, listen: str) -> AsyncIterator[str]:
    """Serve the app on ADDRESS:PORT (port 0 for any) while the block lasts; gives the address bound."""
    host, port = host_and_port(listen)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound = runner.addresses[0]
        yield f"{bound[0]}:{bound[1]}"
    finally:
        await runner.cleanup()


def _page(registry: CollectorRegistry) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        """Render in a thread: of thousands of endpoints it takes longer than the loop may stand still."""
        encode, content_type = choose_encoder(",".join(request.headers.getall("Accept", ())))
        names = request.query.getall("name[]", ())
        page = await asyncio.to_thread(encode, registry.restricted_registry(names) if names else registry)
        response = web.Response(body=page, headers={"Content-Type": content_type}, zlib_executor_size=_ASIDE_BYTES)
        response.enable_compression()
        return response

    return answer


def _probe(checks: Mapping[str, ProbeCheck]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_request: web.Request) -> web.Response:
        found = {name: check() for name, check in checks.items()}
        problems = [f"{name}: {problem}" for name, problem in found.items() if problem is not None]
        return web.Response(status=503 if problems else 200, text="\n".join(problems or ["ok"]) + "\n")

    return answer
