"""The connection to a model server: it passes bytes on first, then follows the framing, then feeds the meter."""

from __future__ import annotations

import asyncio
from typing import cast

import httptools

from modelward.collector.ends import ClientEnd
from modelward.collector.flow import BULK_BYTES, PEER_FULL, TURN, Flow
from modelward.collector.proxy_state import HIGH_WATER_BYTES, ProxyState, clock
from modelward.collector.targets import Target

SLICE_BYTES = 4096
"""Bytes of an answer followed and observed at once: their worst content is an event in every two bytes."""
SHORT_BYTES = 1024
"""A first read of at most so much begins a stream, or is a short answer."""
MAX_PIECES = 1024
"""Pieces of an answer's body followed in one turn; a server may put a byte into each chunk."""
TURN_SECONDS = 0.002
"""The longest that one connection's answer is processed before the others get their turn."""
_LONGEST_ROUND_TRIP = 0.25
_NOTHING = memoryview(b"")


class Upstream(asyncio.Protocol):
    """One connection to a target, serving one exchange at a time; idle between exchanges in the target's pool.

    `sent`, `idle_since` and `ended` (0 until the server closes) are times of the plane's clock, `round_trip` is how
    long connecting took, in seconds. `unread` says that the server closed before it had read all of our bytes: its
    kernel says so by a reset in place of a FIN (RFC 1122, 4.2.2.13).
    """

    __slots__ = (
        "_asks_to_retry", "_blind", "_content_type", "_done", "_encoding", "_final", "_keep", "_odd", "_parser",
        "_pieces", "_rest", "_scheduled", "_sized", "_surplus", "answered", "client", "ended", "flow", "idle_since",
        "proxy", "reused", "round_trip", "sent", "target", "transport", "unread",
    )  # fmt: skip

    def __init__(self, proxy: ProxyState, target: Target) -> None:
        self.proxy, self.target = proxy, target
        self.client: ClientEnd | None = None
        self.transport: asyncio.Transport | None = None
        self.flow = Flow()
        self.reused = self._scheduled = self.unread = False
        self.sent = self.idle_since = self.ended = self.round_trip = 0.0
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._reset()

    def _reset(self) -> None:
        self.answered = self._blind = self._done = self._surplus = self._final = self._sized = self._odd = False
        self._keep = True
        self._asks_to_retry = False
        self._content_type = self._encoding = b""
        self._rest = _NOTHING
        self._pieces.clear()

    @property
    def usable(self) -> bool:
        """Whether a request may be sent on it."""
        return self.transport is not None and not self.transport.is_closing()

    def connected_in(self, seconds: float) -> None:
        """Note how long connecting took, which is how long bytes to this server need at most."""
        self.round_trip = min(seconds, _LONGEST_ROUND_TRIP)

    def serve(self, client: ClientEnd, now: float, *, tunnel: bool) -> None:
        """Begin an exchange for this client; a tunnel where what follows is not HTTP requests and responses."""
        self._reset()
        self.client = client
        self._blind = tunnel
        self.sent = now
        self.target.in_flight += 1

    def write(self, data: bytes) -> None:
        """Send bytes of the request."""
        transport = self.transport
        if transport is not None and not transport.is_closing():
            transport.write(data)

    def close(self) -> None:
        """Close after what was written has gone out."""
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Let go of the exchange at once, so that the server stops generating."""
        self._release()
        if self.transport is not None:
            self.transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the transport."""
        self.transport = self.flow.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(HIGH_WATER_BYTES)

    def pause_writing(self) -> None:
        """The server reads slowly: read the client slowly."""
        if self.client is not None:
            self.client.flow.stop(PEER_FULL)

    def resume_writing(self) -> None:
        """The server caught up."""
        if self.client is not None:
            self.client.flow.go(PEER_FULL)

    def data_received(self, data: bytes) -> None:
        """Pass on, follow, observe; in this order.

        The loop writes when it has read from all connections. So where others wait for theirs, the first bytes of a
        stream are followed only after that: else the first token of each client waits until the others' were read.
        """
        client = self.client
        if client is None:  # it speaks out of turn
            self.close()
            return
        client.transport.write(data)
        later = not self.answered and len(data) <= SHORT_BYTES and self.target.in_flight > 1
        self.answered = True
        if self._blind:
            return
        if later:
            self._rest = memoryview(data)
            self._schedule()
        elif len(data) <= SLICE_BYTES and not self._rest:
            self._follow(client, data)
        else:
            self._rest = memoryview(bytes(self._rest) + data if self._rest else data)
            self._take_turn()
            if len(data) >= BULK_BYTES:
                self._yield()

    def eof_received(self) -> None:
        """The server closed its side: note when its word of that arrived, which may be long before this is called."""
        self.ended = self.proxy.now() - self.proxy.segment_age(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The server closed: idle, between requests, before its answer, at the end of it or in the midst of it."""
        self.catch_up()
        self.unread = isinstance(exc, ConnectionResetError) and not self.ended
        client = self.client
        if client is None:
            if self.target.forget(self):
                self.proxy.departure.suspect(self.target)
            return
        by_close = self._final and not self._sized and not self._blind  # such an answer's end is the connection's end
        reset = exc is not None and (by_close or self._blind)
        if self.answered and not by_close:
            self.proxy.departure.suspect(self.target)
        self._release()
        client.upstream_closed(self, whole=by_close and not reset, reset=reset)

    # Following the answer, in turns.

    def _take_turn(self, *, bounded: bool = True) -> None:
        """Follow what was read, slice by slice, and let the others have their turn when it takes long."""
        began, pieces = clock(), 0
        while self._rest and self.client is not None:
            piece, self._rest = self._rest[:SLICE_BYTES], self._rest[SLICE_BYTES:]
            pieces += self._follow(self.client, piece)
            if bounded and self._rest and (pieces >= MAX_PIECES or clock() - began >= TURN_SECONDS):
                self._yield()
                return

    def catch_up(self) -> None:
        """Follow all that was read, at once: one of the two ends is gone, and it is one read at most."""
        if self._rest:
            self._take_turn(bounded=False)

    def _yield(self) -> None:
        self.flow.stop(TURN)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self.proxy.loop.call_soon(self._next_turn)

    def _next_turn(self) -> None:
        self._scheduled = False
        self._take_turn()
        if not self._scheduled:
            self.flow.go(TURN)

    def _follow(self, client: ClientEnd, data: bytes | memoryview) -> int:
        """Follow one slice and return how many pieces of the body it held."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._surplus = self._done  # the answer was whole, what follows it is none of this request
            self._odd = not self._done and not self._blind
        if self._blind or self._odd:
            self._rest = _NOTHING
            if self._odd:
                self._lose_framing(client)
            return 0
        pieces, self._pieces = self._pieces, []
        if pieces and client.meter is not None:
            try:
                client.meter.response_body(pieces, clock())
            except Exception:  # noqa: BLE001 - an observer never harms an exchange
                client.stop_observing()
        if self._done:
            self._surplus = self._surplus or bool(self._rest)
            self._rest = _NOTHING
            self._finish(client)
        return len(pieces)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A second message for one request: its bytes are out, but the connection is of no more use."""
        self._surplus = self._done

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note what the meter needs, and whether anything but the connection's end marks the end of the body."""
        key = name.lower()
        if key == b"content-type":
            self._content_type = value.lower()
        elif key == b"content-encoding":
            self._encoding = value.lower()
        elif key in (b"content-length", b"transfer-encoding"):
            self._sized = True
        elif key == b"retry-after":
            self._asks_to_retry = True

    def on_headers_complete(self) -> None:
        """The final response's head is here (interim 1xx responses are passed and forgotten)."""
        client = self.client
        status = self._parser.get_status_code()
        if client is None or self._blind:
            return
        if status < 200:
            if status == 101:
                self._switch(client)
            return
        self._final = True
        client.response_begun()
        self._show_head(client, status)
        if client.head is not None and client.head.method == b"HEAD":
            self._done = True
            self._keep = self._parser.should_keep_alive()

    def on_body(self, piece: bytes) -> None:
        """Take one piece of the body, free of transfer coding."""
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """The end of a response; `should_keep_alive` is only right while this callback runs."""
        if self._final:
            self._done = True
            self._keep = self._keep and self._parser.should_keep_alive()

    def _show_head(self, client: ClientEnd, status: int) -> None:
        if client.meter is not None:
            try:
                client.meter.response_head(
                    status, self._content_type, self._encoding, asks_to_retry=self._asks_to_retry
                )
            except Exception:  # noqa: BLE001 - an observer never harms an exchange
                client.stop_observing()

    def _finish(self, client: ClientEnd) -> None:
        keep = self._keep and not self._surplus and client.request_complete
        self._release()
        self.flow.go(PEER_FULL)
        if keep:
            self.reused = True
            self.idle_since = self.proxy.now()
            if client.head is not None and client.head.method == b"HEAD":
                # The parser still waits for a body that never comes.
                self._parser = httptools.HttpResponseParser(self)
            self.target.give_back(self)
        else:
            self.close()
        client.response_done(keep=keep)

    def _switch(self, client: ClientEnd) -> None:
        """The server speaks another protocol from here on; where the client offered none, that is no answer."""
        if client.head is None or not client.head.upgrade:
            self._odd = True
            return
        self._blind = True
        self._show_head(client, 101)
        client.switched_protocols()

    def _lose_framing(self, client: ClientEnd) -> None:
        self.proxy.upstream_error("malformed")
        self._blind = True
        client.framing_lost()

    def _release(self) -> None:
        self._rest = _NOTHING
        if self.client is not None:
            self.client = None
            self.target.in_flight -= 1
