"""Bytes pass as they came, whatever their shape."""

from __future__ import annotations

import asyncio
import socket

import pytest
from collector_rig import (
    CHAT,
    DONE,
    ROLE,
    STREAM_HEAD,
    TOKEN,
    USAGE,
    ModelServer,
    Rig,
    Script,
    chunk,
    json_answer,
    post,
    read_answer,
    rig,
    run,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from waiting import a_moment, settled, until

from modelward.collector import families
from modelward.collector.targets import Targets
from modelward.collector.upstream import Upstream

STREAM = STREAM_HEAD + b"".join(map(chunk, (ROLE, TOKEN, TOKEN, TOKEN, USAGE, DONE))) + b"0\r\n\r\n"


def answering(answer: bytes, *, step: int = 0, close: bool = False) -> Script:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        for start in range(0, len(answer), step or len(answer)):
            writer.write(answer[start : start + (step or len(answer))])
            if step:
                await writer.drain()
                await asyncio.sleep(0)
        if close:
            writer.close()

    return script


@settings(max_examples=25, deadline=None)
@given(
    body=st.binary(max_size=5000),
    answer=st.binary(max_size=5000),
    request_pieces=st.integers(1, 40),
    answer_step=st.integers(0, 700),
    chunked=st.booleans(),
)
def test_bodies_arrive_identical_however_they_are_cut(
    body: bytes, answer: bytes, request_pieces: int, answer_step: int, chunked: bool
) -> None:
    if chunked:
        pieces = [body[i : i + 900] for i in range(0, len(body), 900)]
        request = (
            b"POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
            + b"".join(map(chunk, pieces))
            + b"0\r\n\r\n"
        )
        response = STREAM_HEAD + (chunk(answer) if answer else b"") + b"0\r\n\r\n"
    else:
        request, response = post(body), json_answer(answer)
    assume(b"\r\n" not in answer)  # the test's own client looks for the last chunk by its bytes

    async def work() -> None:
        async with rig(answering(response, step=answer_step)) as one:
            assert await one.ask(request, pieces=request_pieces) == response
            assert one.server.requests == [request]
            assert one.value(families.OBSERVER_ERRORS) == 0

    run(work())


def test_a_stream_cut_byte_by_byte_is_passed_and_measured_alike() -> None:
    async def work(step: int) -> tuple[float, float, list[float]]:
        async with rig(answering(STREAM, step=step)) as one:
            assert await one.ask(CHAT) == STREAM
            tokens = one.histogram(families.TOKENS, "m", "r1", "output")
            return one.value(families.CHUNKS), sum(one.histogram(families.TTFT, "m", "r1")[:-1]), tokens

    assert run(work(1)) == run(work(0)) == run(work(7))


def test_twenty_megabytes_pass_both_ways() -> None:
    body = b"x" * 20_000_000

    async def script(head: bytes, received: bytes, writer: asyncio.StreamWriter) -> None:
        assert received == body
        writer.write(json_answer(received))

    async def work() -> None:
        async with rig(script) as one:
            assert (await one.ask(post(body))).endswith(body[-1000:])

    run(work())


def test_connections_are_kept_and_reused_on_both_sides() -> None:
    async def work() -> None:
        async with rig(answering(json_answer(b"{}"))) as one:
            reader, writer = await one.connect()
            for _ in range(5):
                writer.write(CHAT)
                assert await reader.readexactly(len(json_answer(b"{}"))) == json_answer(b"{}")
            assert one.server.connections == 1
            writer.close()

    run(work())


def test_pipelined_requests_are_answered_in_order() -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        await a_moment()
        writer.write(json_answer(body))

    chunked = b"POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(b"a\r\n\r\nb") + b"0\r\n\r\n"

    async def work() -> None:
        async with rig(script) as one:
            reader, writer = await one.connect()
            writer.write(
                post(b'"1"') + chunked + post(b'"3"') + b"GET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n" + post(b'"5"')
            )
            expected = [b'"1"', chunk(b"a\r\n\r\nb") + b"0\r\n\r\n", b'"3"', b"", b'"5"']
            for body in expected:
                assert await reader.readexactly(len(json_answer(body))) == json_answer(body)
            assert len(one.server.requests) == 5
            writer.close()

    run(work())


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_chunked_body_whose_end_is_split_over_reads_ends_where_it_ends(cut: int) -> None:
    request = b"POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(b"abc") + b"0\r\n\r\n"

    async def work() -> None:
        async with rig(answering(json_answer(b"{}"))) as one:
            reader, writer = await one.connect()
            writer.write(request[:-cut])
            await a_moment()
            writer.write(request[-cut:] + request)
            for _ in range(2):
                await reader.readexactly(len(json_answer(b"{}")))
            assert one.server.requests == [request, request]
            writer.close()

    run(work())


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\nx : y\r\n\r\n",
        b"\x16\x03\x01\x02\x00\r\n\r\n",
    ],
)
def test_what_could_smuggle_a_request_is_refused_and_reaches_nobody(request_bytes: bytes) -> None:
    async def work() -> None:
        async with rig(answering(json_answer(b"{}"))) as one:
            answer = await one.ask(request_bytes)
            assert answer.startswith(b"HTTP/1.1 400 ")
            assert b'"type": "invalid_request_error"' in answer
            assert one.server.requests == []

    run(work())


