"""The connection to a model server: it passes bytes on first, then follows the framing, then lets the meter look."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import httptools

from modelward.collector.flow import pause, resume
from modelward.collector.plane import HIGH_WATER_BYTES, Plane, clock
from modelward.collector.targets import Target

if TYPE_CHECKING:
    from modelward.collector.downstream import Downstream


class Upstream(asyncio.Protocol):
    """One connection to a target, serving one exchange at a time; idle between exchanges in the target's pool."""

    __slots__ = (
        "_asks_to_retry", "_blind", "_content_type", "_done", "_encoding", "_final", "_keep", "_parser", "_pieces",
        "_sized", "_surplus", "answered", "client", "plane", "reused", "target", "transport",
    )  # fmt: skip

    def __init__(self, plane: Plane, target: Target) -> None:
        self.plane, self.target = plane, target
        self.client: Downstream | None = None
        self.transport: asyncio.Transport | None = None
        self.reused = False
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._reset()

    def _reset(self) -> None:
        self.answered = self._blind = self._done = self._surplus = self._final = self._sized = False
        self._keep = True
        self._asks_to_retry = False
        self._content_type = self._encoding = b""
        self._pieces.clear()

    @property
    def usable(self) -> bool:
        """Whether a request may be sent on it."""
        return self.transport is not None and not self.transport.is_closing()

    def serve(self, client: Downstream, *, blind: bool) -> None:
        """Begin an exchange for this client; blind where what follows is not HTTP requests and responses."""
        self._reset()
        self.client = client
        self._blind = blind
        self.target.in_flight += 1

    def write(self, data: bytes) -> None:
        """Send bytes of the request."""
        if self.usable:
            cast("asyncio.Transport", self.transport).write(data)

    def close(self) -> None:
        """Close after what was written has gone out."""
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Let go of the exchange at once, so that the server stops generating."""
        self._release()
        if self.transport is not None:
            self.transport.abort()

    def pass_blind(self) -> None:
        """From here on move bytes only."""
        self._blind = True

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the transport."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(HIGH_WATER_BYTES)

    def pause_writing(self) -> None:
        """The server reads slowly: read the client slowly."""
        if self.client is not None:
            pause(self.client.transport)

    def resume_writing(self) -> None:
        """The server caught up."""
        if self.client is not None:
            resume(self.client.transport)

    def data_received(self, data: bytes) -> None:
        """Pass on, follow, observe; in this order."""
        client = self.client
        if client is None:  # it speaks out of turn
            self.close()
            return
        client.transport.write(data)
        self.answered = True
        if self._blind:
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._lost_framing(client)
            return
        if self._pieces:
            pieces, self._pieces = self._pieces, []
            if client.meter is not None:
                try:
                    client.meter.response_body(pieces, clock())
                except Exception:  # noqa: BLE001 - an observer never harms an exchange
                    client.stop_observing()
        if self._done:
            self._finish(client)

    def connection_lost(self, exc: Exception | None) -> None:
        """The server closed: idle, between requests, before its answer, at the end of it or in the midst of it."""
        del exc
        client = self.client
        if client is None:
            if self.target.forget(self):
                self.plane.departure.suspect(self.target)
            return
        ended_by_close = self._final and not self._sized and not self._blind
        if self.answered and not ended_by_close:
            self.plane.departure.suspect(self.target)
        self._release()
        client.upstream_closed(self, ended_by_close=ended_by_close)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A second message for one request: its bytes are out, but the connection is of no more use."""
        self._surplus = self._done

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note what the meter needs, and whether the end of the body is told by anything but the connection's end."""
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
        if status < 200 or client is None:
            return
        self._final = True
        client.response_begun()
        if client.meter is not None:
            try:
                client.meter.response_head(
                    status, self._content_type, self._encoding, asks_to_retry=self._asks_to_retry
                )
            except Exception:  # noqa: BLE001 - an observer never harms an exchange
                client.stop_observing()
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

    def _finish(self, client: Downstream) -> None:
        keep = self._keep and not self._surplus and client.request_complete
        was_head = client.head is not None and client.head.method == b"HEAD"
        self._release()
        resume(self.transport)
        if keep:
            self.reused = True
            if was_head:  # the parser still waits for a body that never comes
                self._parser = httptools.HttpResponseParser(self)
            self.target.give_back(self)
        else:
            self.close()
        client.response_done(keep=keep)

    def _lost_framing(self, client: Downstream) -> None:
        self.plane.upstream_error("malformed")
        self._blind = True
        client.framing_lost()

    def _release(self) -> None:
        if self.client is not None:
            self.client = None
            self.target.in_flight -= 1
