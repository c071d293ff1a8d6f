"""Rounds over real metrics servers."""

from __future__ import annotations

import asyncio
import itertools
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer
from virtual_time import in_virtual_time, now
from waiting import PATIENCE_S

from modelward.metrics.signals import Signal
from modelward.metrics.snapshot import Snapshot
from modelward.metrics.window import FRESH_MS
from modelward.operator.observe.observer import IDLE_S, Observation, Observer, wait_s
from modelward.scrape.pages import PageTarget, ScrapeFailure, Scraper

PAGE = """\
modelward_collector_info{{version="0.1.0"}} 1
modelward_requests_total{{operation="chat",code="200",outcome="ok",model="m"}} {requests}
"""


class Pods:
    """A server that plays several pods, each under a path of its own."""

    def __init__(self) -> None:
        self.requests, self.steady = 0, False
        self.silent: set[str] = set()
        self.server: BaseTestServer | None = None
        self.now_ms = 1_795_480_000_000

    async def answer(self, request: web.Request) -> web.Response:
        if request.path.strip("/") in self.silent:
            raise web.HTTPServiceUnavailable
        self.requests += not self.steady
        return web.Response(text=PAGE.format(requests=self.requests * 10))

    def target(self, pod: str) -> PageTarget:
        assert self.server is not None
        return PageTarget(pod, str(self.server.make_url(f"/{pod}")), "vllm", "collector")


@asynccontextmanager
async def pods() -> AsyncIterator[tuple[Pods, Scraper]]:
    found, app = Pods(), web.Application()
    app.router.add_get("/{pod}", found.answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        found.server = server
        yield found, Scraper(session, lambda: found.now_ms, timeout_s=1.0)


class Instant:
    """A scraper for which no page takes any time."""

    async def scrape(self, target: PageTarget, _before: Snapshot | None = None) -> Snapshot:
        return Snapshot(target.pod, 0, "collector")


async def test_observer_reads_every_page_and_wakes_every_endpoint_once_a_round() -> None:
    woken: list[str] = []
    observer = Observer(woken.append)
    async with pods() as (served, scraper):
        observer.watch("retail/chat", [served.target("a"), served.target("b")])
        observer.watch("retail/mail", [served.target("c")])
        observer.watch("retail/idle", [])
        await observer.round(scraper)
        assert sorted(woken) == ["retail/chat", "retail/mail"]
        chat = observer.of("retail/chat")
        assert chat.history.pods() == {"a", "b"}
        assert {one.collector_version for one in chat.latest.values()} == {"0.1.0"}
        served.now_ms += 15_000
        await observer.round(scraper)
        gained = chat.history.increase(Signal.REQUESTS, "m", served.now_ms, 60_000)
        assert gained is not None
        assert gained.value > 0


async def test_observer_tells_why_a_pod_is_silent_until_it_speaks_again() -> None:
    observer = Observer(lambda _: None)
    async with pods() as (served, scraper):
        served.silent.add("b")
        closed = PageTarget("c", "http://127.0.0.1:9/metrics", "vllm", "collector")
        observer.watch("retail/chat", [served.target("a"), served.target("b"), closed])
        for _ in range(2):
            await observer.round(scraper)
        assert observer.of("retail/chat").problems() == {}, "a reading lost, as by a pod that starts, is no news"
        await observer.round(scraper)
        problems = observer.of("retail/chat").problems()
        assert {pod: reason for pod, (reason, _) in problems.items()} == {"b": "Missing", "c": "ScrapeBlocked"}
        assert "127.0.0.1:9" in problems["c"][1]
        served.silent.clear()
        observer.watch("retail/chat", [served.target("a"), served.target("b")])
        await observer.round(scraper)
        assert observer.of("retail/chat").problems() == {}


async def test_observer_forgets_what_is_gone_but_not_its_history() -> None:
    observer = Observer(lambda _: None)
    async with pods() as (served, scraper):
        observer.watch("retail/chat", [served.target("a"), served.target("b")])
        await observer.round(scraper)
        observer.watch("retail/chat", [served.target("b")])
        chat = observer.of("retail/chat")
        assert set(chat.latest) == {"b"}
        assert chat.history.pods() == {"a", "b"}
        observer.forget("retail/chat")
        observer.forget("retail/chat")
        assert observer.of("retail/chat").latest == {}


async def test_observer_drops_what_it_read_of_an_endpoint_that_went_meanwhile() -> None:
    observer = Observer(lambda _: None)
    async with pods() as (served, scraper):
        observer.watch("retail/chat", [served.target("a")])
        reading = asyncio.create_task(observer.round(scraper))
        await asyncio.sleep(0)
        observer.forget("retail/chat")
        await reading
        assert observer.of("retail/chat").history.pods() == set()


async def test_observer_goes_round_until_it_is_stopped() -> None:
    woken = asyncio.Event()
    observer = Observer(lambda _: woken.set())
    async with pods() as (served, scraper):
        observer.watch("retail/chat", [served.target("a")])
        going = asyncio.create_task(observer.run(scraper, 0.1))
        for _ in range(2):
            async with asyncio.timeout(PATIENCE_S):
                await woken.wait()
            woken.clear()
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)
        assert going.cancelled()


