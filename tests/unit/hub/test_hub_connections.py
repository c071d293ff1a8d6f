"""Connections, unfinished bodies and slow readers take their own namespace's or peer's place only."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import resource
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hub_fixtures import exchange, ndjson, running_hub
from waiting import PATIENCE_S

from modelward.hub import certificates
from modelward.hub.admission import Admission
from modelward.hub.errors import HubError
from modelward.hub.listener import Listener, Terms
from modelward.hub.settings import Limits

HEAD = b"POST /v1/exchanges HTTP/1.1\r\nHost: hub\r\nContent-Length: %d\r\n\r\n"


class Server:
    """A listener with one slow and one quick answer."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.release = asyncio.Event()
        self.both = asyncio.Event()
        self.busy: set[object] = set()

    async def quick(self, _: web.Request) -> web.Response:
        """Answer at once."""
        return web.Response(text="ok")

    async def slow(self, request: web.Request) -> web.Response:
        """Answer when released."""
        self.busy.add(request.protocol)
        if len(self.busy) == 2:
            self.both.set()
        await self.release.wait()
        return web.Response(text="late")


@contextlib.asynccontextmanager
async def listening(
    connections: int, tls: ssl.SSLContext | None = None, head_s: float = 60.0
) -> AsyncIterator[tuple[Server, Listener]]:
    server = Server()
    app = web.Application()
    app.router.add_get("/", server.quick)
    app.router.add_get("/slow", server.slow)
    listener = await Listener.started(
        app, Terms("127.0.0.1", 0, tls, connections, head_s), server.refused.append, server.busy
    )
    try:
        yield server, listener
    finally:
        server.release.set()
        await listener.close()


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def opened(port: int, source: str = "127.0.0.1", **more: Any) -> AsyncIterator[Stream]:
    """Connect from an address of loopback, and close for sure."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0), **more)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await asyncio.wait_for(writer.wait_closed(), PATIENCE_S)


async def asked(port: int, path: str = "/", source: str = "127.0.0.1", **more: Any) -> bytes:
    async with opened(port, source, **more) as (reader, writer):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n".encode())
        return await asyncio.wait_for(reader.read(), PATIENCE_S)


async def test_a_peer_with_many_silent_connections_takes_its_own_places() -> None:
    async with listening(20) as (server, listener), contextlib.AsyncExitStack() as stack:
        reader, writer = await stack.enter_async_context(opened(listener.port, "127.0.0.3"))
        for _ in range(60):
            await stack.enter_async_context(opened(listener.port))
        for _ in range(5):
            assert (await asked(listener.port, source="127.0.0.2")).endswith(b"ok")
        assert server.refused.count("limit") >= 40
        assert len(listener._open) <= 20
        writer.write(b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert (await asyncio.wait_for(reader.readline(), PATIENCE_S)).startswith(b"HTTP/1.1 200")


async def test_a_request_under_way_is_not_cut_for_a_new_connection() -> None:
    async with listening(2) as (server, listener):
        held = [asyncio.create_task(asked(listener.port, "/slow")) for _ in range(2)]
        await asyncio.wait_for(server.both.wait(), PATIENCE_S)
        with pytest.raises((ConnectionError, AssertionError)):
            assert (await asked(listener.port)).endswith(b"ok")
        server.release.set()
        assert all(answer.endswith(b"late") for answer in await asyncio.gather(*held))


async def test_silent_tls_connections_keep_nobody_out(tmp_path: Path) -> None:
    made = certificates.ensure(tmp_path, "mw", datetime.now(UTC))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(made.certificate_file, made.key_file)
    client = ssl.create_default_context(cadata=made.ca_pem.decode())
    async with listening(30, tls) as (_, listener), contextlib.AsyncExitStack() as stack:
        for _ in range(60):
            await stack.enter_async_context(opened(listener.port))
        assert (await asked(listener.port, ssl=client, server_hostname="localhost")).endswith(b"ok")
        assert len(listener._open) <= 30


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: hub\r\nX: "])
async def test_a_connection_without_a_whole_head_is_closed(begun: bytes) -> None:
    async with listening(5, head_s=0.05) as (_, listener), opened(listener.port) as (reader, writer):
        writer.write(begun)
        assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""


@pytest.mark.parametrize("head", [b"Authorization: Bearer SECRET" + b"x" * 9_000, b"no header", b"X: a\x00b"])
async def test_a_malformed_request_is_one_line_in_the_log_and_quotes_nothing(
    head: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(5) as (_, listener), opened(listener.port) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: hub\r\n" + head + b"\r\n\r\n")
        assert (await asyncio.wait_for(reader.readline(), PATIENCE_S)).startswith(b"HTTP/1.0 400")
    assert "SECRET" not in caplog.text
    assert all(record.exc_info is None for record in caplog.records)
    assert len(caplog.text.splitlines()) <= 1


async def test_the_end_of_descriptors_is_counted_and_serving_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(50) as (server, listener):
        loop = asyncio.get_running_loop()
        real, failures = loop.sock_accept, [OSError(errno.EMFILE, "Too many open files")] * 2

        async def accept(listening: object) -> object:
            if failures:
                raise failures.pop()
            return await real(listening)  # type: ignore[arg-type]

        with monkeypatch.context() as broken:
            broken.setattr(loop, "sock_accept", accept)
            assert (await asked(listener.port)).endswith(b"ok")
            assert (await asked(listener.port)).endswith(b"ok")
        assert server.refused == ["descriptors", "descriptors"]


async def test_a_body_that_does_not_come_ends_with_408() -> None:
    async with running_hub("memory://", Limits(body_s=0.1)) as r, opened(r.hub.ports[0]) as (reader, writer):
        writer.write(HEAD % 700_000 + b"x" * 600_000)
        assert (await asyncio.wait_for(reader.readline(), PATIENCE_S))[9:12] == b"408"


async def test_unfinished_bodies_are_held_within_the_share_of_their_namespace() -> None:
    limits = Limits(flush_interval_s=0.02, request_bytes=4_000_000)
    async with running_hub("memory://", limits) as r, contextlib.AsyncExitStack() as stack:
        reading = set()
        for _ in range(6):
            reader, writer = await stack.enter_async_context(opened(r.hub.ports[0]))
            writer.write(HEAD % 700_000 + b"x" * 600_000)
            reading.add(asyncio.create_task(reader.readline()))
        for _ in range(5):
            done, reading = await asyncio.wait(reading, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
            assert {one.result()[9:12] for one in done} == {b"503"}, "a million bytes are the share"
            if len(reading) == 1:
                break
        assert len(reading) == 1
        assert await r.client.post_exchanges(ndjson(exchange(1))) == (1, 0)
        for one in reading:
            one.cancel()


def test_one_namespace_cannot_hold_what_the_others_need() -> None:
    admission = Admission(400, 100, 3, 1.0, 1.0)
    with contextlib.ExitStack() as stack:
        loud = [stack.enter_context(admission.request("loud")) for _ in range(3)]
        with pytest.raises(HubError, match="requests"):
            stack.enter_context(admission.request("loud"))
        loud[0].take(100)
        with pytest.raises(HubError, match="too much"):
            loud[1].take(1)
        stack.enter_context(admission.request("quiet")).take(100)
    assert (admission._bytes, dict(admission._of), dict(admission._requests)) == (0, {}, {})


async def test_who_does_not_read_an_answer_loses_the_connection() -> None:
    limits = Limits(flush_interval_s=0.02, send_s=0.2)
    async with running_hub("memory://", limits) as r:
        for number in range(3):
            big = [exchange(number * 20 + i, response=os.urandom(200_000).hex()) for i in range(20)]
            await r.client.post_exchanges(ndjson(*big))
        async with opened(r.hub.ports[0], limit=1_000) as (reader, writer):
            writer.write(b"GET /v1/windows/retail/chat?from=1&to=1795480000001 HTTP/1.1\r\nHost: hub\r\n\r\n")
            await asyncio.wait_for(reader.readline(), PATIENCE_S)
            await asyncio.sleep(0.5)
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await asyncio.wait_for(reader.readexactly(12_000_000), PATIENCE_S)


DESCRIPTORS = """
import resource, sys
from modelward.hub.listener import raise_descriptor_limit
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
raise_descriptor_limit()
print(resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard))
"""


def test_descriptors_are_raised_to_the_hard_limit() -> None:
    done = subprocess.run([sys.executable, "-c", DESCRIPTORS], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 0
