"""Metrics pages that are ill: readers stay bounded, the cause is named, what is unknown says so, nothing scales down.

Both readers are held to it on real sockets: the operator's, and that of the collector beside an engine.
"""

from __future__ import annotations

import asyncio
import re
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import aiohttp
import pytest
import sick_pages as sick
from shared_pods import KINDS, Kind, shared_pods
from sick_pages import Sickness, page, serving, vllm
from waiting import HANGS_S, PATIENCE_S

from modelward.collector import engine as engine_scrape
from modelward.collector.engine import EngineScrape
from modelward.collector.options import Options
from modelward.metrics.signals import Signal
from modelward.scrape.pages import MAX_BYTES, PageTarget, ScrapeFailure, Scraper

SLACK_S = 10.0
"""What a loaded machine may take beside waiting; the sick pages go on for a hundred seconds and more, or for ever."""
SOCKET_BYTES = 12 * sick.MEGABYTE
"""What the system takes off a sender's hands before the other side has read it."""
MEMORY_BYTES = 40 * sick.MEGABYTE


@dataclass(frozen=True, slots=True)
class Case:
    """A sickness, what the operator's condition says of it, and the word that the collector has for it."""

    name: str
    sickness: Sickness
    reason: str
    words: str
    problem: str

    @property
    def timeout_s(self) -> float:
        """How long a reader waits: only for what hangs is it the time that the reading takes."""
        return HANGS_S if self.problem == "Timeout" else PATIENCE_S


def _series(count: int, text: str) -> bytes:
    return "".join(text.format(number) for number in range(count)).encode()


NOTHING_KNOWN = re.sub(rb" \S+\n", b" NaN\n", vllm())
CASES = (
    Case("silent", sick.silent, "ScrapeBlocked", "gave no answer", "Timeout"),
    Case("closing", sick.closing, "ScrapeBlocked", "accepted the connection and closed it", "Refused"),
    Case("resetting", sick.resetting, "ScrapeBlocked", "accepted the connection and closed it", "Refused"),
    Case("dripping head", sick.dripping_head, "ScrapeBlocked", "gave no answer", "Timeout"),
    Case("dripping", sick.dripping, "Missing", "is slow", "Timeout"),
    Case("endless", sick.endless, "Missing", "more than 2000000 bytes", "TooLarge"),
    Case("5 MB", page(b"odd_total 1\n" * 420_000), "Missing", "more than 2000000 bytes", "TooLarge"),
    Case("too many series", page(_series(20_001, "a{{b=\"{}\"}} 1\n")), "Missing", "20000 series", "TooLarge"),
    Case("too many labels", page(b"a{%b} 1\n" % _series(99, 'l{}="",')), "Missing", "64 labels", "TooLarge"),
    Case("gzip bomb", sick.gzip_bomb(), "Missing", "compressed page", "BadContent"),
    Case("binary", page(bytes(range(256)) * 9), "Missing", "serves no metrics page", "BadContent"),
    Case("another type", page(b"<html>log in</html>", b"text/html"), "Missing", "no metric name", "BadContent"),
    Case("500", sick.status(b"500 Internal Server Error"), "Missing", "answered 500", "HTTP 500"),
    Case("redirect", sick.status(b"302 Found", b"Location: /\r\n"), "Missing", "answered 302", "HTTP 302"),
    Case("half a page", sick.half, "Missing", "broke off", "BadContent"),
    Case("half in chunks", sick.half_chunked, "Missing", "broke off", "BadContent"),
    Case("cut in a number", sick.cut_in_a_number, "Missing", "broke off", "BadContent"),
    Case("reset in the middle", sick.reset_in_the_middle, "Missing", "broke off", "BadContent"),
    Case("two values", page(vllm() + vllm(requests=7)), "Missing", "a second value", "BadContent"),
    Case("empty", page(b""), "Missing", "none of its 0 metrics", "Unusable"),
    Case("renamed", page(vllm().replace(b"vllm:", b"vllm_")), "Missing", "engine vllm is known by", "Unusable"),
    Case("NaN", page(NOTHING_KNOWN), "Missing", "no number", "Unusable"),
)  # fmt: skip
# To read twenty thousand series takes a while, and what is made of it is what is made of any page that is too large; a
# head that drips is waited for as long as none.
CASES_TO_THE_END = tuple(case for case in CASES if case.name not in ("too many series", "dripping head"))
each_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """Measure the most memory that is taken within, in bytes; asked for afterwards."""
    peaks: list[int] = []
    tracemalloc.start()
    try:
        yield lambda: peaks[0]
    finally:
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@each_case
async def test_the_operators_reader_is_bounded_in_bytes_time_and_memory_and_names_the_cause(
    case: Case, session: aiohttp.ClientSession
) -> None:
    async with serving(case.sickness) as server:
        scraper, target = (
            Scraper(session, lambda: 7, timeout_s=case.timeout_s),
            PageTarget("p", server.url, "vllm", "engine"),
        )
        started = time.monotonic()
        with traced() as peak:
            found = await scraper.scrape(target)
        took_s = time.monotonic() - started
        assert isinstance(found, ScrapeFailure)
        assert case.words in found.message
        assert server.url in found.message
        assert len(found.message) < 300
        assert server.requests <= 2, "the client library asks once more when a connection is closed on it"
    assert took_s < HANGS_S + SLACK_S
    assert server.sent_bytes < MAX_BYTES + SOCKET_BYTES
    assert peak() < MEMORY_BYTES