def test_a_malformed_chunked_request_is_refused() -> None:
    async def work() -> None:
        async with rig(answering(json_answer(b"{}"))) as one:
            answer = await one.ask(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n")
            assert answer.startswith(b"HTTP/1.1 400 ")
            assert one.value(families.IN_FLIGHT) == 0

    run(work())


def test_a_header_without_end_is_refused() -> None:
    async def work() -> None:
        async with rig(answering(json_answer(b"{}"))) as one:
            assert (await one.ask(b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000)).startswith(b"HTTP/1.1 431 ")

    run(work())


def test_a_header_of_thousands_of_fields_is_refused() -> None:
    async def work() -> None:
        async with rig(answering(json_answer(b"{}"))) as one:
            assert (await one.ask(b"GET / HTTP/1.1\r\n" + b"a:\r\n" * 16_000 + b"\r\n")).startswith(b"HTTP/1.1 431 ")
            assert (await one.ask(b"GET / HTTP/1.1\r\n" + b"a:\r\n" * 400 + b"\r\n")).startswith(b"HTTP/1.1 200 ")

    run(work())


def test_a_malformed_answer_passes_as_it_is() -> None:
    broken = STREAM_HEAD + chunk(ROLE) + b"zz\r\nnot a chunk\r\n"

    async def work() -> None:
        async with rig(answering(broken, close=True)) as one:
            reader, writer = await one.connect()
            writer.write(CHAT)
            assert await reader.read() == broken
            assert one.value(families.UPSTREAM_ERRORS, reason="malformed") == 1
            assert one.value(families.REQUESTS, outcome="error") == 1
            assert one.value(families.IN_FLIGHT) == 0
            writer.close()

    run(work())


def test_a_server_that_dies_midway_ends_the_answer_without_a_false_end() -> None:
    async def work() -> None:
        async with rig(answering(STREAM_HEAD + chunk(ROLE) + chunk(TOKEN), close=True)) as one:
            reader, writer = await one.connect()
            writer.write(CHAT)
            assert await reader.read() == STREAM_HEAD + chunk(ROLE) + chunk(TOKEN)
            assert one.value(families.REQUESTS, outcome="error", code="200") == 1
            writer.close()

    run(work())


def test_an_answer_that_ends_with_the_connection_is_whole() -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{}"

    async def work() -> None:
        async with rig(answering(answer, close=True)) as one:
            assert await one.ask(CHAT) == answer
            await until(lambda: one.value(families.REQUESTS, outcome="ok") == 1)

    run(work())


def test_a_server_that_is_down_is_answered_for_in_the_shape_that_clients_read() -> None:
    async def work() -> None:
        async with rig(answering(b""), targets=Targets(["http://127.0.0.1:9"])) as one:
            reader, writer = await one.connect()
            writer.write(CHAT)
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
            assert b"connection: close" in head, "another connection may lead to a pod that serves"
            assert b'"type": "upstream_unavailable"' in body
            assert b'"code": 502' in body
            assert one.value(families.REQUESTS, code="502", outcome="error") == 1
            writer.close()

    run(work())


def test_a_refusing_server_is_passed_over_for_the_next_one() -> None:
    async def work() -> None:
        async with rig(answering(json_answer(b"{}")), before="http://127.0.0.1:9") as one:
            for _ in range(4):
                assert (await one.ask(CHAT)).startswith(b"HTTP/1.1 200")
            assert one.value(families.UPSTREAM_ERRORS, reason="refused") <= 1
            assert one.value(families.UPSTREAM_UP) == 1

    run(work())


def test_a_stale_pooled_connection_costs_one_retry_and_no_failure() -> None:
    one_server = ModelServer(answering(b""))

    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        if len(one_server.requests) == 2 and one_server.connections == 1:
            writer.transport.abort()  # the second request on the first connection: as if it had been closed while idle
            return
        writer.write(json_answer(b"{}"))

    async def work() -> None:
        nonlocal one_server
        async with rig(script) as one:
            one_server = one.server
            assert (await one.ask(CHAT)).startswith(b"HTTP/1.1 200")
            assert (await one.ask(CHAT)).startswith(b"HTTP/1.1 200")
            assert one.server.connections == 2

    run(work())


def test_a_new_connection_that_closes_unanswered_is_not_retried() -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async def work() -> None:
        async with rig(script) as one:
            assert (await one.ask(CHAT)).startswith(b"HTTP/1.1 502")
            assert len(one.server.requests) == 1

    run(work())


def test_a_client_that_leaves_stops_the_server_and_counts_as_cancelled() -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD)
        while True:
            writer.write(chunk(TOKEN))
            await writer.drain()
            await asyncio.sleep(0)

    async def work() -> None:
        async with rig(script) as one:
            reader, writer = await one.connect()
            writer.write(CHAT)
            await reader.readuntil(b"tok")
            writer.close()
            await until(lambda: one.server.resets == 1)
            assert one.value(families.REQUESTS, outcome="cancelled") == 1
            assert one.value(families.IN_FLIGHT) == 0

    run(work())


