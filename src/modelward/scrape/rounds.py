"""Reads many pages at once, so that those that hang, however many, cost the others nothing."""

import asyncio

from modelward.metrics.snapshot import Snapshot
from modelward.scrape.pages import PageTarget, ScrapeFailure, Scraper


class Lanes:
    """Two lines of `limit` readings at a time: what did not answer last time waits in a line of its own."""

    def __init__(self, limit: int = 50) -> None:
        self._well, self._silent = asyncio.Semaphore(limit), asyncio.Semaphore(limit)

    async def read(
        self, scraper: Scraper, target: PageTarget, before: Snapshot | None = None, *, silent: bool = False
    ) -> Snapshot | ScrapeFailure:
        """Read one page when its line has room; `before` is its last reading, `silent` whether it failed since."""
        async with self._silent if silent else self._well:
            return await scraper.scrape(target, before)
