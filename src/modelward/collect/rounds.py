"""Reads many pages at once, so that one that hangs costs the others nothing."""

import asyncio
from collections.abc import Callable, Iterable

from modelward.collect.scrape import ScrapeFailure, Scraper, Target
from modelward.metrics.snapshot import Snapshot


async def scrape_all(
    scraper: Scraper, targets: Iterable[Target], *, limit: int = 50, jitter_s: Callable[[], float] = lambda: 0.0
) -> list[Snapshot | ScrapeFailure]:
    """Read all targets, at most `limit` at a time, in the order given; each waits `jitter_s()` first.

    The jitter is drawn by the caller, so that pods started together are not all asked in the same millisecond.
    """
    slots = asyncio.Semaphore(limit)

    async def one(target: Target) -> Snapshot | ScrapeFailure:
        await asyncio.sleep(jitter_s())
        async with slots:
            return await scraper.scrape(target)

    return await asyncio.gather(*(one(target) for target in targets))
