"""What requests may hold in memory: bytes of bodies and answers, in all and for each namespace."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from aiohttp import web

from modelward.hub.authorisation import Caller
from modelward.hub.errors import HubError, busy
from modelward.hub.people.individual import BY_HAND as PERSON_BY_HAND
from modelward.hub.people.individual import Individual

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Admission:
    """A budget of `total` bytes, of which one namespace may hold `share` in at most `requests` requests.

    A body must arrive within `body_s` seconds, and an answer be read within `send_s`.
    """

    total: int
    share: int
    requests: int
    body_s: float
    send_s: float
    _bytes: int = 0
    _of: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _requests: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @contextlib.contextmanager
    def request(self, namespace: str) -> Iterator[Held]:
        """Let a request of a namespace in; what it takes is given back at its end. HubError 503 beyond its number."""
        if self._requests[namespace] >= self.requests:
            raise busy("too many requests of this namespace at once; send again later")
        self._requests[namespace] += 1
        held = Held(self, namespace)
        try:
            yield held
        finally:
            self.give_back(namespace, held.bytes)
            self._requests[namespace] -= 1
            if not self._requests[namespace]:
                del self._requests[namespace]

    def take(self, namespace: str, size: int) -> None:
        """Take bytes; HubError 503 when the namespace or all together hold too many."""
        if self._bytes + size > self.total or self._of[namespace] + size > self.share:
            raise busy("too much is being sent at once; send again later")
        self._bytes += size
        self._of[namespace] += size

    def give_back(self, namespace: str, size: int) -> None:
        """Give bytes back."""
        self._bytes -= size
        self._of[namespace] -= size
        if not self._of[namespace]:
            del self._of[namespace]


@dataclass(slots=True)
class Held:
    """What one request holds."""

    admission: Admission
    namespace: str
    bytes: int = 0

    def take(self, size: int) -> None:
        """Take bytes until the request ends; HubError 503 when there are none left."""
        self.admission.take(self.namespace, size)
        self.bytes += size


HELD = web.RequestKey("held", Held)
CALLER = web.RequestKey("caller", Caller)
PERSON = web.RequestKey("person", Individual)
"""One of both is there."""
BY_HAND = Caller("", "by-hand")
"""Whoever asks a hub without authentication."""


@dataclass(slots=True)
class Gate:
    """Middleware: who asks is verified before a byte of the body is read, and held to the share of its namespace.

    Handlers find the caller with `caller_of`. A connection counts as busy while its request is handled.
    """

    admission: Admission
    verify: Callable[[web.Request], Awaitable[Caller | Individual | None]]
    busy: set[object] = field(default_factory=set)

    async def through(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Handle a request; HubError as `verify` and `Admission.request` raise it."""
        self.busy.add(request.protocol)
        try:
            caller = await self.verify(request)
            with self.admission.request(_share_of(caller)) as held:
                if isinstance(caller, Individual):
                    request[PERSON] = caller
                else:
                    request[CALLER] = caller or BY_HAND
                request[HELD] = held
                return await handler(request)
        finally:
            self.busy.discard(request.protocol)


def _share_of(caller: Caller | Individual | None) -> str:
    """Return whose share a request counts against: a namespace, or a person, whose name is none of a namespace."""
    if isinstance(caller, Individual):
        return caller.namespace or f"person {caller.name}"
    return caller.namespace if caller else ""


def caller_of(request: web.Request) -> Caller | None:
    """Return who asks; None when everybody is believed. HubError 403 for a person, who is shown views and no more."""
    if PERSON in request:
        raise HubError(403, "Forbidden", f"{request[PERSON]} is a person: people read under /v1/view")
    caller = request[CALLER]
    return None if caller == BY_HAND else caller


def person_of(request: web.Request) -> Individual:
    """Return the person who asks; HubError 403 for a pod, a Job and the operator."""
    if PERSON in request:
        return request[PERSON]
    if request[CALLER] == BY_HAND:
        return PERSON_BY_HAND
    raise HubError(403, "Forbidden", f"{request[CALLER]} is no person: views are for people")


async def send(request: web.Request, response: web.Response) -> web.Response:
    """Send an answer as the budget allows; who reads it too slowly loses the connection, not the memory of the hub."""
    held: Held = request[HELD]
    held.take(len(response.body) if isinstance(response.body, bytes) else 0)
    try:
        async with asyncio.timeout(held.admission.send_s):
            await response.prepare(request)
            await response.write_eof()
    except TimeoutError as error:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the answer was not read in time") from error
    return response