def test_a_slow_reader_holds_the_server_back() -> None:
    written = 0

    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 200000000\r\n\r\n")
        for _ in range(2000):
            writer.write(b"x" * 100_000)
            written += 100_000
            await writer.drain()

    async def work(one: Rig) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", one.port, limit=1024)
        writer.write(CHAT)
        await reader.readline()
        assert await settled(lambda: written) < 40_000_000  # what socket buffers take, not 200 MB
        writer.close()

    async def main() -> None:
        async with rig(script) as one:
            await work(one)

    run(main())


def test_interim_responses_and_expect_continue_pass() -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        await a_moment()
        writer.write(json_answer(b"{}"))

    async def work() -> None:
        async with rig(script) as one:
            reader, writer = await one.connect()
            writer.write(post(b"{}", more=b"expect: 100-continue\r\n"))
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            assert await reader.readexactly(len(json_answer(b"{}"))) == json_answer(b"{}")
            assert one.value(families.REQUESTS, code="200") == 1
            writer.close()

    run(work())


def test_head_requests_have_no_body_and_keep_the_connection() -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n"

    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer if head.startswith(b"HEAD") else json_answer(b"{}"))

    async def work() -> None:
        async with rig(script) as one:
            reader, writer = await one.connect()
            for _ in range(2):
                writer.write(b"HEAD /v1/models HTTP/1.1\r\nhost: a\r\n\r\n")
                assert await reader.readexactly(len(answer)) == answer
            writer.write(CHAT)
            assert await reader.readexactly(len(json_answer(b"{}"))) == json_answer(b"{}")
            assert one.server.connections == 1
            writer.close()

    run(work())


def test_an_early_answer_reaches_the_client_that_still_sends() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(json_answer(b'{"error":"too large"}', b"413 Too Large"))
        await writer.drain()
        await reader.read()
        writer.close()

    async def work() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with rig(answering(b""), targets=Targets([url])) as one:
            reader, writer = await one.connect()
            writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n" + b"x" * 1000)
            await a_moment()
            writer.write(b"x" * 10_000)
            assert (await reader.read()).startswith(b"HTTP/1.1 413")
            writer.close()
        server.close()

    run(work())


def test_upgrades_become_a_blind_pump() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
        while data := await reader.read(100):
            writer.write(b"<" + data + b">")
        writer.close()

    async def work() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with rig(answering(b""), targets=Targets([url])) as one:
            reader, writer = await one.connect()
            writer.write(b"GET /ws HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            for word in (b"\x00\x01", b"GET / HTTP/1.1\r\n\r\n"):
                writer.write(word)
                assert await reader.readexactly(len(word) + 2) == b"<" + word + b">"
            writer.close()
        server.close()

    run(work())


def test_an_offer_of_cleartext_http2_is_declined_and_the_request_measured() -> None:
    async def work() -> None:
        async with rig(answering(json_answer(b"{}"))) as one:
            more = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAA\r\n"
            assert (await one.ask(post(b"{}", more=more))).startswith(b"HTTP/1.1 200")
            assert b"pgrade" not in one.server.requests[0]
            assert one.value(families.REQUESTS, code="200") == 1

    run(work())


def test_an_api_of_others_gets_its_own_host_and_path() -> None:
    async def work() -> None:
        async with rig(answering(json_answer(b"{}")), path="/openai") as one:
            await one.ask(post(b"{}", more=b"authorization: Bearer x\r\n"))
            head = one.server.requests[0]
            assert head.startswith(b"POST /openai/v1/chat/completions HTTP/1.1\r\n")
            assert b"Host: 127.0.0.1:%d\r\n" % one.server.port in head
            assert b"host: model" not in head
            assert b"authorization: Bearer x\r\n" in head

    run(work())


def test_small_writes_are_not_delayed_on_either_side() -> None:
    async def work() -> None:
        async with rig(answering(json_answer(b"{}"))) as one:
            reader, writer = await one.connect()
            writer.write(CHAT)
            assert await read_answer(reader) == json_answer(b"{}")
            (downstream,) = one.proxy.connections
            target = one.proxy.targets.choose(0.0)
            upstream = target.take_idle() if target else None
            assert target is not None
            assert isinstance(upstream, Upstream)
            target.give_back(upstream)
            for transport in (downstream.transport, upstream.transport):
                assert transport is not None
                sock = transport.get_extra_info("socket")
                # Nagle's algorithm with delayed acknowledgements would cost 40 ms for each small write.
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
            writer.close()

    run(work())


def test_draining_closes_idle_connections_and_lets_answers_finish() -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        await a_moment()
        writer.write(json_answer(b"{}"))

    async def work() -> None:
        async with rig(script) as one:
            idle_reader, idle_writer = await one.connect()
            reader, writer = await one.connect()
            writer.write(CHAT)
            await until(lambda: len(one.server.requests) == 1)
            one.proxy.drain()
            assert await idle_reader.read() == b""
            assert await reader.read() == json_answer(b"{}")
            idle_writer.close()
            writer.close()

    run(work())
