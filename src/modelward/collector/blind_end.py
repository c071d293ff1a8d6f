"""One end of a connection that the blind pump moves, and where the other end leads; standard library only."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

_READ_BYTES = 64 * 1024
SocketAddress = tuple[int, Any]
"""A socket's family and address."""


class End:
    """One socket of a pair, and the bytes that wait to be written to it; alone, it gets `answer` to its first bytes."""

    __slots__ = ("answer", "eof", "peer", "sock", "waiting")

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.answer = b""
        self.peer: End = self
        self.waiting = b""
        self.eof = False

    @property
    def alone(self) -> bool:
        """Whether nothing that it sends goes anywhere."""
        return self.peer is self

    def read(self) -> None:
        """Read once, and pass on what came."""
        data = self.sock.recv(_READ_BYTES)
        if not data:
            self.eof = True
        elif not self.alone:
            self.peer.waiting = data
        else:  # read on and drop it, or the answer would be lost in a reset
            self.waiting, self.answer = self.answer, b""
        self.peer.flush()

    def flush(self) -> None:
        """Write what waits, and its end after the last of it."""
        try:
            while self.waiting:
                self.waiting = self.waiting[self.sock.send(self.waiting) :]
        except BlockingIOError:
            return
        if self.peer.eof or (self.alone and not self.answer):
            self.sock.shutdown(socket.SHUT_WR)


def needs_rewriting(url: str) -> bool:
    """Say whether an upstream needs more than bytes moved: TLS, or another path than the client's."""
    parts = urlsplit(url)
    return parts.scheme != "http" or bool(parts.path.rstrip("/"))


def addresses_of(url: str, *, numeric: bool = False) -> tuple[SocketAddress, ...]:
    """Return where a URL's host is, empty if that is not known; `numeric` asks no name server."""
    parts = urlsplit(url)
    flags = socket.AI_NUMERICHOST if numeric else 0
    try:
        found = socket.getaddrinfo(parts.hostname or "", parts.port or 80, type=socket.SOCK_STREAM, flags=flags)
    except (OSError, UnicodeError):
        return ()
    return tuple((int(family), address) for family, _, _, _, address in found)
