"""Whatever a hub answers: rows are taken or left out one by one, and nothing but HubUnavailableError is raised."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import zstandard
from aiohttp import web
from aiohttp.test_utils import TestServer

from modelward.api.evaluation import Counts, EvaluatorFacts, WindowResult, result_to_json
from modelward.api.exchange import Exchange, exchange_to_json
from modelward.hub_client.client import HubClient, HubUnavailableError, KeptSamples
from modelward.hub_client.rows import BATCH, readable

RESULT = WindowResult(
    "retail",
    "chat",
    "baseline",
    "topic",
    1,
    2,
    "modelward-20261124-120000",
    EvaluatorFacts("PII", "1"),
    {"r": Counts(3)},
)
EXCHANGE = Exchange(
    id="x",
    time_ms=1,
    endpoint="retail/chat",
    model="m",
    revision="",
    operation="chat",
    status=200,
    outcome="ok",
    content="MetadataOnly",
)
ODD: tuple[Any, ...] = (None, 0, -1.5, "text", [], {}, [[]], {"namespace": None}, {"endpoint": {}}, {"from_ms": "soon"})
ANSWERS = (b"", b"[]", b"null", b"3", b"{", b"\xff", b'{"results":{}}', b'{"results":3,"endpoints":[3]}', b"[" * 5_000)


@asynccontextmanager
async def hub(answer: bytes, status: int = 200) -> AsyncIterator[tuple[HubClient, Counter[str]]]:
    async def same(_: web.Request) -> web.Response:
        return web.Response(body=answer, status=status)

    app, skipped = web.Application(), Counter[str]()
    app.router.add_route("*", "/{path:.*}", same)
    async with (
        TestServer(app) as server,
        HubClient(str(server.make_url("/")), skipped=lambda reason: skipped.update([reason])) as client,
    ):
        yield client, skipped


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
async def test_a_hub_that_talks_nonsense_is_unavailable_and_nothing_else(answer: bytes, status: int) -> None:
    refused = 0
    async with hub(answer, status) as (client, _):
        asks = (
            client.endpoints,
            lambda: client.results(0),
            lambda: client.results(0, "retail", "chat"),
            lambda: client.exchange("retail", "chat", "x"),
            lambda: client.window("retail", "chat", 0, 1, 1),
            lambda: client.post_exchanges(b""),
            lambda: client.put_rules({}),
            lambda: client.put_result(RESULT),
        )
        for ask in asks:
            try:
                await ask()
            except HubUnavailableError:
                refused += 1
    assert refused == len(asks) or status == 200, "an error is never taken for an answer"


async def test_one_odd_row_costs_itself_and_is_counted() -> None:
    rows = [*ODD, result_to_json(RESULT), *ODD]
    async with hub(json.dumps({"results": rows}).encode()) as (client, skipped):
        assert await client.results(0) == [RESULT]
        assert skipped == {"unreadable": 2 * len(ODD)}


async def test_one_odd_endpoint_costs_itself_and_is_counted() -> None:
    good = {"endpoint": "retail/chat", "exchanges": 3, "oldestMs": 1, "newestMs": 2, "later": "added"}
    async with hub(json.dumps({"endpoints": [*ODD, good]}).encode()) as (client, skipped):
        assert await client.endpoints() == [KeptSamples("retail/chat", 3, 1, 2)]
        assert skipped == {"unreadable": len(ODD)}


async def test_one_odd_exchange_of_a_window_costs_itself_and_is_counted() -> None:
    lines = [*map(json.dumps, ODD), json.dumps(exchange_to_json(EXCHANGE)), "{", ""]
    async with hub(zstandard.compress("\n".join(lines).encode())) as (client, skipped):
        assert await client.window("retail", "chat", 0, 1, 1) == [EXCHANGE]
        assert skipped == {"unreadable": len(ODD) + 1}


async def test_pages_are_asked_for_until_there_is_none() -> None:
    marks: list[str] = []

    async def page(request: web.Request) -> web.Response:
        marks.append(request.query["after"])
        row = result_to_json(RESULT) | {"to_ms": 2 + len(marks)}
        return web.json_response({"results": [row], "next": {"": "a", "a": "b", "b": ""}[marks[-1]]})

    app = web.Application()
    app.router.add_get("/v1/results", page)
    async with TestServer(app) as server, HubClient(str(server.make_url("/"))) as client:
        assert [one.to_ms for one in await client.results(0)] == [3, 4, 5]
        assert marks == ["", "a", "b"]


async def test_a_hub_that_gives_the_same_page_for_ever_is_asked_for_it_twice() -> None:
    async with hub(json.dumps({"results": [result_to_json(RESULT)], "next": "a"}).encode()) as (client, _):
        assert await client.results(0) == [RESULT, RESULT]


async def test_other_work_gets_its_turn_while_many_rows_are_read() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    read = [row async for batch in readable(range(50 * BATCH), int, lambda _: None) for row in batch]
    beside.cancel()
    assert len(read) == 50 * BATCH
    assert turns >= 50