@in_virtual_time
async def test_observer_spreads_a_round_over_its_interval_and_reads_what_is_new_at_once_and_in_turn() -> None:
    read: list[tuple[str, float]] = []
    names = [f"retail/chat-{number}" for number in range(16)]
    turns = {name: 15.0 * zlib.crc32(name.encode()) / 2**32 for name in names}

    class Noting(Instant):
        async def scrape(self, target: PageTarget, before: Snapshot | None = None) -> Snapshot:
            read.append((f"retail/{target.pod}", now() - began))
            return await super().scrape(target, before)

    observer, scraper = Observer(lambda _: None), cast("Scraper", Noting())
    for name in names:
        observer.watch(name, [PageTarget(name.partition("/")[2], "", "vllm", "collector")])
    began = now()
    await observer.round(scraper, spread_s=15.0)
    assert [name for name, _ in sorted(read)] == [name for name in sorted(names) for _ in range(2)]
    assert [at for _, at in read if at == 0.0] == [0.0] * len(names), "what was never read is read at once"
    assert dict(sorted(read)) == pytest.approx(turns)
    read.clear()
    began = now()
    await observer.round(scraper, spread_s=15.0)
    assert dict(read) == pytest.approx(turns)
    assert len(read) == len(names)


async def test_observer_wakes_nobody_for_pages_that_say_the_same_again() -> None:
    woken: list[str] = []
    observer = Observer(woken.append)
    async with pods() as (served, scraper):
        observer.watch("retail/chat", [served.target("a")])
        served.steady = True
        for _ in range(3):
            await observer.round(scraper)
        assert woken == ["retail/chat"]
        served.silent.add("a")
        await observer.round(scraper)
        served.silent.clear()
        await observer.round(scraper)
        assert len(woken) == 3
        await observer.round(scraper)
        served.steady = False
        await observer.round(scraper)
        assert len(woken) == 4


async def test_observer_reads_at_once_what_is_watched_for_the_first_time() -> None:
    read = asyncio.Event()
    observer = Observer(lambda _: read.set())
    async with pods() as (served, scraper):
        going = asyncio.create_task(observer.run(scraper, 3_600.0))
        await asyncio.sleep(0)
        observer.watch("retail/chat", [served.target("a")])
        async with asyncio.timeout(PATIENCE_S):
            await read.wait()
        assert observer.of("retail/chat").read
        read.clear()
        observer.watch("retail/chat", [served.target("b")])
        assert not observer.of("retail/chat").read, "its one pod was replaced"
        async with asyncio.timeout(PATIENCE_S):
            await read.wait()
        assert set(observer.of("retail/chat").latest) == {"b"}
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)


async def test_observer_tells_that_some_of_an_endpoints_pods_are_silent() -> None:
    observer = Observer(lambda _: None)
    async with pods() as (served, scraper):
        served.silent.add("b")
        observer.watch("retail/chat", [served.target("a"), served.target("b")])
        assert not observer.silent("retail/chat")
        await observer.round(scraper)
        assert observer.silent("retail/chat")
        assert not observer.silent("retail/none")


