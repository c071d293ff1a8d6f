"""The two ends of an exchange, as the parts between them see them: none of these parts imports an end."""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Protocol

from modelward.collector.flow import Flow
from modelward.collector.meter import ExchangeMeter
from modelward.collector.request_head import RequestHead


class ConnectionState(Enum):
    """Where a client's connection stands."""

    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    TUNNEL = auto()
    CLOSING = auto()


HEAD, BODY, ANSWER, TUNNEL, CLOSING = ConnectionState
"""The members by name: reached through the class they cost more than all else that is asked of them."""


class ClientEnd(Protocol):
    """A client's connection. Its methods are called by what reads its requests, and by the other end."""

    transport: asyncio.Transport
    flow: Flow
    state: ConnectionState
    head: RequestHead | None
    meter: ExchangeMeter | None

    @property
    def request_complete(self) -> bool:
        """Whether the whole request has been read."""

    # What its requests turn out to be.

    def begin(self, head: RequestHead, head_bytes: bytes) -> None:
        """Take the head of a request whose body is still to come."""

    def begin_whole(self, head: RequestHead, head_bytes: bytes, body: bytes) -> None:
        """Take a request that came in one piece."""

    def begin_tunnel(self, data: bytes) -> None:
        """Take what is no HTTP/1.1."""

    def dial(self) -> None:
        """Get the request that began on its way."""

    def send(self, data: bytes) -> None:
        """Send bytes of the request."""

    def observe_request(self, piece: bytes) -> None:
        """Show the meter a part of the request's body."""

    def stop_observing(self) -> None:
        """Give up observing this exchange after an exception."""

    def request_ended(self) -> None:
        """Note that the whole request has been read."""

    def give_up_request(self, message: str) -> None:
        """End a request that turned out to be malformed, or leads where it must not."""

    def refuse(self, code: int, message: str) -> None:
        """Answer in place of the model server, and close."""

    # What becomes of them at the server.

    def connected(self, upstream: ServerEnd) -> None:
        """Note on which connection the request is on its way."""

    def dialing_failed(self, message: str, *, gone: bool = False) -> None:
        """Answer that no server took the request."""

    def response_begun(self) -> None:
        """Note that the final response began."""

    def switched_protocols(self) -> None:
        """Move bytes from here on, whatever they are."""

    def response_done(self, *, keep: bool) -> None:
        """Go on with the next request, or close."""

    def framing_lost(self) -> None:
        """Pass what follows, whose end is unknown."""

    def upstream_closed(self, upstream: ServerEnd, *, whole: bool, reset: bool) -> None:
        """End or repeat the exchange whose connection the server closed."""

    # What time does.

    def close_if_idle(self) -> None:
        """Close between requests."""

    def close(self) -> None:
        """Close after what was written has gone out."""

    def head_timed_out(self) -> None:
        """Refuse a request whose head did not come in time."""


class ServerEnd(Protocol):
    """A connection to a model server; idle between exchanges in its target's pool."""

    flow: Flow
    answered: bool
    reused: bool
    unread: bool
    sent: float
    ended: float
    idle_since: float
    round_trip: float

    @property
    def usable(self) -> bool:
        """Whether a request may be sent on it."""

    def serve(self, client: ClientEnd, now: float, *, tunnel: bool) -> None:
        """Begin an exchange for this client."""

    def write(self, data: bytes) -> None:
        """Send bytes of the request."""

    def catch_up(self) -> None:
        """Follow all that was read, at once."""

    def close(self) -> None:
        """Close after what was written has gone out."""

    def abort(self) -> None:
        """Let go of the exchange at once."""
