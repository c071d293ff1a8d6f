"""The clock jumps at the hub, at who asks it, and at who leads: nothing is lost, nothing waits, the leader stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from modelward.api.evaluation import Counts, EvaluatorFacts, WindowResult
from modelward.api.exchange import Exchange, Timings, exchange_to_json
from modelward.hub.clock_watch import ClockWatch
from modelward.hub.server import Hub
from modelward.hub.settings import HubSettings, Limits
from modelward.hub_client.client import HubClient
from modelward.kube.client import Client
from modelward.kube.lease import Clocks, Lease
from modelward.operator.hub.feed import HubFeed

NOON_MS = 1_790_000_000_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
JUMPS = pytest.mark.parametrize("jump_ms", [DAY_MS, -DAY_MS], ids=["a day ahead", "a day back"])
KEY = ("retail", "chat", "baseline", "topic")
RESULT = WindowResult(
    *KEY,
    from_ms=NOON_MS - 8 * HOUR_MS,
    to_ms=NOON_MS - 7 * HOUR_MS,
    run="modelward-20260921-080000",
    evaluator=EvaluatorFacts("OffTopicAnswered", "1"),
    revisions={"r1": Counts(10, 1)},
)


class Clock:
    """A wall clock that can be set."""

    def __init__(self) -> None:
        self.now_ms = NOON_MS

    def __call__(self) -> int:
        return self.now_ms


@asynccontextmanager
async def hub(store: Path, clock: Clock) -> AsyncIterator[tuple[Hub, HubClient]]:
    settings = HubSettings(
        store_url=f"file://{store}",
        listen="127.0.0.1:0",
        health_listen="127.0.0.1:0",
        auth=False,
        limits=Limits(flush_interval_s=0.02),
    )
    async with (
        Hub(settings, clock_ms=clock).running() as running,
        HubClient(f"http://127.0.0.1:{running.ports[0]}", timeout_s=5.0) as client,
    ):
        yield running, client


def lines(*times_ms: int, **more: Any) -> bytes:
    """Return exchanges that began at these times, as a collector sends them."""
    made = (
        Exchange(f"e{at_ms}", at_ms, "retail/chat", "m", "r1", "chat", 200, "ok", "MetadataOnly", **more)
        for at_ms in times_ms
    )
    return b"".join(orjson.dumps(exchange_to_json(one)) + b"\n" for one in made)


async def test_exchanges_of_a_node_a_day_ahead_are_refused_and_of_one_a_day_behind_are_kept_as_old(
    tmp_path: Path,
) -> None:
    async with hub(tmp_path, Clock()) as (_, client):
        assert await client.post_exchanges(lines(NOON_MS + DAY_MS)) == (0, 1)
        assert await client.post_exchanges(lines(NOON_MS - 1_000, timings=Timings(DAY_MS - 5_000.0))) == (0, 1)
        assert await client.post_exchanges(lines(NOON_MS - DAY_MS, NOON_MS - 1_000)) == (2, 0)
        assert [one.time_ms for one in await client.window("retail", "chat", NOON_MS - HOUR_MS, NOON_MS, 9)] == [
            NOON_MS - 1_000
        ]


async def test_what_was_stored_on_a_day_that_was_taken_back_is_no_news_of_an_endpoint(tmp_path: Path) -> None:
    clock = Clock()
    async with hub(tmp_path, clock) as (_, client):
        await client.post_exchanges(lines(NOON_MS - 60_000))
        clock.now_ms += DAY_MS
        await client.post_exchanges(lines(clock.now_ms))
        feed = HubFeed(clock, client)
        await feed.refresh()
        assert feed.newest_ms == {"retail/chat": NOON_MS + DAY_MS}
        clock.now_ms -= DAY_MS
        await feed.refresh()
        assert feed.newest_ms == {"retail/chat": NOON_MS - 60_000}, "or each tick would start a run for a day"


async def test_a_jump_of_a_day_deletes_nothing_unless_it_lasts(tmp_path: Path) -> None:
    clock = Clock()
    async with hub(tmp_path, clock) as (running, client):
        await client.put_rules({"retail/chat": {"keepForSeconds": 6 * 3_600, "content": "MetadataOnly"}})
        await client.post_exchanges(lines(NOON_MS - 60_000))
        await running.upkeep()
        clock.now_ms += DAY_MS
        await running.upkeep()
        assert running.store.index.size() == 1
        clock.now_ms -= DAY_MS
        await running.upkeep()
        await running.upkeep()
        assert running.store.index.size() == 1
        clock.now_ms += DAY_MS
        await running.upkeep()
        await running.upkeep()
        assert running.store.index.size() == 0, "it is the time after all"


def test_a_clock_is_steady_while_it_goes_as_time_does() -> None:
    clock, seconds = Clock(), [100.0]
    watched = ClockWatch(clock, lambda: seconds[0])
    for ahead_ms, steady in ((0, True), (1_000, True), (DAY_MS, False), (0, True), (-DAY_MS, False), (0, True)):
        seconds[0] += 3_600
        clock.now_ms += HOUR_MS + ahead_ms
        assert watched.steady() is steady


@JUMPS
async def test_results_that_a_jump_made_old_are_known_again_when_it_is_undone(tmp_path: Path, jump_ms: int) -> None:
    clock = Clock()
    async with hub(tmp_path, clock) as (_, client):
        await client.put_result(RESULT)
        feed = HubFeed(clock, client)
        await feed.refresh()
        clock.now_ms += jump_ms
        await feed.refresh()
        await feed.refresh()
        clock.now_ms -= jump_ms
        late = replace(RESULT, from_ms=NOON_MS - HOUR_MS, to_ms=NOON_MS)
        for _ in range(2):
            await feed.refresh()
        assert feed.of(KEY) == (RESULT,)
        assert feed.last_window_ms() == {KEY: RESULT.to_ms}
        await client.put_result(late)
        clock.now_ms += 60_000
        await feed.refresh()
        assert sorted(feed.of(KEY), key=lambda one: one.to_ms) == [RESULT, late]


@pytest.mark.parametrize("jump_ms", [DAY_MS, -DAY_MS, 0], ids=["a day ahead", "a day back", "none"])
async def test_no_run_waits_longer_for_a_hub_that_was_away_because_the_clock_was_set(
    tmp_path: Path, jump_ms: int
) -> None:
    clock = Clock()
    feed = HubFeed(clock, HubClient("http://127.0.0.1:9", timeout_s=1.0))
    assert feed.hub is not None
    await feed.refresh()
    await feed.hub.close()
    clock.now_ms += 10_000
    async with hub(tmp_path, clock) as (_, client):
        feed.hub = client
        await feed.refresh()
        assert (feed.available, feed.complete) == (True, False)
        clock.now_ms += jump_ms
        waited = 0
        while not feed.complete and waited < 80:
            waited += 10
            clock.now_ms += 10_000
        assert waited <= 70


@JUMPS
async def test_the_leader_leads_on_whatever_the_wall_clocks_show(admin: Client, jump_ms: int) -> None:
    seconds, wall = [0.0], [datetime(2026, 9, 21, 12, tzinfo=UTC)]

    async def wait(pause_s: float) -> None:
        seconds[0] += pause_s
        await asyncio.sleep(0)

    def clocks() -> Clocks:
        return Clocks(lambda: seconds[0], lambda: wall[0], wait)

    name = f"jump-{'back' if jump_ms < 0 else 'ahead'}"
    leader, standby = (Lease(admin, "default", name, who, clocks()) for who in ("leader", "standby"))
    await leader.acquire()
    for _ in range(4):
        assert not await standby._try()
        wall[0] += timedelta(milliseconds=jump_ms)
        seconds[0] += 4
        await leader._renew()
        assert leader.seconds_left() == 10.0
    assert not await standby._try()
    seconds[0] += 14.9
    assert not await standby._try()
    assert leader.seconds_left() < 0
    seconds[0] += 0.2
    assert await standby._try(), "fifteen seconds after the last renewal that it saw"
