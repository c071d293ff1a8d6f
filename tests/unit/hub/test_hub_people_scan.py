"""Pages of a search hold each exchange once, newest first, however objects overlap and wherever a budget ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import orjson
import pytest
from hub_fixtures import NOW_MS, exchange, ndjson
from hypothesis import given, settings
from hypothesis import strategies as st
from long_form import FULL

from modelward.api.exchange import Exchange, Message, Timings, exchange_to_json
from modelward.hub.buffer import compress
from modelward.hub.layout import ExchangeObject, hour_of
from modelward.hub.people import scan
from modelward.hub.people.scan import ExchangeFilter, ExchangeScan, ScanMark, Scanned
from modelward.hub.rules import Rule

ROWS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 9), st.sampled_from(["r1", "r2"]), st.sampled_from(["a", "b"])),
    min_size=1,
    max_size=30,
)
Stored = list[tuple[ExchangeObject, bytes]]


def ended(one: Exchange) -> int:
    return one.time_ms + int(one.timings.duration_ms)


def objects_of(batches: list[list[Exchange]]) -> Stored:
    """Return batches as the store holds them, by when the last exchange of each ended."""
    found = []
    for number, rows in enumerate(batches):
        times = sorted(map(ended, rows))
        item = ExchangeObject("retail/chat", hour_of(times[-1]), times[0], times[-1], len(rows), f"{number:x}")
        found.append((item, compress(ndjson(*rows).splitlines())))
    return sorted(found, key=lambda one: -one[0].last_ms)


async def page(stored: Stored, asked: ExchangeFilter, limit: int, before: ScanMark | None, reads: int) -> Scanned:
    to_ms = min(asked.to_ms, before.ended_ms + 1) if before else asked.to_ms
    rest = [one for one in stored if one[0].first_ms < to_ms and one[0].last_ms >= asked.from_ms]
    left = [reads]

    async def objects() -> AsyncIterator[tuple[ExchangeObject, bytes]]:
        while rest:
            yield rest.pop(0)

    def spent() -> bool:
        left[0] -= 1
        return left[0] <= 0

    async def prepare(_: ExchangeObject) -> None:
        """Nothing is needed."""

    rule = Rule(content="Full")
    async with aclosing(objects()) as found:  # type: ignore[type-var]
        return await ExchangeScan(asked, rule, NOW_MS, limit, before).run(
            found, lambda: rest[0][0].last_ms if rest else None, spent, prepare
        )


async def pages(stored: Stored, asked: ExchangeFilter, limit: int, reads: int, most: int) -> list[str]:
    found: list[str] = []
    before: ScanMark | None = None
    for _ in range(most):
        one = await page(stored, asked, limit, before, reads)
        assert len(one.exchanges) <= limit
        found += [exchange.id for exchange in one.exchanges]
        before = one.following
        if before is None:
            return found
    raise AssertionError("the pages have no end")


@settings(max_examples=60 if FULL else 25, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=5), st.integers(1, 9), st.integers(1, 4))
def test_pages_hold_each_exchange_once_newest_first(
    batches: list[list[tuple[int, int, str, str]]], limit: int, reads: int
) -> None:
    made = [
        [
            replace(
                exchange(at, revision=revision, response=text),
                id=f"e{number}-{i}",
                timings=Timings(float(slow * 1_000)),
            )
            for i, (at, slow, revision, text) in enumerate(batch)
        ]
        for number, batch in enumerate(batches)
    ]
    stored, sent = objects_of(made), [one for batch in made for one in batch]
    for asked, wanted in (
        (ExchangeFilter(0, NOW_MS * 2), sent),
        (ExchangeFilter(0, NOW_MS * 2, revision="r1"), [one for one in sent if one.revision == "r1"]),
        (ExchangeFilter(0, NOW_MS * 2, words="b"), [one for one in sent if one.response == "b"]),
        (ExchangeFilter(0, NOW_MS * 2, slower_ms=5_000), [one for one in sent if one.timings.duration_ms >= 5_000]),
        (
            ExchangeFilter(NOW_MS - 9_000, NOW_MS - 3_000),
            [one for one in sent if -9_000 <= ended(one) - NOW_MS < -3_000],
        ),
    ):
        expected = [one.id for one in sorted(wanted, key=lambda one: (ended(one), one.id), reverse=True)]
        most = len(sent) + len(batches) * 2 + 5
        assert asyncio.run(pages(stored, asked, limit, reads, most)) == expected


def test_a_search_ends_by_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "SCAN_BYTES", 1)
    stored = objects_of([[exchange(0)], [exchange(100)], [exchange(200)]])
    one = asyncio.run(page(stored, ExchangeFilter(0, NOW_MS * 2, words="nothing"), 5, None, 99))
    assert (one.stopped, one.rows, one.reached_ms) == ("Budget", 1, exchange(100).time_ms + 1)


WORDS = st.text("abik K.,'ıİ\u212a\"\\\n\u00e4Ä/", max_size=6)


@given(WORDS, WORDS, WORDS, st.booleans())
def test_what_the_bytes_of_a_line_rule_out_is_never_among_what_is_found(
    words: str, asked: str, answered: str, escaped: bool
) -> None:
    one = replace(exchange(1), messages=(Message("user", asked),), response=answered)
    line = json.dumps(exchange_to_json(one)).encode() if escaped else orjson.dumps(exchange_to_json(one))
    wanted = ExchangeFilter(0, NOW_MS, words=words.lower())
    assert wanted.may_hold(line) or not wanted.leaves(one)


def test_a_line_without_the_words_is_ruled_out_by_its_bytes() -> None:
    line = orjson.dumps(exchange_to_json(replace(exchange(1), response="Plum Cake für alle")))
    assert ExchangeFilter(0, NOW_MS, words="plum cake").may_hold(line)
    assert not ExchangeFilter(0, NOW_MS, words="apple cake").may_hold(line)
