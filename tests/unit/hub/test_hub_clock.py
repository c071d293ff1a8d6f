"""A hub deletes nothing for good on the word of a clock that jumped while it was away."""

from __future__ import annotations

from hub_fixtures import HOUR_MS, NOW_MS, Running, exchange, ndjson, running_hub

from modelward.api.evaluation import EvaluatorFacts, WindowResult

DAY_MS = 24 * HOUR_MS
KEPT = {"retail/chat": {"keepForSeconds": 6 * 3_600, "content": "Redacted"}}


class Clock:
    """A wall clock that can be set."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


async def stored(hub: Running) -> None:
    await hub.client.put_rules(KEPT)
    assert await hub.client.post_exchanges(ndjson(exchange(1))) == (1, 0)


async def sizes(hub: Running, sweeps: int) -> list[int]:
    """Return how many objects there are after each of some sweeps, the hourly work."""
    found = []
    for _ in range(sweeps):
        await hub.hub.upkeep()
        found.append(hub.hub.store.index.size())
    return found


async def test_a_hub_that_starts_while_its_clock_is_a_day_ahead_deletes_nothing_at_once(file_url: str) -> None:
    clock = Clock()
    async with running_hub(file_url, now=clock) as hub:
        await stored(hub)
    clock.now_ms += DAY_MS
    async with running_hub(file_url, now=clock) as hub:
        # What comes from a node that has the same wrong clock proves nothing.
        await hub.client.post_exchanges(ndjson(exchange(2, time_ms=clock.now_ms)))
        assert await sizes(hub, 1) == [2]
        clock.now_ms -= DAY_MS
        assert await sizes(hub, 3) == [2, 2, 2], "the clock was set right before the next hour"


async def test_what_is_really_too_old_goes_an_hour_after_a_start(file_url: str) -> None:
    clock = Clock()
    async with running_hub(file_url, now=clock) as hub:
        await stored(hub)
    clock.now_ms += DAY_MS
    async with running_hub(file_url, now=clock) as hub:
        assert await sizes(hub, 2) == [1, 0]


async def test_a_hub_that_was_away_for_a_moment_sweeps_at_once(file_url: str) -> None:
    clock = Clock()
    async with running_hub(file_url, now=clock) as hub:
        await stored(hub)
        clock.now_ms += 7 * HOUR_MS
        await hub.client.put_result(
            WindowResult("retail", "chat", "p", "e", NOW_MS, clock.now_ms, "run", EvaluatorFacts("PII", "1"))
        )
    clock.now_ms += 60_000
    async with running_hub(file_url, now=clock) as hub:
        assert await sizes(hub, 1) == [0]


async def test_an_empty_hub_has_nothing_to_doubt(file_url: str) -> None:
    async with running_hub(file_url) as hub:
        await stored(hub)
        assert await sizes(hub, 1) == [1]
        await hub.client.put_rules({"retail/chat": {**KEPT["retail/chat"], "content": "None"}})
        assert await sizes(hub, 1) == [0]