@each_case
async def test_the_collectors_reader_is_bounded_in_bytes_and_time_and_names_the_cause(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_scrape, "TIMEOUT_SECONDS", PATIENCE_S)
    async with serving(page(vllm())) as server:
        scrape = EngineScrape(Options(engine="vllm", engine_metrics_url=server.url))
        await asyncio.to_thread(scrape.scrape_once)
        assert (scrape.values["modelward_engine_requests_total"], scrape.problem) == (100, "")
        server.sickness, server.sent_bytes = case.sickness, 0
        monkeypatch.setattr(engine_scrape, "TIMEOUT_SECONDS", case.timeout_s)
        started = time.monotonic()
        await asyncio.to_thread(scrape.scrape_once)
        took_s = time.monotonic() - started
        assert (scrape.values, scrape.problem) == ({"modelward_engine_up": 0.0}, case.problem)
        assert server.requests == 2
        monkeypatch.setattr(engine_scrape, "TIMEOUT_SECONDS", PATIENCE_S)
        server.sickness = page(vllm(requests=101))
        await asyncio.to_thread(scrape.scrape_once)
        assert (scrape.values["modelward_engine_requests_total"], scrape.problem) == (101, "")
    assert took_s < HANGS_S + SLACK_S
    assert server.sent_bytes < MAX_BYTES + SOCKET_BYTES


# From here on the whole way: pages, readings, verdicts, status, replicas.


@pytest.mark.parametrize("kind", KINDS)
async def test_two_well_pods_are_one_too_many(kind: Kind) -> None:
    async with shared_pods(kind) as shared:
        await shared.pass_time(6, 40)
        assert shared.mixed.lowered
        assert {check.verdict for check in shared.mixed.status.metrics} == {"Passed"}


@pytest.mark.parametrize("case", CASES_TO_THE_END, ids=[case.name for case in CASES_TO_THE_END])
async def test_a_sick_page_is_named_and_unknown_and_scales_nothing_down(case: Case) -> None:
    async with shared_pods() as shared:
        mixed, ill = shared.mixed, shared.ill
        shared.server.sickness, mixed.timeout_s, ill.timeout_s = case.sickness, case.timeout_s, case.timeout_s
        await shared.pass_time(6, 40)
        assert mixed.condition("MetricsAvailable")[:2] == ("False", "PartialPods")
        assert case.words in mixed.condition("MetricsAvailable")[2]
        assert ill.condition("MetricsAvailable")[:2] == ("False", case.reason)
        assert case.words in ill.condition("MetricsAvailable")[2]
        assert ill.status.health == "Unknown"
        assert ill.status.usage is None or ill.status.usage.requests_per_minute == ""
        for bed in (mixed, ill):
            assert bed.condition("ScalingActive")[:2] == ("Unknown", "HoldingOnStaleMetrics")
            assert bed.scales.asked == []
        await shared.pass_time(1, 300)
        stood = ill.status.metrics
        await shared.pass_time(1, 15)
        assert {check.verdict for check in stood} == {"Passed"}, "what was measured before was not refuted"
        assert stood == ill.status.metrics, "and is no newer than what was measured"
        assert mixed.observer.of("retail/chat").history.level(Signal.IN_FLIGHT, None, mixed.now_ms) is not None
        shared.server.sickness, ill.timeout_s = shared.load.well, PATIENCE_S
        await shared.pass_time(1, 15)
        assert ill.condition("MetricsAvailable")[:2] == ("True", "Fresh")
