"""Endpoints of two pods that share their servers, so that one pod, or both, may fall ill while time passes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import aiohttp
from observed_endpoint import ObservedEndpoint
from sick_pages import Reply, SickServer, collector, page, serving, vllm

Kind = Literal["engine", "collector"]
KINDS: tuple[Kind, ...] = ("engine", "collector")


class Load:
    """What the pods of an endpoint have served: ten tokens a second each, of which one replica carries a hundred."""

    def __init__(self, write: Callable[..., bytes]) -> None:
        self.requests = 1_000.0
        self.write = write

    def page(self, **other: float | str) -> bytes:
        """Return the page as it is now, with some numbers replaced."""
        return self.write(**{"requests": self.requests, "tokens": 10 * self.requests, **other})

    async def well(self, reply: Reply) -> None:
        """Serve the page as it is now."""
        await page(self.page())(reply)


@dataclass(slots=True)
class SharedPods:
    """In `mixed` only the second pod is at the sick server, in `ill` both are."""

    load: Load
    server: SickServer
    mixed: ObservedEndpoint
    ill: ObservedEndpoint

    def serve(self, change: Callable[[bytes], bytes] = bytes, /, **other: float | str) -> None:
        """Let the sick server serve the load's page from now on, with numbers replaced and text changed."""

        async def answer(reply: Reply) -> None:
            await page(change(self.load.page(**other)))(reply)

        self.server.sickness = answer

    async def pass_time(self, steps: int, seconds: int) -> None:
        """Let time pass with its requests; in each step all pages are read and judged."""
        for _ in range(steps):
            self.load.requests += seconds
            await asyncio.gather(self.mixed.step(seconds * 1_000), self.ill.step(seconds * 1_000))


@asynccontextmanager
async def shared_pods(kind: Kind = "engine") -> AsyncIterator[SharedPods]:
    """Give the pods after a minute in which all were well."""
    load = Load(vllm if kind == "engine" else collector)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        well = await stack.enter_async_context(serving(load.well))
        other = await stack.enter_async_context(serving(load.well))
        mixed, ill = (
            ObservedEndpoint(session, urls, collectors=kind == "collector")
            for urls in ((well.url, other.url), (other.url, other.url))
        )
        made = SharedPods(load, other, mixed, ill)
        await made.pass_time(4, 15)
        for one in (mixed, ill):
            assert one.condition("MetricsAvailable")[:2] == ("True", "Fresh")
            assert one.status.health == "Healthy"
        yield made
