"""What two servers could read differently is refused, and no request leaves its place or goes unmeasured."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator

import httptools
import pytest
from collector_rig import CHAT, STREAM_HEAD, TOKEN, Rig, chunk, json_answer, post, read_answer, rig, run
from hypothesis import given, settings
from hypothesis import strategies as st
from waiting import a_moment, until

from modelward.collector import families
from modelward.collector.request_body import RequestBody
from modelward.collector.request_head import BadRequestError, RequestHead
from modelward.collector.request_target import leaves_its_place, readdressed

OK = json_answer(b'{"model":"m"}')
CHUNKED = b"POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"


async def ok(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


@contextlib.asynccontextmanager
async def gateway(path: str) -> AsyncIterator[Rig]:
    """A rig whose upstream is an API of others."""
    async with rig(ok, path=path) as one:
        yield one


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /x HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /x HTTP/1.0\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: identity\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n",
        b'POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: "chunked"\r\n\r\n',
        b"POST /x HTTP/2.0\r\nhost: a\r\n\r\n",
        b"GET /x\r\n\r\n",
        b"GET  /x HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /x HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"POST /v1/chat/completions#/health HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n",
        CHUNKED + b"2 \r\nab\r\n0\r\n\r\n",
        CHUNKED + b" 2\r\nab\r\n0\r\n\r\n",
        CHUNKED + b"0x2\r\nab\r\n0\r\n\r\n",
        CHUNKED + b"+2\r\nab\r\n0\r\n\r\n",
        CHUNKED + b"2\nab\r\n0\r\n\r\n",
        CHUNKED + b"2;a\nb\r\nab\r\n0\r\n\r\n",
        CHUNKED + b"2\r\nabc\r\n0\r\n\r\n",
        CHUNKED + b"10000000000000002\r\nab\r\n0\r\n\r\n",
        CHUNKED + b"0\r\ncontent-length: 5\r\n\r\n",
        CHUNKED + b"0\r\ntransfer-encoding: chunked\r\n\r\n",
        CHUNKED + b"0\r\na b: c\r\n\r\n",
        CHUNKED + b"0\r\na: b\n\r\n\r\n",
        CHUNKED + b"0\r\n" + b"a: %b\r\n" % (b"b" * 3000) * 30 + b"\r\n",
    ],
)
def test_framing_that_two_servers_could_read_differently_is_refused(request_bytes: bytes) -> None:
    async def work() -> None:
        async with rig(ok) as one:
            assert (await one.ask(request_bytes)).startswith(b"HTTP/1.1 400 ")
            assert one.server.requests == []
            assert one.proxy.budget.held == 0

    run(work())


@given(
    body=st.binary(max_size=300),
    size=st.integers(1, 40),
    extension=st.sampled_from([b"", b";a=b", b';a="b c"']),
    trailers=st.sampled_from([b"", b"x-checksum: 1\r\n", b"a:\r\nb: c\r\n"]),
    cuts=st.lists(st.integers(1, 40), max_size=30),
    rest=st.binary(max_size=20),
)
def test_a_chunked_body_ends_where_it_ends_however_it_is_cut(
    body: bytes, size: int, extension: bytes, trailers: bytes, cuts: list[int], rest: bytes
) -> None:
    chunks = [body[i : i + size] for i in range(0, len(body), size)]
    wire = b"".join(b"%x%b\r\n%b\r\n" % (len(c), extension, c) for c in chunks) + b"0\r\n" + trailers + b"\r\n"
    following = RequestBody(RequestHead(CHUNKED))
    held, taken_in_all, content, left = b"", 0, b"", wire + rest
    for cut in [*cuts, len(left)]:
        held, left = held + left[:cut], left[cut:]
        while held and not following.complete:
            taken, piece = following.take(held)
            held, taken_in_all, content = held[taken:], taken_in_all + taken, content + piece
            if not following.cut_short:
                break
    assert following.complete
    assert (taken_in_all, content) == (len(wire), body)


@given(wire=st.text(alphabet="0123456789aAfF;: \t\r\n\x00x", max_size=60).map(str.encode))
def test_any_chunk_framing_is_followed_or_refused(wire: bytes) -> None:
    following = RequestBody(RequestHead(CHUNKED))
    with contextlib.suppress(BadRequestError):
        taken, content = following.take(wire)
        assert len(content) <= taken <= len(wire)


class Parsed:
    """What llhttp, which many servers are made of, makes of a request."""

    def __init__(self) -> None:
        self.body, self.ends = b"", 0

    def on_body(self, piece: bytes) -> None:
        self.body += piece

    def on_message_complete(self) -> None:
        self.ends += 1


@settings(max_examples=300)
@given(
    body=st.binary(max_size=20),
    size=st.integers(1, 6),
    extension=st.sampled_from([b"", b";a", b";a=b;c", b';a="b c"', b"; a", b";", b";a =b", b";\x80", b';a="\\""']),
    trailers=st.sampled_from([b"", b"a: b\r\n", b"x:\r\n", b"a:\x80\r\n"]),
    damage=st.lists(
        st.tuples(st.floats(0, 0.99), st.sampled_from([b"\r", b"\n", b"0", b";", b" ", b":", b""])), max_size=2
    ),
)
def test_what_is_followed_ends_where_another_parser_ends_it(
    body: bytes, size: int, extension: bytes, trailers: bytes, damage: list[tuple[float, bytes]]
) -> None:
    chunks = [body[i : i + size] for i in range(0, len(body), size)]
    wire = b"".join(b"%x%b\r\n%b\r\n" % (len(c), extension, c) for c in chunks) + b"0\r\n" + trailers + b"\r\n"
    for place, byte in damage:
        at = int(place * len(wire))
        wire = wire[:at] + byte + wire[at + 1 :]
    following = RequestBody(RequestHead(CHUNKED))
    try:
        taken, content = following.take(wire)
    except BadRequestError:
        return
    if following.complete:
        parsed = Parsed()
        httptools.HttpRequestParser(parsed).feed_data(CHUNKED + wire[:taken])
        assert (parsed.ends, parsed.body) == (1, content)


def test_an_offered_upgrade_that_is_not_taken_ends_no_measuring() -> None:
    offer = b"connection: Upgrade\r\nupgrade: TLS/1.2\r\n"

    async def work() -> None:
        async with rig(ok) as one:
            reader, writer = await one.connect()
            writer.write(b"GET /v1/models HTTP/1.1\r\nhost: a\r\n" + offer + b"\r\n")
            assert await read_answer(reader) == OK
            for _ in range(3):
                writer.write(post(b'{"model":"m"}', more=offer))
                assert await read_answer(reader) == OK
            writer.write(
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\n" + offer + b"transfer-encoding: chunked\r\n\r\n"
            )
            await a_moment()
            writer.write(chunk(b"{}") + b"0\r\n\r\n")
            assert await read_answer(reader) == OK
            assert one.value(families.REQUESTS, code="200") == 4
            assert one.value(families.OTHER_REQUESTS, code="200") == 1
            assert one.value(families.UPSTREAM_ERRORS) == 0
            writer.close()

    run(work())


def test_a_connection_that_switched_protocols_is_in_flight_until_it_ends() -> None:
    async def switch(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nhello")

    async def work() -> None:
        async with rig(switch) as one:
            reader, writer = await one.connect()
            writer.write(b"GET /ws HTTP/1.1\r\nhost: a\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n")
            await reader.readuntil(b"hello")
            assert one.value(families.IN_FLIGHT) == 1
            writer.close()
            await until(lambda: one.value(families.IN_FLIGHT) == 0)
            assert one.value(families.OTHER_REQUESTS, code="101") == 1
            assert one.value(families.UPSTREAM_ERRORS) == 0

    run(work())


def test_a_switch_that_no_client_offered_is_no_tunnel() -> None:
    async def switch(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        odd = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"
        writer.write(odd if head.startswith(b"GET") else OK)

    async def work() -> None:
        async with rig(switch) as one:
            reader, writer = await one.connect()
            writer.write(b"GET /ws HTTP/1.1\r\nhost: a\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            writer.write(CHAT)
            assert await read_answer(reader) == OK
            assert one.value(families.REQUESTS, code="200", outcome="ok") == 1
            writer.close()

    run(work())


def test_one_malformed_answer_ends_no_measuring_on_its_connection() -> None:
    broken = STREAM_HEAD + chunk(TOKEN) + b"zz\r\nnot a chunk\r\n"

    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(broken if len(one_server_requests) == 0 else OK)
        one_server_requests.append(head)

    one_server_requests: list[bytes] = []

    async def work() -> None:
        async with rig(script) as one:
            reader, writer = await one.connect()
            writer.write(CHAT)
            assert await reader.readexactly(len(broken)) == broken
            for _ in range(2):
                writer.write(CHAT)
                assert await read_answer(reader) == OK
            assert one.value(families.REQUESTS, outcome="error") == 1
            assert one.value(families.REQUESTS, outcome="ok") == 2
            assert one.value(families.IN_FLIGHT) == 0
            writer.close()

    run(work())


def test_connect_is_refused() -> None:
    async def work() -> None:
        async with rig(ok) as one:
            assert (await one.ask(b"CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n")).startswith(b"HTTP/1.1 405 ")
            assert one.server.requests == []

    run(work())


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        (b"GET /v1/models HTTP/1.1\r\nhost: gw\r\n\r\n", b"/team-a/v1/models"),
        (b"GET /team-a/v1/models HTTP/1.1\r\nhost: gw\r\n\r\n", b"/team-a/v1/models"),
        (b"GET http://other/admin?x=/../y HTTP/1.1\r\nhost: gw\r\n\r\n", b"/team-a/admin?x=/../y"),
        (b"GET https://other HTTP/1.1\r\nhost: gw\r\n\r\n", b"/team-a/"),
        (b"GET //other/admin HTTP/1.1\r\nhost: gw\r\n\r\n", b"/team-a//other/admin"),
        (b"GET /admin HTTP/1.1\r\nhost: other\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", b"/team-a/admin"),
        (b"GET /a HTTP/1.1\r\nhost: gw\r\nconnection: upgrade\r\nupgrade: x, h2c\r\n\r\n", b"/team-a/a"),
    ],
)
def test_at_a_gateway_every_request_stays_below_its_prefix_and_at_its_host(asked: bytes, path: bytes) -> None:
    async def work() -> None:
        async with gateway("/team-a") as one:
            assert (await one.ask(asked)).startswith(b"HTTP/1.1 200")
            head = one.server.requests[0]
            assert head.split(b" ")[1] == path
            assert head.lower().count(b"\r\nhost:") == 1
            assert b"\r\nHost: 127.0.0.1:%d\r\n" % one.server.port in head
            assert b"h2c" not in head
            assert one.value(families.OTHER_REQUESTS, code="200") == 1

    run(work())


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (b"GET /team-a/../admin HTTP/1.1\r\nhost: gw\r\n\r\n", b"400"),
        (b"GET /%2e%2E/admin HTTP/1.1\r\nhost: gw\r\n\r\n", b"400"),
        (b"OPTIONS * HTTP/1.1\r\nhost: gw\r\n\r\n", b"400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"505"),
    ],
)
def test_at_a_gateway_what_could_leave_its_prefix_is_refused(asked: bytes, code: bytes) -> None:
    async def work() -> None:
        async with gateway("/team-a") as one:
            assert (await one.ask(asked)).startswith(b"HTTP/1.1 " + code)
            assert one.server.requests == []
            assert one.value(families.IN_FLIGHT) == 0
            assert one.proxy.budget.held == 0

    run(work())


@pytest.mark.parametrize(
    "path",
    [b"/..", b"/a/../b", b"/a/..;x/b", b"/%2e%2e/b", b"/.%2E/b", b"/a%2f..%2fb", b"/a\\..\\b", b"/a%5c..%5cb",
     b"/%252e%252e/", b"/%25252e%25252e/", b"/%2525252525252e."],
)  # fmt: skip
def test_a_path_that_leads_upwards_for_anybody_who_decodes_it_is_found(path: bytes) -> None:
    assert leaves_its_place(path)
    with pytest.raises(BadRequestError):
        readdressed(b"GET " + path + b" HTTP/1.1\r\nhost: a\r\n\r\n", b"api", b"/v1")


@pytest.mark.parametrize(
    "path", [b"/v1/models/meta-llama%2FLlama-3", b"/a..b/c..", b"/...", b"/100%25", b"/%", b"/a/./b"]
)
def test_ordinary_paths_are_passed(path: bytes) -> None:
    assert not leaves_its_place(path)


def test_a_path_is_known_as_its_server_decodes_it() -> None:
    assert (
        RequestHead(b"POST /v1/%63hat/completions?a#b HTTP/1.1\r\n\r\n".replace(b"#b", b"")).path
        == b"/v1/chat/completions"
    )


def test_http_1_0_clients_that_keep_their_connection_keep_it() -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\n{}")

    async def work() -> None:
        async with rig(script) as one:
            reader, writer = await one.connect()
            for _ in range(3):
                writer.write(b"GET /v1/models HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
                assert (await read_answer(reader)).endswith(b"{}")
            writer.write(b"GET /v1/models HTTP/1.0\r\n\r\n")
            assert (await reader.read()).endswith(b"{}"), "without that word the connection ends"
            writer.close()

    run(work())


def test_a_reset_of_the_server_is_a_reset_for_the_client_and_an_error() -> None:
    begun = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + TOKEN

    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(begun)
        await writer.drain()
        await a_moment()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()

    async def work() -> None:
        async with rig(script) as one:
            reader, writer = await one.connect()
            writer.write(CHAT)
            assert await reader.readexactly(len(begun)) == begun
            with pytest.raises(ConnectionResetError):
                await reader.read()
            await until(lambda: one.value(families.REQUESTS, outcome="error") == 1)
            assert one.value(families.UPSTREAM_ERRORS, reason="closed_midway") == 1
            writer.close()

    run(work())
