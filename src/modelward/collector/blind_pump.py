"""Moving bytes between clients and one model server without looking at them: what is left when all else fails.

Standard library only, one thread, no memory of anything: it must work when the data plane cannot. Nothing in that
thread waits for one client or for the server; names are looked up in another.

In front of an https upstream, or of one with a path, it answers 502 instead. Clients speak plain HTTP to us, so their
bytes as they are would show the caller's key to the network, and would name the wrong Host and path.
"""

from __future__ import annotations

import errno
import selectors
import socket
import threading
import time

from modelward.collector.blind_end import End, SocketAddress, addresses_of, needs_rewriting
from modelward.collector.refusals import refusal

_TICK_SECONDS = 0.05
_CONNECT_SECONDS = 2.0
_LOOK_UP_SECONDS = 2.0
_MOST_AT_ONCE = 64
_KEEPS_ENDING = "the collector's data plane keeps ending, and this model server is reached by it alone"
_UNREACHABLE = "the collector's data plane keeps ending, and the model server accepts no connection"


class BlindPump:
    """Accepts on a listening socket that it shares, and pumps each connection to the first model server or refuses."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._url = ""
        self._addresses: tuple[SocketAddress, ...] = ()
        self._accepting = self._listening = False
        self._resting_until = 0.0
        self._connecting: dict[End, float] = {}
        self._threads: tuple[threading.Thread, ...] = ()

    @property
    def accepting(self) -> bool:
        """Whether new connections are taken."""
        return self._accepting

    @property
    def passing(self) -> bool:
        """Whether new connections lead to a model server."""
        return self._accepting and not needs_rewriting(self._url)

    def start(self, url: str) -> None:
        """Take new connections and pump them to this URL's host and port; refuse them where that would not do."""
        self._url = url
        self._addresses = addresses_of(url, numeric=True)
        self._accepting = True
        if not self._threads:
            self._threads = tuple(
                threading.Thread(target=work, name=name, daemon=True)
                for work, name in ((self._run, "blind-pump"), (self._look_up, "blind-pump-names"))
            )
            for thread in self._threads:
                thread.start()

    def stop(self) -> None:
        """Take no new connections; those that run go on."""
        self._accepting = False

    def _look_up(self) -> None:
        """Follow the server's name while connections are taken; a name server that is silent changes nothing."""
        while True:
            if self._accepting and self.passing:
                self._addresses = addresses_of(self._url) or self._addresses
            time.sleep(_LOOK_UP_SECONDS if self._addresses else _TICK_SECONDS)

    def _run(self) -> None:
        while True:
            self._watch_listener()
            for key, events in self._selector.select(_TICK_SECONDS):
                if key.data is None:
                    self._accept()
                else:
                    self._serve(key.data, events)
            self._expire()

    def _watch_listener(self) -> None:
        wanted = self._accepting and time.monotonic() >= self._resting_until
        if wanted and not self._listening:
            self._selector.register(self._listener, selectors.EVENT_READ)
        elif self._listening and not wanted:
            self._selector.unregister(self._listener)
        self._listening = wanted

    def _accept(self) -> None:
        for _ in range(_MOST_AT_ONCE):
            try:
                client, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError:  # no descriptor is left; the listener stays readable, so come back later
                self._resting_until = time.monotonic() + 2 * _TICK_SECONDS
                return
            self._begin(End(client))

    def _begin(self, client: End) -> None:
        if not self.passing:
            self._refuse(client, _KEEPS_ENDING)
            return
        try:
            family, address = self._addresses[0]
            server = End(socket.socket(family, socket.SOCK_STREAM))
            problem = server.sock.connect_ex(address)
        except (OSError, IndexError):
            self._refuse(client, _UNREACHABLE)
            return
        client.peer, server.peer = server, client
        self._connecting[server] = time.monotonic() + _CONNECT_SECONDS
        if problem in (0, errno.EINPROGRESS):
            self._set(server, selectors.EVENT_WRITE)
        else:
            self._give_up(server)

    def _serve(self, end: End, events: int) -> None:
        if end in self._connecting:
            self._connected(end)
            return
        try:
            if events & selectors.EVENT_WRITE:
                end.flush()
            if events & selectors.EVENT_READ and not end.peer.waiting:
                end.read()
        except BlockingIOError:
            pass
        except OSError:
            self._close(end)
            return
        self._watch(end)

    def _connected(self, server: End) -> None:
        if server.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._give_up(server)
            return
        del self._connecting[server]
        self._watch(server)

    def _expire(self) -> None:
        if self._connecting:
            now = time.monotonic()
            for server in [server for server, deadline in self._connecting.items() if deadline <= now]:
                self._give_up(server)

    def _give_up(self, server: End) -> None:
        """This server takes no connection: answer its client."""
        del self._connecting[server]
        client = server.peer
        server.peer = server
        self._close(server)
        self._refuse(client, _UNREACHABLE)

    def _refuse(self, client: End, message: str) -> None:
        client.peer = client
        client.answer = refusal(502, "upstream_unavailable", message)
        self._set(client, selectors.EVENT_READ)

    def _watch(self, end: End) -> None:
        if end.eof and end.peer.eof:
            self._close(end)
            return
        for one in (end, end.peer):
            wanted = 0 if one.eof or one.peer.waiting else selectors.EVENT_READ
            wanted |= selectors.EVENT_WRITE if one.waiting else 0
            self._set(one, wanted)

    def _set(self, end: End, wanted: int) -> None:
        registered = end.sock in self._selector.get_map()
        if wanted and registered:
            self._selector.modify(end.sock, wanted, end)
        elif wanted:
            self._selector.register(end.sock, wanted, end)
        elif registered:
            self._selector.unregister(end.sock)

    def _close(self, end: End) -> None:
        for one in (end, end.peer):
            if one.sock.fileno() >= 0 and one.sock in self._selector.get_map():
                self._selector.unregister(one.sock)
            one.sock.close()
