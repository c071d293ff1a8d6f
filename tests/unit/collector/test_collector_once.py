"""A request is executed once, and the requests of one connection in their order."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import sys
import termios
import time
from typing import cast

import pytest
from collector_rig import CHAT, Rig, Script, chunk, json_answer, post, read_answer, rig, run
from waiting import a_moment, until

from modelward.collector import families
from modelward.collector.dialing import FRESH_SECONDS, KEPT_BYTES, RETRY_SECONDS
from modelward.collector.downstream import Downstream
from modelward.collector.tcp_times import since_last_segment
from modelward.collector.upstream import Upstream

OK = json_answer(b"{}")
CHUNKED = b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"


class Clock:
    """The plane's clock, moved by the test."""

    def __init__(self, one: Rig) -> None:
        self.time = 1000.0
        one.proxy.now = lambda: self.time
        self.age = 0.0
        one.proxy.segment_age = lambda _: self.age


def dying_on_reuse(clocks: list[Clock], seconds: float) -> Script:
    """Answers once on each connection; ends a connection that is used again, after working for so long."""
    used: set[int] = set()

    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        if id(writer) in used:
            clocks[0].time += seconds
            writer.transport.abort()
            return
        used.add(id(writer))
        writer.write(OK)

    return script


@pytest.mark.parametrize(
    ("worked", "answer", "times"),
    [
        (0.0, b"HTTP/1.1 200", 3),
        (RETRY_SECONDS, b"HTTP/1.1 200", 3),
        (RETRY_SECONDS * 1.5, b"HTTP/1.1 502", 2),
        (1.0, b"HTTP/1.1 502", 2),
        (30.0, b"HTTP/1.1 502", 2),
    ],
)
def test_a_request_that_a_server_may_have_begun_is_never_sent_again(worked: float, answer: bytes, times: int) -> None:
    async def work() -> None:
        clocks: list[Clock] = []
        script = dying_on_reuse(clocks, worked)
        async with rig(script) as one:
            clocks.append(Clock(one))
            assert (await one.ask(CHAT)).startswith(b"HTTP/1.1 200")
            assert (await one.ask(CHAT)).startswith(answer)
            assert len(one.server.requests) == times

    run(work())


def test_a_server_that_closes_a_kept_connection_unanswered_is_neither_asked_again_nor_spoken_for() -> None:
    async def work() -> None:
        clocks: list[Clock] = []
        async with rig(dying_on_reuse(clocks, 1.0)) as one:
            clocks.append(Clock(one))
            reader, writer = await one.connect()
            writer.write(CHAT)
            assert await read_answer(reader) == OK
            writer.write(CHAT)
            assert await reader.read() == b"", "closed, as the server closed it"
            assert len(one.server.requests) == 2
            writer.close()

    run(work())


def test_a_request_that_a_server_closed_without_reading_is_sent_again_however_long_that_took() -> None:
    lazy: list[asyncio.Transport] = []

    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        if not lazy:
            lazy.append(cast("asyncio.Transport", writer.transport))
            lazy[0].pause_reading()

    def waiting() -> int:
        unread = bytearray(4)
        fcntl.ioctl(lazy[0].get_extra_info("socket").fileno(), termios.FIONREAD, unread)
        return int.from_bytes(unread, sys.byteorder)

    async def work() -> None:
        async with rig(script) as one:
            clock = Clock(one)
            assert await one.ask(CHAT) == OK
            asking = asyncio.ensure_future(one.ask(CHAT))
            await until(lambda: waiting() == len(CHAT))
            clock.time += 1.0
            lazy[0].abort()
            assert await asking == OK
            assert len(one.server.requests) == 2

    run(work())


def test_a_close_that_is_seen_late_counts_from_when_it_came() -> None:
    async def work() -> None:
        clocks: list[Clock] = []
        async with rig(dying_on_reuse(clocks, 1.0)) as one:
            clocks.append(Clock(one))
            clocks[0].age = 1.0  # the node was busy: the server closed a second before it was seen
            assert (await one.ask(CHAT)).startswith(b"HTTP/1.1 200")
            assert (await one.ask(CHAT)).startswith(b"HTTP/1.1 200")
            assert len(one.server.requests) == 3

    run(work())


