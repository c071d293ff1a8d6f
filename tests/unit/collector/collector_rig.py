"""A data plane between a scripted model server and a raw client, all on real sockets of one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import uvloop
from waiting import PATIENCE_S, until

from modelward.api.collector_config import CollectorConfig
from modelward.collector import families
from modelward.collector.capture import CaptureGate
from modelward.collector.channel import new_channel
from modelward.collector.downstream import Downstream
from modelward.collector.metrics_recorder import MetricsRecorder
from modelward.collector.proxy_state import ProxyState
from modelward.collector.shared_metrics import SharedMetrics, new_board_fd
from modelward.collector.targets import Targets

T = TypeVar("T")
Script = Callable[[bytes, bytes, asyncio.StreamWriter], Awaitable[None]]
"""Answers one request, given its head and its raw body."""

DEADLINE_SECONDS = 2 * PATIENCE_S


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run on the loop that the product uses."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(asyncio.wait_for(work, DEADLINE_SECONDS))


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
ROLE = b'data: {"id":"c1","model":"m","choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'
TOKEN = b'data: {"id":"c1","model":"m","choices":[{"delta":{"content":"tok"}}]}\n\n'
USAGE = b'data: {"id":"c1","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}\n\n'
DONE = b"data: [DONE]\n\n"


def json_answer(body: bytes, status: bytes = b"200 OK") -> bytes:
    """A whole response with this JSON body."""
    return b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body)


def post(body: bytes, path: bytes = b"/v1/chat/completions", more: bytes = b"") -> bytes:
    """A whole request."""
    return b"POST %b HTTP/1.1\r\nhost: model\r\n%bcontent-length: %d\r\n\r\n%b" % (path, more, len(body), body)


CHAT = post(b'{"model":"m","messages":[{"role":"user","content":"hi"}]}')


@dataclass
class ModelServer:
    """A scripted model server that notes what it received."""

    script: Script
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    resets: int = 0
    listening: asyncio.Server | None = None
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def leave(self) -> None:
        """Stop as a process does: no socket listens any more, and all connections end."""
        if self.listening is not None:
            self.listening.close()
        self.close_connections()

    def close_connections(self) -> None:
        """Close every connection and go on listening."""
        while self.writers:
            self.writers.pop().close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        gone = (asyncio.IncompleteReadError, ConnectionError, RuntimeError)  # the last: uvloop had closed it already
        with contextlib.suppress(*gone, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await self._body(reader, head)
                self.requests.append(head + body)
                await self.script(head, body, writer)
                await writer.drain()
        self.resets += 1
        writer.close()

    async def _body(self, reader: asyncio.StreamReader, head: bytes) -> bytes:
        lower = head.lower()
        if b"transfer-encoding: chunked" in lower:
            return await self._chunks(reader)
        _, found, rest = lower.partition(b"content-length: ")
        return await reader.readexactly(int(rest.split(b"\r\n")[0])) if found else b""

    async def _chunks(self, reader: asyncio.StreamReader) -> bytes:
        raw = b""
        while True:
            line = await reader.readline()
            size = int(line, 16)
            raw += line + await reader.readexactly(size + 2)
            if size == 0:
                return raw


@dataclass
class Rig:
    """What a test can reach."""

    port: int
    server: ModelServer
    proxy: ProxyState
    board: SharedMetrics
    worker_end: Any

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, request: bytes, *, pieces: int = 1) -> bytes:
        """Send a request, in so many pieces, and return all bytes until the other side closes."""
        reader, writer = await self.connect()
        step = max(1, -(-len(request) // pieces))
        for start in range(0, len(request), step):
            writer.write(request[start : start + step])
            if pieces > 1:
                await asyncio.sleep(0)
        answer = await read_answer(reader)
        writer.close()
        return answer

    def value(self, name: str, **labels: str) -> float:
        """Sum of a counter's series with these labels."""
        wanted = families.FAMILIES[name].labels
        return sum(
            values[0]
            for (key, found), values in self.board.read()
            if key == name and labels.items() <= dict(zip(wanted, found, strict=True)).items()
        )

    def histogram(self, name: str, *labels: str) -> list[float]:
        return next(values for (key, found), values in self.board.read() if key == name and found == labels)


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """Read one response as raw bytes: by its length, its last chunk, or to the end."""
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    if b"content-length: " in lower:
        return head + await reader.readexactly(int(lower.partition(b"content-length: ")[2].split(b"\r\n")[0]))
    if b"chunked" in lower:
        with contextlib.suppress(asyncio.IncompleteReadError):
            return head + await reader.readuntil(b"0\r\n\r\n")
    return head + await reader.read()


async def unasked(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
    """The script of a model server that is not to be asked."""
    raise AssertionError("this model server is not to be asked")


@contextlib.asynccontextmanager
async def rig(
    script: Script | None,
    config: CollectorConfig | None = None,
    *,
    targets: Targets | None = None,
    path: str = "",
    before: str = "",
) -> AsyncIterator[Rig]:
    """Run a data plane in front of a scripted model server; `path` is a path of its URL, `before` another server."""
    server = ModelServer(script or unasked)
    listening = server.listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    descriptors = [new_board_fd("test"), new_board_fd("test")]
    board, worker_board = SharedMetrics(descriptors[0]), SharedMetrics(descriptors[1])
    recorder = MetricsRecorder(board, "r1")
    channel, worker_end = new_channel()
    taken = worker_board.cell(families.TAKEN_BYTES)
    gate = CaptureGate(recorder, channel, board.cell(families.HANDED_BYTES), taken, to_file=True)
    loop = asyncio.get_running_loop()
    proxy = ProxyState(
        loop, targets or Targets([*filter(None, [before]), f"http://127.0.0.1:{server.port}{path}"]), recorder, gate
    )
    if config is not None:
        proxy.configure(config)
    front = await loop.create_server(lambda: Downstream(proxy), "127.0.0.1", 0)
    port = front.sockets[0].getsockname()[1]
    try:
        yield Rig(port, server, proxy, board, worker_end)
    finally:
        front.close()
        listening.close()
        for connection in tuple(proxy.connections):
            connection.close()
        with contextlib.suppress(AssertionError):  # on a loaded machine it takes a while until each side knows
            await until(lambda: server.resets == server.connections, 0.5)
        channel.close()
        worker_end.close()
        for fd in descriptors:
            os.close(fd)
