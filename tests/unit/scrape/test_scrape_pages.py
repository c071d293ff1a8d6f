"""Scraping real servers over real sockets, most of them ill."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Literal
from unittest.mock import Mock

import aiohttp
import pytest
from aiohttp import web
from waiting import HANGS_S, PATIENCE_S, a_moment

from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot
from modelward.metrics.window import History
from modelward.scrape.pages import Lanes, PageTarget, ScrapeFailure, Scraper, refusal

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

VLLM = b'vllm:num_requests_running{model_name="m"} 3\nvllm:num_requests_waiting{model_name="m"} 0\n'


@asynccontextmanager
async def speaking(conversation: Conversation) -> AsyncIterator[str]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await conversation(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/metrics"


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_get("/metrics", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/metrics"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving(*pages: bytes) -> AsyncIterator[str]:
    left = list(pages)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=left.pop(0) if len(left) > 1 else left[0], content_type="text/plain")

    async with answering(answer) as url:
        yield url


def target(url: str, source: Literal["collector", "engine"] = "engine", engine: str = "vllm") -> PageTarget:
    return PageTarget("pod", url, engine, source)


async def scraped(
    url: str, source: Literal["collector", "engine"] = "engine", timeout_s: float = PATIENCE_S
) -> Snapshot | ScrapeFailure:
    async with aiohttp.ClientSession() as session:
        return await Scraper(session, lambda: 7, timeout_s=timeout_s, max_bytes=100_000).scrape(target(url, source))


async def failure(url: str, source: Literal["collector", "engine"] = "engine", timeout_s: float = PATIENCE_S) -> str:
    found = await scraped(url, source, timeout_s)
    assert isinstance(found, ScrapeFailure)
    assert found.pod == "pod"
    assert url in found.message
    assert len(found.message) < 300
    return found.reason


async def test_reads_an_engines_page() -> None:
    async with serving(VLLM) as url:
        assert await scraped(url) == Snapshot(
            "pod",
            7,
            "engine",
            {
                SignalKey(Signal.IN_FLIGHT, "m"): 3,
                SignalKey(Signal.ENGINE_RUNNING): 3,
                SignalKey(Signal.ENGINE_WAITING): 0,
            },
            engine="vllm",
        )


async def test_reads_a_collectors_page() -> None:
    async with serving(b'modelward_requests_total{model="m",outcome="ok"} 5') as url:
        found = await scraped(url, "collector")
        assert isinstance(found, Snapshot)
        assert found.counters[SignalKey(Signal.REQUESTS, "m")] == 5


async def test_a_page_that_has_not_changed_is_not_taken_apart_again() -> None:
    pages, times = (VLLM, VLLM, VLLM + b"vllm:prompt_tokens_total 5\n"), iter((7, 8, 9))
    async with serving(*pages) as url, aiohttp.ClientSession() as session:
        scraper = Scraper(session, lambda: next(times))
        first = await scraper.scrape(target(url))
        assert isinstance(first, Snapshot)
        again = await scraper.scrape(target(url), first)
        assert isinstance(again, Snapshot)
        assert again == replace(first, at_ms=8)
        assert again.gauges is first.gauges
        changed = await scraper.scrape(target(url), again)
        assert isinstance(changed, Snapshot)
        assert changed.gauges == first.gauges
        assert changed.counters.keys() - first.counters.keys()


async def test_the_same_page_is_read_anew_where_another_wrote_it() -> None:
    async with serving(VLLM) as url, aiohttp.ClientSession() as session:
        scraper = Scraper(session, lambda: 7)
        before = await scraper.scrape(target(url))
        assert isinstance(before, Snapshot)
        found = await scraper.scrape(target(url, "collector"), before)
        assert isinstance(found, ScrapeFailure)
        assert found.reason == "Unusable"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (aiohttp.ServerDisconnectedError(), "accepted the connection and closed it"),
        (
            aiohttp.ClientConnectorError(Mock(), ConnectionRefusedError(111, "Connect call failed")),
            "refused the connection",
        ),
        (OSError(113, "No route to host"), "cannot be reached: [Errno 113] No route to host"),
    ],
)
def test_a_failed_connection_is_told_in_words(error: Exception, words: str) -> None:
    assert refusal(error) == words


async def test_a_page_of_another_program_is_not_a_quiet_collector() -> None:
    async with serving(VLLM) as url:
        assert await failure(url, "collector") == "Unusable"


async def test_a_closed_port_refuses() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert await failure(f"http://127.0.0.1:{unused.getsockname()[1]}/metrics") == "Refused"


async def test_a_connection_that_is_accepted_and_closed_refuses() -> None:
    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with speaking(close) as url:
        assert await failure(url) == "Refused"


async def test_a_server_that_never_answers_times_out() -> None:
    async def wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with speaking(wait) as url:
        assert await failure(url, timeout_s=HANGS_S) == "Timeout"


async def test_a_slow_drip_times_out_as_a_whole() -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _unused in range(1000):
            writer.write(b"#")
            await writer.drain()
            await a_moment()

    async with speaking(drip) as url:
        assert await failure(url, timeout_s=HANGS_S) == "Slow"


async def test_a_page_without_end_is_left_after_its_bound() -> None:
    sent = 0

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 1_000_000_000:
            writer.write(b"a 1\n" * 10_000)
            sent += 40_000
            await writer.drain()

    async with speaking(flood) as url:
        assert await failure(url) == "TooLarge"
    assert sent < 20_000_000


async def test_too_many_series_are_too_large() -> None:
    async with serving(b"a 1\n" * 20_001) as url:
        assert await failure(url) == "TooLarge"


async def test_a_page_that_breaks_off_is_no_page() -> None:
    async def break_off(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nvllm:num_requests_running 3\n")
        await writer.drain()

    async with speaking(break_off) as url:
        assert await failure(url) == "BadContent"


@pytest.mark.parametrize("page", [b"<html>login</html>", b'{"status": "ok"}', b"\x00\x01\x02", b"a one"])
async def test_garbage_is_bad_content(page: bytes) -> None:
    async with serving(page) as url:
        assert await failure(url) == "BadContent"


async def test_a_server_of_another_protocol_is_bad_content() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await writer.drain()

    async with speaking(greet) as url:
        assert await failure(url) == "BadContent"


async def test_a_compressed_page_is_not_unpacked() -> None:
    async def bomb(_: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b"#" * 5_000_000), headers={"Content-Encoding": "gzip"})

    async with answering(bomb) as url:
        assert await failure(url) == "BadContent"


@pytest.mark.parametrize(
    ("head", "reason"),
    [(b"HTTP/1.1 200 OK\r\n\r\n", "BadContent"), (b"HTTP/1.1 200 OK\r\nContent-Length: 28\r\n\r\n", "")],
)
async def test_a_page_without_a_length_that_ends_within_a_line_was_cut(head: bytes, reason: str) -> None:
    async def cut(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head + b"llamacpp:requests_deferred 3")
        await writer.drain()

    async with speaking(cut) as url, aiohttp.ClientSession() as session:
        found = await Scraper(session, lambda: 7).scrape(target(url, engine="llamacpp"))
    assert (found.reason if isinstance(found, ScrapeFailure) else "") == reason


async def test_what_nobody_thought_of_is_a_failure_and_no_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(*_: object) -> None:
        raise OverflowError

    monkeypatch.setattr("modelward.scrape.pages.snapshot_from_engine", odd)
    async with serving(VLLM) as url:
        assert await failure(url) == "BadContent"


async def test_an_address_that_is_none_is_bad_content() -> None:
    assert await failure("http://[::1/metrics") == "BadContent"


@pytest.mark.parametrize("status", [404, 401, 503])
async def test_a_status_is_told(status: int) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=status, body=VLLM)

    async with answering(refuse) as url:
        assert await failure(url) == f"HTTP {status}"


async def test_redirects_are_never_followed() -> None:
    visited = False

    async def elsewhere(_: web.Request) -> web.Response:
        nonlocal visited
        visited = True
        return web.Response(body=VLLM)

    async with answering(elsewhere) as other:

        async def redirect(_: web.Request) -> web.Response:
            raise web.HTTPFound(other)

        async with answering(redirect) as url:
            assert await failure(url) == "HTTP 302"
    assert not visited


async def test_nan_and_renamed_metrics_are_missing_signals_and_the_rest_is_read() -> None:
    page = b"vllm:num_requests_waiting NaN\nvllm:num_requests_running 1\nvllm:tokens_renamed_total 5\n"
    async with serving(page) as url:
        found = await scraped(url)
    assert isinstance(found, Snapshot)
    assert SignalKey(Signal.ENGINE_WAITING) not in found.gauges
    assert found.gauges[SignalKey(Signal.ENGINE_RUNNING)] == 1
    assert found.counters == {}


async def test_a_restarted_engine_is_counted_on() -> None:
    pages = (b"vllm:generation_tokens_total %d" % value for value in (1000, 1100, 50))
    history, times = History(), iter((0, 15_000, 30_000))
    async with serving(*pages) as url, aiohttp.ClientSession() as session:
        scraper = Scraper(session, lambda: next(times))
        for _ in range(3):
            found = await scraper.scrape(target(url))
            assert isinstance(found, Snapshot)
            history.add(found)
    increase = history.increase(Signal.OUTPUT_TOKENS, None, 30_000, 30_000)
    assert increase is not None
    assert increase.value == 150


async def test_those_that_hung_last_time_cost_the_others_nothing() -> None:
    async def wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with speaking(wait) as hung, serving(VLLM) as well, aiohttp.ClientSession() as session:
        quick, patient = (Scraper(session, lambda: 7, timeout_s=seconds) for seconds in (HANGS_S, PATIENCE_S))
        lanes = Lanes(limit=2)
        late = [asyncio.create_task(lanes.read(quick, target(hung), silent=True)) for _ in range(6)]
        found = await asyncio.gather(*(lanes.read(patient, target(well)) for _ in range(20)))
        assert not any(task.done() for task in late[2:])
        assert all(isinstance(each, ScrapeFailure) for each in await asyncio.gather(*late))
    assert all(isinstance(each, Snapshot) for each in found)


async def test_no_more_than_the_limit_are_read_at_once() -> None:
    running = most = 0

    async def count(_: web.Request) -> web.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await a_moment()
        running -= 1
        return web.Response(body=VLLM)

    async with answering(count) as url, aiohttp.ClientSession() as session:
        scraper, lanes = Scraper(session, lambda: 7), Lanes(limit=3)
        await asyncio.gather(*(lanes.read(scraper, target(url)) for _ in range(12)))
    assert most == 3
