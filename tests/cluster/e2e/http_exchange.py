"""One HTTP exchange with an engine, down to the chunks in which an answer was sent."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from typing import NamedTuple
from urllib.parse import urlsplit

QUESTIONS = ("How do I block my card?", "Schreib mir ein Gedicht über Übermut auf hoher See.")
"""The first is answered and the second refused by an engine that keeps to its topic, so that no two can be mixed up."""
MAX_TOKENS = 6
_OF_ONE_ANSWER = re.compile(rb'"id": "scripted-\d+"|"created": \d+')
_LENGTH = re.compile(rb"(?i)content-length: \d+")


class Request(NamedTuple):
    """One kind of request; `keep` asks the server to keep the connection."""

    question: str
    stream: bool
    keep: bool

    def wire(self, host: str) -> bytes:
        """Return the bytes to send."""
        asked = {"model": "banking-bot", "messages": [{"role": "user", "content": self.question}]}
        usage = {"stream_options": {"include_usage": True}} if self.stream else {}
        body = json.dumps({**asked, "max_tokens": MAX_TOKENS, "stream": self.stream, **usage}).encode()
        connection = "keep-alive" if self.keep else "close"
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Connection: {connection}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class Answer(NamedTuple):
    """What came back but for what differs between any two answers (id, time): the head, and the body as it was cut."""

    head: bytes
    chunks: tuple[bytes, ...]


REQUESTS = tuple(itertools.starmap(Request, itertools.product(QUESTIONS, (False, True), (False, True))))


class _ClosesToo(asyncio.StreamReaderProtocol):
    """Closes when the server has, as the pools of real clients do, and not at the next use.

    A close that comes after the server's pod is gone is never acknowledged. The node then sends whoever gets the same
    source port within half a minute to that pod's address: "no route to host", with a collector in the pod or without.
    """

    def eof_received(self) -> bool:
        super().eof_received()
        return False


class Connection:
    """One connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.answering = False
        """Whether anything of the answer under way has come."""

    @classmethod
    async def open(cls, host: str) -> Connection:
        """Connect to `host:port`."""
        name, _, port = host.partition(":")
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)
        transport, protocol = await loop.create_connection(lambda: _ClosesToo(reader, loop=loop), name, int(port or 80))
        return cls(reader, asyncio.StreamWriter(transport, protocol, reader, loop))

    @property
    def usable(self) -> bool:
        """Whether the server has not closed it, as far as one can know."""
        return not (self._reader.at_eof() or self._writer.is_closing())

    def close(self) -> None:
        """Close without waiting."""
        self._writer.close()

    async def ask(self, wire: bytes) -> Answer:
        """Send one request and read its answer; raises OSError, EOFError, ValueError, LimitOverrunError."""
        self.answering = False
        self._writer.write(wire)
        first = await self._reader.readexactly(1)
        self.answering = True
        head = first + await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length is None:
            return Answer(head, await self._chunks())
        body = await self._reader.readexactly(int(length[0].partition(b":")[2]))
        return Answer(_LENGTH.sub(b"", head), (_masked(body),))

    async def _chunks(self) -> tuple[bytes, ...]:
        chunks = []
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            chunks.append(_masked((await self._reader.readexactly(size + 2))[:-2]))
        await self._reader.readexactly(2)
        return tuple(chunks)


def _masked(body: bytes) -> bytes:
    return _OF_ONE_ANSWER.sub(b"", body)


def engines_own(url: str) -> dict[Request, Answer]:
    """Return what an engine answers to each kind of request when it is asked directly."""

    async def ask() -> dict[Request, Answer]:
        host, answers = urlsplit(url).netloc, {}
        for request in REQUESTS:
            connection = await Connection.open(host)
            answers[request] = await connection.ask(request.wire(host))
            connection.close()
        return answers

    return asyncio.run(ask())
