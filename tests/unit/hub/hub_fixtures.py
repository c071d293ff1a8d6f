"""Real hubs on real sockets, and exchanges to send to them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import orjson

from modelward.api.exchange import Exchange, Message, exchange_to_json
from modelward.hub.server import Hub
from modelward.hub.settings import HubSettings, Limits
from modelward.hub_client.client import HubClient

NOW_MS = 1_795_480_000_000
HOUR_MS = 3_600_000
QUICK = Limits(flush_interval_s=0.02)


def exchange(number: int = 0, **changes: Any) -> Exchange:
    """Return a redacted chat exchange; each number is one second older than the last."""
    base = Exchange(
        id=f"e{number}", time_ms=NOW_MS - number * 1_000, endpoint="retail/chat", model="m", revision="r1",
        operation="chat", status=200, outcome="ok", content="Redacted",
        messages=(Message("user", "where is my card?"),), response="on its way",
    )  # fmt: skip
    return replace(base, **changes)


def ndjson(*exchanges: Exchange) -> bytes:
    """Return exchanges as a collector writes them."""
    return b"".join(orjson.dumps(exchange_to_json(e)) + b"\n" for e in exchanges)


class Running:
    """A hub without authentication and a client of it."""

    def __init__(self, hub: Hub, client: HubClient) -> None:
        self.hub, self.client = hub, client

    @property
    def health(self) -> str:
        """Base URL of the health listener."""
        return f"http://127.0.0.1:{self.hub.ports[1]}"

    async def window(self, seconds: int = 10_000, limit: int = 2_000) -> list[Exchange]:
        """Return the window of the last seconds."""
        return await self.client.window("retail", "chat", NOW_MS - seconds * 1_000, NOW_MS + 1, limit)


@contextlib.asynccontextmanager
async def running_hub(
    store_url: str, limits: Limits = QUICK, now: Callable[[], int] = lambda: NOW_MS
) -> AsyncIterator[Running]:
    """Run a hub by hand, as `--insecure-no-auth` does."""
    settings = HubSettings(
        store_url=store_url, listen="127.0.0.1:0", health_listen="127.0.0.1:0", auth=False, limits=limits
    )
    async with Hub(settings, clock_ms=now).running() as hub, HubClient(f"http://127.0.0.1:{hub.ports[0]}") as client:
        yield Running(hub, client)
