"""Real HTTP servers that serve a metrics page well, or in one of the ways in which such pages go wrong."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n"
_TEXT = b"text/plain; version=0.0.4"
MEGABYTE = 1_000_000


@dataclass(slots=True)
class Reply:
    """The sending side of one connection, whose bytes are counted when the system has taken them."""

    server: SickServer
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Send some bytes."""
        self.writer.write(data)
        await self.writer.drain()
        self.server.sent_bytes += len(data)

    def reset(self) -> None:
        """End the connection with RST instead of FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Sickness = Callable[[Reply], Awaitable[None]]
"""Answers one request, whose head has been read."""


@dataclass(slots=True)
class SickServer:
    """A server whose sickness may be changed while it runs."""

    sickness: Sickness
    url: str = ""
    sent_bytes: int = 0
    requests: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection; a sickness ends it."""
        self._open.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            await self.sickness(Reply(self, writer))
        self._open.discard(writer)
        writer.close()

    def end(self) -> None:
        """Let go of all connections."""
        for writer in tuple(self._open):
            writer.transport.abort()


@asynccontextmanager
async def serving(sickness: Sickness) -> AsyncIterator[SickServer]:
    """Serve on a port of the loopback address."""
    sick = SickServer(sickness)
    server = await asyncio.start_server(sick.talk, "127.0.0.1", 0)
    sick.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/metrics"
    try:
        yield sick
    finally:
        server.close()
        sick.end()
        await asyncio.sleep(0)


def page(body: bytes, kind: bytes = _TEXT, more: bytes = b"") -> Sickness:
    """Serve a whole body with its length; by itself this is health."""

    async def answer(reply: Reply) -> None:
        await reply.send(_HEAD % kind + more + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    return answer


def status(line: bytes, more: bytes = b"") -> Sickness:
    """Answer another status than 200, with a page that must not be read."""

    async def answer(reply: Reply) -> None:
        body = vllm()
        await reply.send(b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (line, more, len(body), body))

    return answer


async def silent(_: Reply) -> None:
    """Accept, and never answer."""
    await asyncio.sleep(3_600)


async def closing(_: Reply) -> None:
    """Accept, and close."""


async def resetting(reply: Reply) -> None:
    """Accept, and reset."""
    reply.reset()


async def dripping_head(reply: Reply) -> None:
    """Send a head without end, a byte at a time."""
    await reply.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    await _drip(reply)


async def dripping(reply: Reply) -> None:
    """Send a page of a thousand bytes, a byte at a time."""
    await reply.send(_HEAD % _TEXT + b"Content-Length: 1000\r\n\r\n")
    await _drip(reply)


async def _drip(reply: Reply) -> None:
    # Ten bytes a second, so that a reader whose patience is renewed by each byte would go on for long.
    for _ in range(1_000):
        await reply.send(b"#")
        await asyncio.sleep(0.1)


async def endless(reply: Reply) -> None:
    """Send well formed series without end and without a length."""
    await reply.send(_HEAD % _TEXT + b"\r\n")
    for _ in range(10_000):
        await reply.send(b"odd_total 1\n" * 2_000)


async def half(reply: Reply) -> None:
    """Announce a whole page, send half of it and close."""
    body = vllm()
    await reply.send(_HEAD % _TEXT + b"Content-Length: %d\r\n\r\n" % len(body) + body[: len(body) // 2])


async def half_chunked(reply: Reply) -> None:
    """Send one chunk of a page and close before the last one."""
    body = vllm()
    await reply.send(_HEAD % _TEXT + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(body), body))


async def cut_in_a_number(reply: Reply) -> None:
    """Send a page without its length, and close within its last number."""
    await reply.send(_HEAD % _TEXT + b"\r\n" + vllm(tokens=12_345).rstrip()[:-2])


async def reset_in_the_middle(reply: Reply) -> None:
    """Send half a page and reset."""
    body = vllm()
    await reply.send(_HEAD % _TEXT + b"Content-Length: %d\r\n\r\n" % len(body) + body[: len(body) // 2])
    await asyncio.sleep(0.02)  # let it be read: a reset takes back what was not
    reply.reset()


def gzip_bomb() -> Sickness:
    """Send 100 MB of series in 100 kB."""
    body = gzip.compress(b"odd_total 1\n" * 8_500_000, 1)
    return page(body, more=b"Content-Encoding: gzip\r\n")


def vllm(
    requests: float | str = 100, tokens: float | str = 10_000, running: float | str = 0, errors: float | str = 0
) -> bytes:
    """Return a page as vLLM has it; values may be any words."""
    return f"""\
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{{model_name="m"}} {running}
vllm:num_requests_waiting{{model_name="m"}} 0
vllm:request_success_total{{finished_reason="stop",model_name="m"}} {requests}
vllm:request_success_total{{finished_reason="error",model_name="m"}} {errors}
vllm:time_to_first_token_seconds_bucket{{le="0.1",model_name="m"}} {requests}
vllm:time_to_first_token_seconds_bucket{{le="1",model_name="m"}} {requests}
vllm:time_to_first_token_seconds_bucket{{le="+Inf",model_name="m"}} {requests}
vllm:time_to_first_token_seconds_sum{{model_name="m"}} 1
vllm:time_to_first_token_seconds_count{{model_name="m"}} {requests}
vllm:prompt_tokens_total{{model_name="m"}} 0
vllm:generation_tokens_total{{model_name="m"}} {tokens}
""".encode()


def collector(
    requests: float | str = 100, tokens: float | str = 10_000, running: float | str = 0, more: str = ""
) -> bytes:
    """Return a page as a collector has it, in front of an engine whose own page is read well."""
    return f"""\
modelward_requests_started_total{{revision="r"}} {requests}
modelward_requests_in_flight{{revision="r"}} {running}
modelward_requests_total{{model="m",revision="r",operation="chat",code="200",outcome="ok"}} {requests}
modelward_chunks_total{{model="m",revision="r"}} {tokens}
gen_ai_client_token_usage_sum{{model="m",gen_ai_token_type="output"}} {tokens}
gen_ai_server_time_to_first_token_seconds_bucket{{model="m",revision="r",le="0.1"}} {requests}
gen_ai_server_time_to_first_token_seconds_bucket{{model="m",revision="r",le="+Inf"}} {requests}
modelward_collector_info{{version="0.1.0"}} 1
modelward_engine_up 1
modelward_engine_requests_waiting 0
modelward_engine_requests_total {requests}
{more}""".encode()