def test_the_kernel_tells_when_the_other_end_closed_however_late_that_is_seen() -> None:
    seen: list[float] = []

    class Peer(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def eof_received(self) -> None:
            seen.append(since_last_segment(self.transport))

    async def work() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            transport, _ = await asyncio.get_running_loop().create_connection(Peer, *server.getsockname())
            other, _ = server.accept()
            other.close()
            time.sleep(0.2)  # noqa: ASYNC251 - the loop is kept busy
            await until(lambda: bool(seen))
            transport.close()

    run(work())
    assert seen[0] >= 0.19
    assert since_last_segment(None) == 0.0


def test_far_servers_get_the_time_that_bytes_need_to_them() -> None:
    async def work() -> None:
        clocks: list[Clock] = []
        script = dying_on_reuse(clocks, 0.2)
        async with rig(script) as one:
            clocks.append(Clock(one))
            assert (await one.ask(CHAT)).startswith(b"HTTP/1.1 200")
            target = one.proxy.targets.choose(0)
            assert target is not None
            connection = target.take_idle()
            assert isinstance(connection, Upstream)
            connection.connected_in(0.18)
            target.give_back(connection)
            assert (await one.ask(CHAT)).startswith(b"HTTP/1.1 200")

    run(work())


@pytest.mark.parametrize("size", [KEPT_BYTES - 100, KEPT_BYTES + 1, 300_000])
def test_a_stale_connection_costs_no_request_of_any_size(size: int) -> None:
    async def work() -> None:
        clocks: list[Clock] = []
        script = dying_on_reuse(clocks, 0.0)
        async with rig(script) as one:
            clocks.append(Clock(one))
            assert (await one.ask(CHAT)).startswith(b"HTTP/1.1 200")
            assert (await one.ask(post(b"x" * size))).startswith(b"HTTP/1.1 200")
            assert one.value(families.REQUESTS, outcome="error") == 0

    run(work())


@pytest.mark.parametrize(("idle", "connections"), [(FRESH_SECONDS * 0.5, 1), (FRESH_SECONDS * 1.5, 2)])
def test_a_body_of_unknown_length_takes_no_connection_that_has_idled(idle: float, connections: int) -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)

    async def work() -> None:
        async with rig(script) as one:
            clock = Clock(one)
            assert await one.ask(CHAT) == OK
            clock.time += idle
            reader, writer = await one.connect()
            writer.write(CHUNKED + chunk(b"{"))
            await a_moment()
            writer.write(chunk(b"}") + b"0\r\n\r\n")
            assert await read_answer(reader) == OK
            assert one.server.connections == connections
            writer.close()

    run(work())


@pytest.mark.parametrize("cut", [1, 30, 100])
def test_pipelined_bytes_never_overtake_those_that_are_held(cut: int) -> None:
    inner = b"GET /inverted HTTP/1.1\r\nhost: inner\r\nx: 1234\r\n\r\n"
    second = post(inner, b"/second")

    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        if head.startswith(b"GET /first"):
            await until(lambda: bool(released))
        writer.write(json_answer(head.split()[1]))

    released: list[bool] = []

    async def work() -> None:
        async with rig(script) as one:
            reader, writer = await one.connect()
            writer.write(b"GET /first HTTP/1.1\r\nhost: a\r\n\r\n")
            await until(lambda: len(one.server.requests) == 1)
            connection = next(iter(one.proxy.connections))
            assert isinstance(connection, Downstream)
            writer.write(second[:-cut])
            await a_moment()
            done = connection.response_done

            def done_and_read(*, keep: bool) -> None:
                """The loop finds the end of the answer and the rest of the next request at one time."""
                done(keep=keep)
                connection.response_done = done  # type: ignore[method-assign]
                connection.data_received(second[-cut:])

            connection.response_done = done_and_read  # type: ignore[method-assign]
            released.append(True)
            for path in (b"/first", b"/second"):
                assert await read_answer(reader) == json_answer(path)
            assert one.server.requests[1] == second
            writer.close()

    run(work())
