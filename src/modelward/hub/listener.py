"""Accepting connections within a limit, so that silent ones cost their owner's places only."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from aiohttp import web

log = logging.getLogger(__name__)
http_log = logging.getLogger("modelward.hub.http")
"""aiohttp's own log of requests that reach no handler; see `_named_only`."""
HANDSHAKE_S = 10.0
BACKLOG = 512
PAUSE_S = 0.1
SHUTDOWN_S = 20.0
LINGER_S = 2.0
"""How long what an unfinished body still brings is read and dropped, so that its sender gets the answer."""
SPARE_DESCRIPTORS = 128
"""Kept for files, the store and the health listener."""
Refused = Callable[[str], None]
"""Told why a connection was closed: `limit` or `descriptors`."""


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files to the hard one; return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


@dataclass(eq=False, slots=True)
class _Connection:
    """One accepted socket; `handler` once TLS is agreed."""

    peer: str
    handshake: asyncio.Task[None] | None = None
    handler: web.RequestHandler | None = None

    @property
    def gone(self) -> bool:
        if self.handler is None:
            return self.handshake is None or self.handshake.done()
        return self.handler.transport is None or self.handler.transport.is_closing()

    def close(self) -> None:
        if self.handler is not None:
            if self.handler.transport is not None:
                self.handler.transport.abort()
        elif self.handshake is not None:
            self.handshake.cancel()


@dataclass(frozen=True, slots=True)
class Terms:
    """Where to listen and how many connections to take; one without a whole head for `head_s` seconds is closed."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    connections: int
    head_s: float


@dataclass(slots=True)
class Listener:
    """Hands connections to an aiohttp server; at the limit the oldest without a request makes way for a new one.

    Of the peer (an IP address) with the most connections, that is: one with a thousand of them takes its own places.
    `busy` has the handlers of connections with a request under way; whoever handles requests keeps it.
    """

    runner: web.AppRunner
    server: web.Server
    listening: socket.socket
    tls: ssl.SSLContext | None
    limit: int
    refused: Refused
    busy: set[object]
    _open: dict[_Connection, None] = field(default_factory=dict)
    _accepting: asyncio.Task[None] | None = None

    @classmethod
    async def started(cls, app: web.Application, at: Terms, refused: Refused, busy: set[object]) -> Listener:
        """Listen."""
        runner = web.AppRunner(
            app,
            access_log=None,
            logger=http_log,
            auto_decompress=False,
            shutdown_timeout=SHUTDOWN_S,
            keepalive_timeout=at.head_s,
            lingering_time=LINGER_S,
        )
        await runner.setup()
        family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
        listening = socket.create_server((at.host, at.port), family=family, backlog=BACKLOG)
        listening.setblocking(False)
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = max(1, min(at.connections, soft - SPARE_DESCRIPTORS))
        server = cast(web.Server, runner.server)  # set up above
        listener = cls(runner, server, listening, at.tls, most, refused, busy)
        listener._accepting = asyncio.create_task(listener._accept(listening))
        return listener

    @property
    def port(self) -> int:
        """The real port."""
        return int(self.listening.getsockname()[1])

    async def close(self) -> None:
        """Accept no more, let requests under way end, and close all connections."""
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.wait([self._accepting])
        self.listening.close()
        for connection in list(self._open):
            if connection.handler is None:
                connection.close()
        await self.runner.cleanup()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, address = await loop.sock_accept(listening)
            except OSError as error:  # no descriptors or memory left, or a client that left at once
                log.error("connection not accepted cause=%s", type(error).__name__ if error.errno is None else error)
                self.refused("descriptors")
                self._make_room()
                await asyncio.sleep(PAUSE_S)
                continue
            self._take(accepted, str(address[0]))

    def _take(self, accepted: socket.socket, peer: str) -> None:
        accepted.setblocking(False)
        if len(self._open) >= self.limit and not self._make_room():
            self.refused("limit")
            accepted.close()
            return
        connection = _Connection(peer)
        self._open[connection] = None
        connection.handshake = asyncio.create_task(self._connect(connection, accepted))

    async def _connect(self, connection: _Connection, accepted: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        timeout = {"ssl_handshake_timeout": HANDSHAKE_S} if self.tls else {}
        try:
            _, connection.handler = await loop.connect_accepted_socket(self.server, accepted, ssl=self.tls, **timeout)
        except (OSError, asyncio.CancelledError):  # it left, was silent, spoke no TLS, or made way
            accepted.close()
        finally:
            if connection.handler is None:
                self._open.pop(connection, None)

    def _make_room(self) -> bool:
        """Forget connections that are gone; where none is, close an idle one. Return whether there is room."""
        for connection in [one for one in self._open if one.gone]:
            del self._open[connection]
        if len(self._open) < self.limit:
            return True
        idle = [one for one in self._open if one.handler not in self.busy]
        if not idle:
            return False
        often = Counter(one.peer for one in idle)
        oldest = max(idle, key=lambda one: often[one.peer])
        self._open.pop(oldest)
        oldest.close()
        self.refused("limit")
        return True


def _named_only(record: logging.LogRecord) -> bool:
    """Reduce a record to the kind of its error: its text quotes the request, tokens and line breaks included."""
    cause = record.exc_info[1] if record.exc_info else None
    record.msg, record.args = "request not handled cause=%s", (type(cause).__name__,)
    record.exc_info = record.exc_text = None
    return True


http_log.addFilter(_named_only)
