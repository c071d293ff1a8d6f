"""The connection from a client: it finds where each request begins and ends, and has its bytes sent on as they came."""

from __future__ import annotations

import asyncio
from typing import cast

from modelward.collector import families
from modelward.collector.dialing import Dialing
from modelward.collector.flow import pause, resume
from modelward.collector.observed import Observed
from modelward.collector.plane import HIGH_WATER_BYTES, LINGER_SECONDS, Plane, clock
from modelward.collector.refusals import refusal
from modelward.collector.request_body import RequestBody
from modelward.collector.request_head import (
    HTTP2_PREFACE,
    MAX_HEAD_BYTES,
    BadRequestError,
    RequestHead,
    without_cleartext_http2,
)
from modelward.collector.state import State
from modelward.collector.upstream import Upstream

_END_OF_HEAD = b"\r\n\r\n"
_MAX_PIPELINED_BYTES = 64 * 1024


class Downstream(Observed, asyncio.Protocol):
    """One client's connection, with at most one exchange under way; pipelined requests wait."""

    def __init__(self, plane: Plane) -> None:
        super().__init__(plane)
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)
        self.state = State.HEAD
        self.head: RequestHead | None = None
        self._dialing: Dialing | None = None
        self._upstream: Upstream | None = None
        self._held = b""
        self._body: RequestBody | None = None
        self._kept = False

    @property
    def request_complete(self) -> bool:
        """Whether the whole request has been read."""
        return self.state is not State.BODY

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        self.transport = cast("asyncio.Transport", transport)
        if not self.plane.admits():
            self.transport.write(refusal(503, "overloaded", "this collector has no file descriptor left; try again"))
            self._close()
            return
        self.transport.set_write_buffer_limits(HIGH_WATER_BYTES)
        self.plane.connections.add(self)
        self.plane.heads.join(self, clock())

    def data_received(self, data: bytes) -> None:
        """Bytes of a head, of a body, of the next request, or of something that we do not look into."""
        if self.state is State.HEAD:
            self._read_head(data)
        elif self.state is State.BODY:
            self._read_body(data)
        elif self.state is State.BLIND:
            self._send(data)
        elif self.state is State.ANSWER:
            self._hold(data)

    def pause_writing(self) -> None:
        """The client reads slowly: read the server slowly, so that memory stays bounded."""
        if self._upstream is not None:
            pause(self._upstream.transport)

    def resume_writing(self) -> None:
        """The client caught up."""
        if self._upstream is not None:
            resume(self._upstream.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone: so is the request."""
        del exc
        self.state = State.CLOSING
        self.plane.connections.discard(self)
        self.plane.heads.leave(self)
        self.plane.idle.leave(self)
        self.finish_meter("cancelled")
        dialing, self._dialing = self._dialing, None
        upstream, self._upstream = self._upstream, None
        if dialing is not None:
            dialing.cancel()
        if upstream is not None:
            upstream.abort()

    # The request.

    def _read_head(self, data: bytes) -> None:
        if not self._held:
            self.plane.idle.leave(self)
            self.plane.heads.join(self, clock())
        searched = max(0, len(self._held) - 3)
        data = self._held + data if self._held else data.lstrip(b"\r\n")  # RFC 9112, 2.2: ignore empty lines
        end = data.find(_END_OF_HEAD, searched)
        if end < 0 or end > MAX_HEAD_BYTES:
            self._held = data
            if len(data) > MAX_HEAD_BYTES:
                self._refuse(431, "the request's header is larger than 64 KiB")
            return
        self._held = b""
        self.plane.heads.leave(self)
        self._begin(data, end + len(_END_OF_HEAD))

    def _begin(self, data: bytes, end: int) -> None:
        now = clock()
        raw = data[:end]
        if raw == HTTP2_PREFACE:
            self._begin_blind(data)
            return
        head_bytes = without_cleartext_http2(raw)
        try:
            head = RequestHead(head_bytes)
        except BadRequestError as error:
            self._refuse(400, f"not a valid HTTP/1.1 request: {error}")
            return
        if head.upgrade:
            self._begin_blind(data)
            return
        self.head, self._body = head, RequestBody(head)
        self.meter = self.plane.meter(head, now)
        self.state = State.ANSWER if self._body.complete else State.BODY
        self._dialing = Dialing(self, self.plane, head_bytes)
        rest = data[end:]
        if rest:
            self.data_received(rest)
        self._dial()

    def _begin_blind(self, data: bytes) -> None:
        self.head = None
        self.state = State.BLIND
        self._dialing = Dialing(self, self.plane, data, blind=True)
        self._dial()

    def _dial(self) -> None:
        if self._dialing is not None and self.state is not State.CLOSING:
            self._dialing.start()

    def _read_body(self, data: bytes) -> None:
        body = self._body
        if body is None:
            return
        try:
            taken, pieces = body.take(data)
        except BadRequestError as error:
            self._give_up_request(str(error))
            return
        self._send(data if taken == len(data) else data[:taken])
        self.observe_request(pieces)
        if body.complete:
            self.observe_request_end()
            self.state = State.ANSWER if self.state is State.BODY else self.state
            if taken < len(data):
                self._hold(data[taken:])

    def _send(self, data: bytes) -> None:
        if self._dialing is not None:
            self._dialing.send(data)
        elif self._upstream is not None:
            self._upstream.write(data)

    def _hold(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > _MAX_PIPELINED_BYTES:
            pause(self.transport)

    # The answer.

    def connected(self, upstream: Upstream) -> None:
        """The request is on its way on this connection; it stays retriable until the first byte of the answer."""
        self._upstream = upstream
        if self.state is State.BLIND:
            self._dialing = None
        if self.transport.get_write_buffer_size() > HIGH_WATER_BYTES:
            pause(upstream.transport)

    def dialing_failed(self, message: str, *, gone: bool = False) -> None:
        """No server took the request, and nothing has been answered.

        Where the one server of this pod is `gone`, it would have closed a kept connection itself: its client asks again
        elsewhere then, and would take an answer for the last word.
        """
        self._dialing = self._upstream = None
        if self.state is State.CLOSING:
            return
        if self.meter is not None:
            self.meter.status = 502
        self.finish_meter("error")
        if gone and self._kept:
            self._close()
            return
        # On another connection the client may be led to a pod whose server answers.
        self.transport.write(refusal(502, "upstream_unavailable", message))
        self._linger()

    def response_begun(self) -> None:
        """The final response began: the request need not be kept for another try."""
        if self._dialing is not None:
            self._dialing.forget()
            if self.state is not State.BODY:
                self._dialing = None

    def response_done(self, *, keep: bool) -> None:
        """The answer is out. Go on with the next request, or close the way the answer said."""
        self.finish_meter("ok")
        head, self.head = self.head, None
        self._upstream = self._dialing = None
        if self.state is State.CLOSING:
            return
        if self.state is State.BODY:
            self._linger()
        elif not keep or self.plane.leaving or (head is not None and not head.keep_alive):
            self._close()
        else:
            self.state = State.HEAD
            self._kept = True
            self._await_next()

    def framing_lost(self) -> None:
        """The answer is not HTTP any more: observe no longer, and pass what comes."""
        self.finish_meter("error")
        self.state = State.BLIND
        self._dialing = None

    def upstream_closed(self, upstream: Upstream, *, ended_by_close: bool) -> None:
        """The server closed during the exchange."""
        self._upstream = None
        if not upstream.answered and self.state is not State.BLIND and self._dialing is not None:
            self.plane.upstream_error("closed_unanswered")
            self._dialing.closed_unanswered(upstream)
            return
        if not ended_by_close and self.state is not State.BLIND:
            self.plane.upstream_error("closed_midway")
            self.finish_meter("error")
        self.finish_meter("ok")
        self._dialing = None
        self._close()

    # The end.

    def close(self) -> None:
        """Close what says nothing."""
        self._close()

    def close_if_idle(self) -> None:
        """Close between requests; used while draining."""
        if self.state is State.HEAD and not self._held:
            self._close()

    def head_timed_out(self) -> None:
        """The client did not finish a request's head in time."""
        if self._held:
            self._refuse(408, "the request's header did not arrive in time")
        else:
            self._close()

    def _await_next(self) -> None:
        held, self._held = self._held, b""
        resume(self.transport)
        if held:
            self.plane.loop.call_soon(self._continue, held)
        else:
            self.plane.idle.join(self, clock())

    def _continue(self, held: bytes) -> None:
        if self.state is State.HEAD:
            self.data_received(held)

    def _give_up_request(self, message: str) -> None:
        upstream, self._upstream = self._upstream, None
        dialing, self._dialing = self._dialing, None
        if dialing is not None:
            dialing.cancel()
        if upstream is not None:
            upstream.abort()
        if self.meter is not None and not self.meter.status:
            self.meter.status = 400
        begun = upstream is not None and upstream.answered
        self.finish_meter("client_error")
        if begun:
            self._close()
        else:
            self._refuse(400, f"not a valid HTTP/1.1 request: {message}")

    def _refuse(self, code: int, message: str) -> None:
        self.plane.ledger.count(families.REFUSED, str(code))
        self.transport.write(refusal(code, "invalid_request_error", message))
        self._linger()

    def _linger(self) -> None:
        """Close, but read on a little: closing with unread bytes resets the connection and may eat our answer."""
        self.state = State.CLOSING
        self._held = b""
        resume(self.transport)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.plane.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _close(self) -> None:
        self.state = State.CLOSING
        self.transport.close()
