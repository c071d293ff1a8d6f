"""A model server in a thread of its own, so that what is counted in the data plane's thread is the data plane's."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import httptools


class RawServer:
    """Parses requests in C and gives each the same answer; `wire` is all that it read, `bodies` what that held."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.bodies: list[bytes] = []
        self.wire = bytearray()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for sock in (self._listening, *self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock = self._listening.accept()[0]
                self._sockets.append(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        exchange = _Exchange(self, sock, self._answer)
        parser = httptools.HttpRequestParser(exchange)
        with contextlib.suppress(OSError, httptools.HttpParserError):
            while data := sock.recv(1 << 18):
                self.wire += data
                parser.feed_data(data)


class _Exchange:
    def __init__(self, server: RawServer, sock: socket.socket, answer: bytes) -> None:
        self._server, self._sock, self._answer = server, sock, answer
        self._pieces: list[bytes] = []

    def on_body(self, piece: bytes) -> None:
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        self._server.bodies.append(b"".join(self._pieces))
        self._pieces.clear()
        self._sock.sendall(self._answer)


@contextlib.contextmanager
def raw_server(answer: bytes) -> Iterator[RawServer]:
    server = RawServer(answer)
    try:
        yield server
    finally:
        server.close()