@pytest.mark.parametrize("interval_s", [1.0, 5.0, 15.0, 22.0, 25.0])
@pytest.mark.parametrize("turn", [0.0, 0.31, 0.999])
@pytest.mark.parametrize("busy", [(), (40, 41, 90), range(0, 200, 7)], ids=["idle", "now and then", "often"])
def test_readings_of_one_endpoint_are_never_so_far_apart_that_the_last_is_stale(
    interval_s: float, turn: float, busy: Sequence[int]
) -> None:
    known = Observation(latest={"a": cast("Any", None)})
    readings = []
    for number in range(200):
        start_s = number * interval_s
        wait = wait_s(known, start_s, interval_s, turn * interval_s)
        if wait is not None:
            assert 0 <= wait < max(interval_s, 1e-9)
            known.begun_s = start_s + wait
            readings.append(known.begun_s)
            known.quiet = 0 if len(readings) in busy else known.quiet + 1
    apart = [later - earlier for earlier, later in itertools.pairwise(readings)]
    assert max(apart) <= max(IDLE_S, interval_s) + 1e-6 < FRESH_MS / 1_000 - 4
    assert min(apart) > interval_s / 2 or busy
    if not busy and interval_s < IDLE_S:
        assert apart[-1] == pytest.approx(IDLE_S), "what is idle is read less often"


class Failing(Instant):
    """A scraper of which one reading fails, by its number; says what it read when."""

    def __init__(self, failing: int) -> None:
        self.failing, self.at_s = failing, list[float]()

    async def scrape(  # type: ignore[override]
        self, target: PageTarget, _before: Snapshot | None = None
    ) -> Snapshot | ScrapeFailure:
        self.at_s.append(now())
        if len(self.at_s) == self.failing:
            return ScrapeFailure(target.pod, "Timeout", "no answer")
        return Snapshot(target.pod, round(now() * 1_000), "collector")


@in_virtual_time
async def test_observer_loses_no_freshness_to_one_reading_that_fails() -> None:
    observer, scraper = Observer(lambda _: None), Failing(30)
    observer.watch("retail/chat", [PageTarget("a", "", "vllm", "collector")])
    going = asyncio.create_task(observer.run(cast("Scraper", scraper), 15.0))
    await asyncio.sleep(900.0)
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)
    read = [at for number, at in enumerate(scraper.at_s, 1) if number != scraper.failing]
    assert len(read) > 35
    assert max(later - earlier for earlier, later in itertools.pairwise(read)) < FRESH_MS / 1_000 - 4


@pytest.mark.parametrize(("interval_s", "apart_s"), [(15.0, IDLE_S), (4.0, 6.0)])
@in_virtual_time
async def test_observer_reads_less_often_at_once_what_has_said_nothing_new_since_it_was_first_read(
    interval_s: float, apart_s: float
) -> None:
    """A new leader knows of no traffic: at thousands of endpoints, five minutes of full rounds take a core."""
    observer, scraper = Observer(lambda _: None), Failing(0)
    observer.watch("retail/chat", [PageTarget("a", "", "vllm", "collector")])
    going = asyncio.create_task(observer.run(cast("Scraper", scraper), interval_s))
    await asyncio.sleep(5 * interval_s + 15.0)
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)
    assert observer.of("retail/chat").idle
    assert scraper.at_s[-1] - scraper.at_s[-2] == pytest.approx(apart_s)


def test_an_endpoint_whose_pages_have_said_something_new_is_not_idle_for_some_minutes() -> None:
    assert Observation(quiet=3).idle
    assert not Observation(quiet=19, moved=True).idle
    assert Observation(quiet=20, moved=True).idle


class Silent(Instant):
    """A scraper that gets no answer from the second round on."""

    rounds = 0

    async def scrape(  # type: ignore[override]
        self, target: PageTarget, before: Snapshot | None = None
    ) -> Snapshot | ScrapeFailure:
        return await super().scrape(target, before) if self.rounds < 1 else ScrapeFailure(target.pod, "Timeout", "none")


@in_virtual_time
async def test_observer_calls_a_pod_silent_after_three_turns_whatever_was_read_again() -> None:
    observer, scraper = Observer(lambda _: None), Silent()
    observer.watch("retail/chat", [PageTarget("a", "", "vllm", "collector")])
    while not observer.of("retail/chat").problems():
        await observer.round(cast("Scraper", scraper), spread_s=0.5)
        scraper.rounds += 1
        await asyncio.sleep(12.0)
    assert scraper.rounds == 1 + 3
