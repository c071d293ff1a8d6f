"""What the kubelet and Prometheus ask of a hub, on a port of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from modelward.hub.metrics import HubMetrics


@dataclass(frozen=True, slots=True)
class HealthPages:
    """Answers for a hub: `tasks` is its background work, `missing` says what it waits for before it can serve."""

    metrics: HubMetrics
    tasks: Callable[[], Sequence[asyncio.Task[None]]]
    missing: Callable[[], Sequence[str]]

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        return app

    async def _healthz(self, _: web.Request) -> web.Response:
        ended = [task for task in self.tasks() if task.done()]
        return web.Response(status=500 if ended else 200, text="background work ended\n" if ended else "ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        missing = self.missing()
        return web.Response(status=503 if missing else 200, text="; ".join(missing or ["ok"]) + "\n")

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self.metrics.render(), headers={"Content-Type": "text/plain; version=0.0.4"})
