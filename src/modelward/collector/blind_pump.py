"""Moving bytes between clients and one model server without looking at them: what is left when all else fails.

Standard library only, one thread, no memory of anything: it must work when the data plane cannot.

In front of an https upstream it answers 502 instead. Clients speak plain HTTP to us, so their bytes as they are would
show the caller's key to the network, and inside TLS they would still name the wrong Host and path.
"""

from __future__ import annotations

import selectors
import socket
import threading
from urllib.parse import urlsplit

from modelward.collector.refusals import refusal

_READ_BYTES = 64 * 1024
_CONNECT_SECONDS = 2.0
_UNAVAILABLE = "the collector's data plane keeps ending, and this model server is reached by it alone"


class _End:
    """One socket of a pair, and the bytes that wait to be written to it; alone, it gets `answer` to its first bytes."""

    __slots__ = ("answer", "eof", "peer", "sock", "waiting")

    def __init__(self, sock: socket.socket, answer: bytes = b"") -> None:
        self.sock = sock
        self.answer = answer
        self.peer: _End = self
        self.waiting = b""
        self.eof = False

    @property
    def alone(self) -> bool:
        """Whether nothing that it sends goes anywhere."""
        return self.peer is self


class BlindPump:
    """Accepts on a listening socket that it shares, and pumps each connection to the first model server or refuses."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._url = ""
        self._accepting = False
        self._thread: threading.Thread | None = None

    @property
    def accepting(self) -> bool:
        """Whether new connections are taken."""
        return self._accepting

    @property
    def passing(self) -> bool:
        """Whether new connections lead to a model server."""
        return self._accepting and not self._refusing

    @property
    def _refusing(self) -> bool:
        return urlsplit(self._url).scheme != "http"

    def start(self, url: str) -> None:
        """Take new connections and pump them to this URL's host and port, or refuse them where it is not http."""
        self._url = url
        self._accepting = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="blind-pump", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Take no new connections; those that run go on."""
        self._accepting = False

    def _run(self) -> None:
        accept = selectors.DefaultSelector()
        accept.register(self._listener, selectors.EVENT_READ)
        while True:
            if self._accepting and accept.select(0.05 if not self._selector.get_map() else 0):
                self._accept()
            for key, events in self._selector.select(0.05):
                self._serve(key.data, events)

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        if self._refusing:
            self._add(_End(client, refusal(502, "upstream_unavailable", _UNAVAILABLE)))
            return
        parts = urlsplit(self._url)
        try:
            server = socket.create_connection((parts.hostname or "", parts.port or 80), _CONNECT_SECONDS)
        except OSError:
            client.close()
            return
        one, other = _End(client), _End(server)
        one.peer, other.peer = other, one
        self._add(one)
        self._add(other)

    def _add(self, end: _End) -> None:
        end.sock.setblocking(False)
        end.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(end.sock, selectors.EVENT_READ, end)

    def _serve(self, end: _End, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE:
                self._flush(end)
            if events & selectors.EVENT_READ and not end.peer.waiting:
                self._read(end)
        except BlockingIOError:
            pass
        except OSError:
            self._close(end)
            return
        self._watch(end)

    def _read(self, end: _End) -> None:
        data = end.sock.recv(_READ_BYTES)
        if not data:
            end.eof = True
        elif not end.alone:
            end.peer.waiting = data
        else:  # read on and drop it, or the answer would be lost in a reset
            end.waiting, end.answer = end.answer, b""
        self._flush(end.peer)

    def _flush(self, end: _End) -> None:
        try:
            while end.waiting:
                end.waiting = end.waiting[end.sock.send(end.waiting) :]
        except BlockingIOError:
            return
        if end.peer.eof or (end.alone and not end.answer):
            end.sock.shutdown(socket.SHUT_WR)

    def _watch(self, end: _End) -> None:
        if end.eof and end.peer.eof:
            self._close(end)
            return
        for one in (end, end.peer):
            wanted = 0 if one.eof or one.peer.waiting else selectors.EVENT_READ
            wanted |= selectors.EVENT_WRITE if one.waiting else 0
            self._set(one, wanted)

    def _set(self, end: _End, wanted: int) -> None:
        registered = end.sock in self._selector.get_map()
        if wanted and registered:
            self._selector.modify(end.sock, wanted, end)
        elif wanted:
            self._selector.register(end.sock, wanted, end)
        elif registered:
            self._selector.unregister(end.sock)

    def _close(self, end: _End) -> None:
        for one in (end, end.peer):
            if one.sock.fileno() >= 0 and one.sock in self._selector.get_map():
                self._selector.unregister(one.sock)
            one.sock.close()
