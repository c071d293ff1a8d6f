"""No bytes of one client, or of the answer to it, keep the loop from the others or cost more memory than they are."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tracemalloc
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest
from collector_rig import CHAT, STREAM_HEAD, TOKEN, Rig, chunk, json_answer, post, rig, run
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_server import raw_server
from waiting import until

from modelward.collector import families
from modelward.collector.memory_budget import HeldBytes, MemoryBudget
from modelward.collector.request_copy import BACK_BYTES, FRONT_BYTES, RequestCopy
from modelward.collector.targets import Targets

MOST_CALLS = 15_000
"""Calls of Python and C functions in one turn of the loop: a millisecond or two on a slow core."""
OK = json_answer(b'{"model":"m"}')
CHUNKED = b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"


class Turns:
    """Counts the calls that each turn of the running loop makes; `busiest` is the most of any."""

    def __init__(self) -> None:
        self.busiest = self.turns = self._calls = 0
        self._running = True

    def count(self, frame: FrameType, event: str, argument: Any) -> None:
        del frame, argument
        self._calls += event in ("call", "c_call")

    def tick(self) -> None:
        self.busiest, self._calls = max(self.busiest, self._calls), 0
        self.turns += 1
        if self._running:
            asyncio.get_running_loop().call_soon(self.tick)

    def stop(self) -> None:
        self._running = False


@contextlib.contextmanager
def counted() -> Iterator[Turns]:
    turns = Turns()
    turns.tick()
    sys.setprofile(turns.count)
    try:
        yield turns
    finally:
        sys.setprofile(None)
        turns.stop()


def chunked(body: bytes, size: int) -> bytes:
    return CHUNKED + b"".join(chunk(body[i : i + size]) for i in range(0, len(body), size)) + b"0\r\n\r\n"


async def asked(one: Rig, request: bytes, answer: bytes, times: int = 1) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", one.port, limit=1 << 24)
    writer.write(request)
    assert await reader.readexactly(len(answer) * times) == answer * times
    writer.close()


@pytest.mark.parametrize(
    ("request_bytes", "requests"),
    [
        (post(b"x" * 2_000_000), 1),
        (chunked(b"\r\n" * 250_000, 65_536), 1),
        (chunked(b'{\r\n\r\n  "line": 1234567890,\r\n\r\n' * 16_000, 65_536), 1),
        (chunked(b"x" * 60_000, 2), 1),
        (chunked(b"\n" * 40_000, 1), 1),
        (b"\r\n" * 30_000 + CHAT, 1),
        (b"GET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n" * 300, 300),
        (chunked(b"abc", 1) * 100, 100),
    ],
    ids=["plain", "line ends", "pretty JSON", "2 byte chunks", "1 byte chunks", "empty lines", "pipelined", "both"],
)
def test_no_content_of_an_upload_keeps_the_loop_from_the_other_clients(request_bytes: bytes, requests: int) -> None:
    async def work() -> None:
        with raw_server(OK) as server:
            async with rig(None, targets=Targets([f"http://127.0.0.1:{server.port}"])) as one:
                with counted() as turns:
                    await asked(one, request_bytes, OK, requests)
                assert turns.busiest < MOST_CALLS
                assert bytes(server.wire) == request_bytes.lstrip(b"\r\n")
                await until(lambda: one.proxy.budget.held == 0)

    run(work())


@pytest.mark.parametrize(
    "answer",
    [
        STREAM_HEAD + chunk(TOKEN) * 10_000 + b"0\r\n\r\n",
        STREAM_HEAD + chunk(b"x") * 100_000 + b"0\r\n\r\n",
        STREAM_HEAD + chunk(b": \n\n") * 60_000 + b"0\r\n\r\n",
        STREAM_HEAD + chunk(b'"' * 65_536) * 16 + b"0\r\n\r\n",
        STREAM_HEAD + chunk(b"\n" * 65_536) * 16 + b"0\r\n\r\n",
        STREAM_HEAD + chunk(TOKEN + b"\n" * 65_536) * 16 + b"0\r\n\r\n",
        json_answer(b"\n" * 3_000_000),
        json_answer(b'"usage"' * 100_000),
    ],
    ids=["tokens", "1 byte chunks", "comments", "quotes", "line ends", "line ends later", "plain", "keys"],
)
def test_no_content_of_an_answer_keeps_the_loop_from_the_other_clients(answer: bytes) -> None:
    async def work() -> None:
        with raw_server(answer) as server:
            async with rig(None, targets=Targets([f"http://127.0.0.1:{server.port}"])) as one:
                with counted() as turns:
                    await asked(one, CHAT, answer)
                assert turns.busiest < MOST_CALLS
                await until(lambda: one.value(families.REQUESTS, outcome="ok") == 1)
                assert one.value(families.OBSERVER_ERRORS) == 0

    run(work())


PATTERNS = st.sampled_from([b"\r\n", b"\r\n\r\n", b"0\r\n\r\n", b'"', b"x", b'{"model":"'])
BODIES = st.binary(max_size=400) | st.builds(lambda pattern, times: pattern * times, PATTERNS, st.integers(1, 3000))
REQUESTS = st.one_of(
    st.builds(post, BODIES),
    st.builds(chunked, BODIES, st.sampled_from([1, 2, 3, 100, 5000])),
    st.just(b"GET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n"),
)


@settings(max_examples=40, deadline=None)
@given(
    requests=st.lists(REQUESTS, min_size=1, max_size=6),
    step=st.sampled_from([7, 100, 5000, 1 << 20]),
    damage=st.none() | st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)),
)
def test_any_bytes_of_a_client_cost_bounded_turns_and_leave_nothing_held(
    requests: list[bytes], step: int, damage: tuple[float, bytes] | None
) -> None:
    sent = b"".join(requests)
    if damage is not None:
        at = int(damage[0] * len(sent))
        sent = sent[:at] + damage[1] + sent[at + len(damage[1]) :]
    step = max(step, len(sent) // 100)

    async def work() -> None:
        with raw_server(OK) as server:
            async with rig(None, targets=Targets([f"http://127.0.0.1:{server.port}"])) as one:
                reader, writer = await one.connect()
                with counted() as turns:
                    for start in range(0, len(sent), step):
                        writer.write(sent[start : start + step])
                        await asyncio.sleep(0)
                    if damage is None:
                        assert await reader.readexactly(len(OK) * len(requests)) == OK * len(requests)
                        assert bytes(server.wire) == sent
                    else:
                        with contextlib.suppress(TimeoutError, ConnectionError):
                            await asyncio.wait_for(reader.read(1), 0.02)
                assert turns.busiest < MOST_CALLS
                assert one.proxy.budget.held <= len(sent) * 3
                writer.close()
                await until(lambda: not one.proxy.connections and one.proxy.budget.held == 0)
                assert one.value(families.IN_FLIGHT) == 0
                assert one.value(families.OBSERVER_ERRORS) == 0

    run(work())


def test_uploads_in_tiny_chunks_cost_the_memory_of_their_bytes() -> None:
    upload = CHUNKED + b"2\r\nab\r\n" * 12_000

    async def work() -> tuple[int, int]:
        with raw_server(OK) as server:
            async with rig(None, targets=Targets([f"http://127.0.0.1:{server.port}"])) as one:
                writers = [(await one.connect())[1] for _ in range(4)]
                tracemalloc.start()
                for writer in writers:
                    writer.write(upload)
                await until(lambda: len(server.wire) == 4 * len(upload))
                ours = tracemalloc.Filter(True, "*/modelward/collector/*")
                traces = tracemalloc.take_snapshot().filter_traces([ours]).statistics("filename")
                tracemalloc.stop()
                counted = one.proxy.budget.held
                for writer in writers:
                    writer.close()
                await until(lambda: not one.proxy.connections)
        return sum(trace.size for trace in traces), counted

    held, counted = run(work())
    assert held < 4 * 100 * 1024
    assert counted >= 4 * 24_000, "what is held is in the budget"


def test_a_budget_that_is_used_up_costs_copies_and_no_request() -> None:
    async def answers(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)

    async def work() -> None:
        async with rig(answers) as one:
            one.proxy.budget.limit = 0
            for _ in range(3):
                assert await one.ask(CHAT) == OK
                assert await one.ask(post(b"x" * 500_000)) == OK
            await until(lambda: one.proxy.budget.held == 0)

    run(work())


def test_near_the_memory_limit_no_copy_is_kept_for_a_retry() -> None:
    held: list[int] = []

    async def work(*, scarce: bool) -> None:
        async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
            held.append(one.proxy.budget.held)
            writer.write(OK)

        async with rig(script) as one:
            one.proxy.budget.scarce = scarce
            one.proxy.observing = False
            assert await one.ask(post(b"x" * 50_000)) == OK

    run(work(scarce=False))
    run(work(scarce=True))
    assert held[0] > 50_000 > 1000 > held[1]


@given(pieces=st.lists(st.binary(max_size=9000), max_size=60))
def test_bytes_held_in_pieces_are_the_same_bytes_in_few_objects(pieces: list[bytes]) -> None:
    held = HeldBytes()
    for piece in pieces:
        held.add(piece)
    whole = b"".join(pieces)
    assert held.size == len(whole)
    assert held.objects <= 3 + 2 * sum(len(piece) >= 4096 for piece in pieces) + len(whole) // 4096
    assert held.value() == whole
    assert held.clear() == len(whole)
    assert held.value() == b""


@given(pieces=st.lists(st.binary(max_size=30_000), max_size=12), limit=st.sampled_from([1 << 30, 70_000, 1000]))
def test_the_two_ends_of_a_request_are_known_however_it_is_cut(pieces: list[bytes], limit: int) -> None:
    budget = MemoryBudget(limit)
    copy = RequestCopy(budget)
    for piece in pieces:
        copy.add(piece)
    whole = b"".join(pieces)
    if limit == 1 << 30:
        front, back = whole[:FRONT_BYTES], whole[FRONT_BYTES:][-BACK_BYTES:]
        assert copy.value() == front + back
    assert budget.held <= limit
    copy.clear()
    assert budget.held == 0
