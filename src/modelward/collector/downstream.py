"""The connection from a client: its requests go to a model server one by one, their bytes as they came, and so back."""

from __future__ import annotations

import asyncio
from typing import cast

from modelward.collector import families
from modelward.collector.dialing import Dialing
from modelward.collector.ends import ANSWER, BODY, CLOSING, HEAD, TUNNEL, ServerEnd
from modelward.collector.exchange_observer import ExchangeObserver
from modelward.collector.flow import PEER_FULL, Flow, close_with_reset
from modelward.collector.intake import Intake
from modelward.collector.proxy_state import HIGH_WATER_BYTES, LINGER_SECONDS, ProxyState, clock
from modelward.collector.refusals import refusal
from modelward.collector.request_head import RequestHead


class Downstream(ExchangeObserver, asyncio.Protocol):
    """One client's connection, with at most one exchange under way; pipelined requests wait.

    A client that ends its sending side is taken to have left, as nginx and the engines' own servers take it: from here
    the two are indistinguishable, and a model must not go on generating for a client that is gone.
    """

    def __init__(self, proxy: ProxyState) -> None:
        super().__init__(proxy)
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)
        self.flow = Flow()
        self.state = HEAD
        self.head: RequestHead | None = None
        self._intake = Intake(self, proxy)
        self._dialing: Dialing | None = None
        self._upstream: ServerEnd | None = None
        self._kept = False
        self._adrift = False

    @property
    def request_complete(self) -> bool:
        """Whether the whole request has been read."""
        return self.state is not BODY

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        self.transport = self.flow.transport = cast("asyncio.Transport", transport)
        if not self.proxy.admits():
            self.transport.write(refusal(503, "overloaded", "this collector has no file descriptor left; try again"))
            self.close()
            return
        self.transport.set_write_buffer_limits(HIGH_WATER_BYTES)
        self.proxy.connections.add(self)
        self.proxy.heads.join(self, self.proxy.now())

    def data_received(self, data: bytes) -> None:
        """Bytes of a head, of a body, of the next request, or of something that we do not parse."""
        if self.state is CLOSING:
            return
        if self._adrift and self.state is ANSWER and self._intake.empty:
            self._leave_answer()
        self._intake.receive(data)

    def pause_writing(self) -> None:
        """The client reads slowly: read the server slowly, so that memory stays bounded."""
        if self._upstream is not None:
            self._upstream.flow.stop(PEER_FULL)

    def resume_writing(self) -> None:
        """The client caught up."""
        if self._upstream is not None:
            self._upstream.flow.go(PEER_FULL)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone: so is the request."""
        del exc
        tunnel, self.state = self.state is TUNNEL, CLOSING
        if self._upstream is not None:
            self._upstream.catch_up()  # it may have had the whole answer
        self.finish_meter("ok" if tunnel else "cancelled")
        self.proxy.connections.discard(self)
        self.proxy.heads.leave(self)
        self.proxy.idle.leave(self)
        self._intake.clear()
        self._let_go()

    # The request, as the intake finds it.

    def begin(self, head: RequestHead, head_bytes: bytes) -> None:
        """A request's head is here, and its body follows."""
        self.head = head
        self.meter = self.proxy.meter(head, clock())
        self.state = BODY
        self._dialing = Dialing(self, self.proxy, head_bytes, head)

    def begin_whole(self, head: RequestHead, head_bytes: bytes, body: bytes) -> None:
        """A whole request is here, as most come: it is passed on as one piece."""
        now = clock()
        self.head = head
        self.meter = self.proxy.meter(head, now)
        if body:
            self.observe_whole_request(body, now)
        self.state = ANSWER
        self._dialing = Dialing(self, self.proxy, head_bytes, head, body)

    def begin_tunnel(self, data: bytes) -> None:
        """What follows is no HTTP/1.1 and passes unmeasured; never to an API of others, where it would escape us."""
        if self.proxy.targets.rewriting:
            self.refuse(505, "HTTP/2 is not spoken here")
            return
        self.head = None
        self.state = TUNNEL
        self._dialing = Dialing(self, self.proxy, data, None)

    def dial(self) -> None:
        """Get the request that began on its way."""
        if self._dialing is not None and self.state is not CLOSING:
            self._dialing.start()

    def send(self, data: bytes) -> None:
        """Send bytes of the request, now or when there is a connection."""
        if self._dialing is not None:
            self._dialing.send(data)
        elif self._upstream is not None:
            self._upstream.write(data)

    def request_ended(self) -> None:
        """The whole request has been read."""
        self.observe_request_end(clock())
        if self.state is BODY:
            self.state = ANSWER

    def give_up_request(self, message: str) -> None:
        """The request turned out to be malformed, or leads where it must not."""
        begun = self._upstream is not None and self._upstream.answered
        self._let_go()
        if self.meter is not None and not self.meter.status:
            self.meter.status = 400
        self.finish_meter("client_error")
        if begun:
            self.close()
        else:
            self.refuse(400, f"not a valid HTTP/1.1 request: {message}")

    def refuse(self, code: int, message: str) -> None:
        """Answer for the model server that this is not passed on, and close."""
        self.proxy.recorder.count(families.REFUSED, str(code))
        self.transport.write(refusal(code, "invalid_request_error", message))
        self._linger()

    # The answer.

    def connected(self, upstream: ServerEnd) -> None:
        """The request is on its way on this connection; it stays retriable until the first byte of the answer."""
        self._upstream = upstream
        if self.state is TUNNEL:
            self._end_dialing()
        if self.transport.get_write_buffer_size() > HIGH_WATER_BYTES:
            upstream.flow.stop(PEER_FULL)

    def dialing_failed(self, message: str, *, gone: bool = False) -> None:
        """No server took the request, and nothing has been answered.

        Where the one server of this pod is `gone`, or has closed unanswered, its client on a kept connection would have
        been closed by the server itself: it asks again elsewhere then, and would take an answer for the last word.
        """
        self._let_go()
        if self.state is CLOSING:
            return
        if self.meter is not None:
            self.meter.status = 502
        self.finish_meter("error")
        if gone and self._kept:
            self.close()
            return
        # On another connection the client may be led to a pod whose server answers.
        self.transport.write(refusal(502, "upstream_unavailable", message))
        self._linger()

    def response_begun(self) -> None:
        """The final response began: the request need not be kept for another try."""
        dialing = self._dialing
        if dialing is None:
            return
        if self.state is BODY:
            dialing.forget()
        else:
            self._dialing = None
            dialing.end()

    def switched_protocols(self) -> None:
        """The server took the offer of another protocol: from here on bytes are moved, whatever they are."""
        self.state = TUNNEL
        self._end_dialing()
        self._intake.resume()

    def response_done(self, *, keep: bool) -> None:
        """The answer is out. Go on with the next request, or close the way the answer said."""
        self.finish_meter("ok")
        head, self.head = self.head, None
        self._upstream = None
        if self._dialing is not None:
            self._end_dialing()
        if self.state is CLOSING:
            return
        if self.state is BODY:
            self._linger()
        elif not keep or self.proxy.leaving or (head is not None and not head.keep_alive):
            self.close()
        else:
            self.state = HEAD
            self._kept = True
            self.flow.go(PEER_FULL)
            self._intake.next_request()

    def framing_lost(self) -> None:
        """The answer is no HTTP any more, so only its reader knows where it ends: pass it, and count an error."""
        self.finish_meter("error")
        self._adrift = True

    def upstream_closed(self, upstream: ServerEnd, *, whole: bool, reset: bool) -> None:
        """The server closed during the exchange; `whole` where the end of the connection is the end of the answer."""
        if not upstream.answered and self.state is not TUNNEL and self._dialing is not None:
            self._upstream = None
            self.proxy.upstream_error("closed_unanswered")
            self._dialing.closed_unanswered(upstream)
            return
        broken = not whole and self.state is not TUNNEL and not self._adrift
        if broken:
            self.proxy.upstream_error("closed_midway")
        self.finish_meter("error" if broken else "ok")
        self._let_go()
        if reset:
            self.state = CLOSING
            close_with_reset(self.transport)
        else:
            self.close()

    # The end.

    def close(self) -> None:
        """Close after what was written has gone out."""
        self.state = CLOSING
        self.transport.close()

    def close_if_idle(self) -> None:
        """Close between requests; used while draining."""
        if self.state is HEAD and self._intake.empty:
            self.close()

    def head_timed_out(self) -> None:
        """The client did not finish a request's head in time."""
        if self._intake.empty:
            self.close()
        else:
            self.refuse(408, "the request's header did not arrive in time")

    def _leave_answer(self) -> None:
        """The client sends another request, so it has read the end of an answer that we could not follow."""
        self._let_go()
        self._adrift = False
        self.head = None
        self.state = HEAD
        self._kept = True

    def _let_go(self) -> None:
        """Leave the exchange under way, so that the server stops generating."""
        upstream, self._upstream = self._upstream, None
        self._end_dialing()
        if upstream is not None:
            upstream.abort()

    def _end_dialing(self) -> None:
        dialing, self._dialing = self._dialing, None
        if dialing is not None:
            dialing.end()

    def _linger(self) -> None:
        """Close, but read on a little: closing with unread bytes resets the connection and may eat our answer."""
        self.state = CLOSING
        self._intake.clear()
        self.flow.read_on()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.proxy.loop.call_later(LINGER_SECONDS, self.transport.close)
