"""What one ordinary exchange costs, in calls of functions, which unlike times are the same on every machine.

A bound that is reached is a question to the change that reached it: must every request, or every token, pay for it?
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, cast

import pytest
from collector_rig import CHAT, DONE, STREAM_HEAD, TOKEN, Rig, chunk, json_answer, post, rig, run
from raw_server import raw_server
from waiting import until

from modelward.collector import families
from modelward.collector.targets import Target, Targets
from modelward.collector.upstream import Upstream

OK = json_answer(
    b'{"id":"c1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}'
)
EMBEDDINGS = post(b'{"model":"m","input":"hi"}', b"/v1/embeddings")
MODELS = b"GET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n"
MORE_FIELDS = b"".join(b"x-stainless-%d: some value\r\n" % n for n in range(20))
ROUNDS = 10


class Calls:
    """Counts the calls of the collector's own functions, and those that they make of functions written in C."""

    def __init__(self) -> None:
        self.python = self.c = 0

    def count(self, frame: FrameType, event: str, argument: Any) -> None:
        del argument
        if "/modelward/collector/" in frame.f_code.co_filename:
            self.python += event == "call"
            self.c += event == "c_call"


class Loop:
    """The loop of a plane, which notes what is asked of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self._loop, name)


@contextlib.contextmanager
def counted() -> Iterator[Calls]:
    calls = Calls()
    sys.setprofile(calls.count)
    try:
        yield calls
    finally:
        sys.setprofile(None)


async def exchanges(one: Rig, request: bytes) -> Calls:
    """Return the calls of ten exchanges on one connection, after five that let everything be made once."""
    reader, writer = await one.connect()

    async def ask(times: int) -> None:
        for _ in range(times):
            writer.write(request)
            assert await reader.readexactly(len(OK)) == OK

    await ask(5)
    loop = Loop(one.proxy.loop)
    one.proxy.loop = cast("asyncio.AbstractEventLoop", loop)
    with counted() as calls:
        await ask(ROUNDS)
    assert loop.asked == [], "an ordinary exchange takes no turn of the loop beyond its two reads"
    writer.close()
    return calls


@pytest.mark.parametrize(
    ("request_bytes", "python", "c"),
    [
        (CHAT, 98, 79),
        (EMBEDDINGS, 98, 88),
        (MODELS, 68, 45),
        (post(b'{"model":"m"}', more=MORE_FIELDS), 118, 99),
    ],
    ids=["chat", "embeddings", "models", "a client of many headers"],
)
def test_an_ordinary_exchange_costs_few_calls(request_bytes: bytes, python: int, c: int) -> None:
    async def work() -> Calls:
        with raw_server(OK) as server:
            async with rig(None, targets=Targets([f"http://127.0.0.1:{server.port}"])) as one:
                calls = await exchanges(one, request_bytes)
                assert one.value(families.OBSERVER_ERRORS) == 0
                return calls

    calls = run(work())
    assert calls.python <= python * ROUNDS
    assert calls.c <= c * ROUNDS


def test_a_token_costs_few_calls_and_the_end_of_its_stream_not_many() -> None:
    async def work() -> tuple[Calls, Calls]:
        with raw_server(STREAM_HEAD + chunk(TOKEN)) as server:
            targets = Targets([f"http://127.0.0.1:{server.port}"])
            async with rig(None, targets=targets) as one:
                target = cast("Target", targets.choose(0.0))
                upstream = Upstream(one.proxy, target)
                await one.proxy.loop.create_connection(lambda: upstream, target.host, target.port)
                target.give_back(upstream)
                reader, writer = await one.connect()
                writer.write(CHAT)
                await reader.readuntil(TOKEN)
                with counted() as tokens:
                    for _ in range(40):
                        upstream.data_received(chunk(TOKEN))
                with counted() as end:
                    upstream.data_received(chunk(DONE) + b"0\r\n\r\n")
                writer.close()
                await until(lambda: not one.proxy.connections)
                assert one.value(families.CHUNKS) == 42
                assert one.value(families.REQUESTS, outcome="ok") == 1
                assert one.value(families.OBSERVER_ERRORS) == 0
                return tokens, end

    tokens, end = run(work())
    assert tokens.python <= 8 * 40
    assert tokens.c <= 10 * 40
    assert end.python <= 64
    assert end.c <= 92
