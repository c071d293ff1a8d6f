"""Endpoints whose metrics pages are served here and turn bad at a moment of each its own, and who is told when."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from posted_to import posted_to
from stand_ins import PAGE, PER_S

PORT = 18088
"""Where the engines serve their page."""
OBJECTIVE = {"name": "errors", "metric": "ErrorRate", "maxRate": "1%", "severity": "Critical"}


@dataclass
class FaultyFleet:
    """Times are seconds of the monotonic clock; `faults` are planned beforehand, each at a random moment of a span."""

    names: tuple[str, ...]
    began_s: float = field(default_factory=time.monotonic)
    faults: dict[str, float] = field(default_factory=dict)
    by_address: dict[str, str] = field(default_factory=dict)
    told: dict[str, float] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)
    """What was told that no fault explains."""

    def plan(self, healthy_s: float, span_s: float, seed: int) -> None:
        """Let each endpoint fail at a random moment of a span that begins when all have been healthy for a while."""
        rng = random.Random(seed)
        at = time.monotonic() + healthy_s
        self.faults = {name: at + rng.uniform(0, span_s) for name in self.names}

    def page(self, name: str) -> str:
        """Return the page of an endpoint as it is now: from its fault on all of its requests fail."""
        now = time.monotonic()
        every = int((now - self.began_s) * PER_S)
        bad = max(0, int((now - self.faults.get(name, now)) * PER_S))
        return PAGE.format(good=every - bad, bad=bad)

    @property
    def took(self) -> list[float]:
        """The seconds from each fault to its message, of those that were told."""
        return sorted(self.told[name] - self.faults[name] for name in self.names if name in self.told)

    async def serve_pages(self) -> web.AppRunner:
        """Serve the page of each endpoint at the address of its pod."""

        async def answer(request: web.Request) -> web.Response:
            host = request.transport.get_extra_info("sockname")[0] if request.transport else ""
            return web.Response(text=self.page(self.by_address[host]), content_type="text/plain")

        application = web.Application()
        application.router.add_get("/{path:.*}", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        for host in self.by_address:
            await web.TCPSite(runner, host, PORT).start()
        return runner

    async def receive(self) -> tuple[web.AppRunner, int]:
        """Be the receiver, as a proxy that is the way out of the cluster; return its port."""

        async def take(request: web.Request) -> web.Response:
            at = time.monotonic()
            self._heard(await request.json(), at)
            return web.Response()

        return await posted_to(take)

    def _heard(self, message: dict[str, Any], at: float) -> None:
        for alert in message["alerts"]:
            name = alert["endpoint"]
            if alert["name"] != "Objective/errors" or at < self.faults.get(name, float("inf")):
                self.odd.append(f"{name} {alert['name']}")
            elif message["kind"] == "Firing":
                self.told.setdefault(name, at)
