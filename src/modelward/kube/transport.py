"""HTTP to the API server: one pooled session, JSON in and out, errors of our own, a deadline on everything.

Raw aiohttp under the official client's credentials: a third of its CPU per request.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import orjson

from modelward.kube.access import Access
from modelward.kube.errors import ApiError, LeadershipLost, TooManyRequests, Unavailable, from_status
from modelward.kube.kinds import Object

Observe = Callable[[str, str], None]
"""Told of each request: the method, and the status or `<error>`."""
Guard = Callable[[], float]
"""For how many seconds something may still be written."""

PAUSE_WHEN_THROTTLED_S = 1.0
CONNECTIONS = 32


def unobserved(_method: str, _code: str) -> None:
    """For callers without metrics, such as the command line."""


class Transport:
    """The session with the API server; belongs to one event loop."""

    def __init__(self, access: Access, observe: Observe = unobserved) -> None:
        self.access = access
        self._observe = observe
        self._session = session(access, CONNECTIONS)

    async def close(self) -> None:
        """Close the connections and end the refreshing of credentials."""
        await self.disconnect()
        await self.access.close()

    async def disconnect(self) -> None:
        """Close the connections; others may use the credentials on."""
        await self._session.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        deadline: float,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        guard: Guard | None = None,
        waits: bool = True,
    ) -> Object:
        """Send one request; where it waits, again while the server answers 429 and the deadline (seconds) allows.

        With a guard, the seconds it gives bound each attempt; at 0 or less LeadershipLost is raised and nothing sent.
        Raises ApiError.
        """
        data = None if body is None else orjson.dumps(body)
        end = time.monotonic() + deadline
        while True:
            try:
                seconds = _bounded(end - time.monotonic(), guard)
                return await self._attempt(method, path, params, _body(data, guard), (content_type, accept), seconds)
            except TooManyRequests as error:
                pause = error.retry_after or PAUSE_WHEN_THROTTLED_S
                if not waits or time.monotonic() + pause >= end:
                    raise
            except Unavailable:
                _seconds_left(guard)  # where the Lease ran out, that is what went wrong
                raise
            await asyncio.sleep(pause)

    async def _attempt(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        data: aiohttp.BytesPayload | None,
        forms: tuple[str, str],
        seconds: float,
    ) -> Object:
        content_type, accept = forms
        headers = {"Accept": accept, **({"Content-Type": content_type} if data is not None else {})}
        # By default aiohttp rounds what is more than 5 s up to the next full second, which a Lease does not.
        timeout = aiohttp.ClientTimeout(total=seconds, ceil_threshold=math.inf)
        try:
            async with self._session.request(
                method, self.access.host + path, params=params, data=data, headers=headers, timeout=timeout
            ) as response:
                raw = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._observe(method, "<error>")
            what = str(error) or type(error).__name__
            raise Unavailable(0, "NoAnswer", f"{method} {path}: {what}") from error
        self._observe(method, str(response.status))
        return _decoded(response, raw)


def session(access: Access, connections: int) -> aiohttp.ClientSession:
    """A HTTP session that carries our credentials on each request; 0 connections for no bound on their number."""

    async def authorize(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        token = await access.authorization()
        if token is not None:
            request.headers["Authorization"] = token
        return await handler(request)

    async def name_server(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        request.server_hostname = access.server_hostname
        return await handler(request)

    tls = access.ssl if access.ssl is not None else False
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, ssl=tls),
        middlewares=(authorize, name_server) if access.server_hostname else (authorize,),
        proxy=access.proxy,
        headers={"User-Agent": "modelward", "Accept": "application/json"},
    )


class _GuardedBody(aiohttp.BytesPayload):
    """A body that checks the Lease once more when its turn comes; without it nothing of a request is sent.

    Between the first check and the first byte a request may have waited for a connection, the process may have been
    stopped, and aiohttp sends a PUT or DELETE again when a connection that it kept turns out to be closed.
    """

    def __init__(self, data: bytes, guard: Guard) -> None:
        super().__init__(data)
        self._guard = guard

    async def write_with_length(self, writer: aiohttp.abc.AbstractStreamWriter, content_length: int | None) -> None:
        _seconds_left(self._guard)
        await super().write_with_length(writer, content_length)


def _body(data: bytes | None, guard: Guard | None) -> aiohttp.BytesPayload | None:
    if data is None:
        return None
    return aiohttp.BytesPayload(data) if guard is None else _GuardedBody(data, guard)


def _bounded(seconds: float, guard: Guard | None) -> float:
    return max(min(seconds, _seconds_left(guard)), 0.001)


def _seconds_left(guard: Guard | None) -> float:
    left = math.inf if guard is None else guard()
    if left <= 0:
        raise LeadershipLost("the Lease has run out; nothing is written any more")
    return left


def _decoded(response: aiohttp.ClientResponse, raw: bytes) -> Object:
    try:
        body: Any = orjson.loads(raw) if raw else {}
    except orjson.JSONDecodeError:
        if response.status < 400:
            raise Unavailable(0, "TruncatedAnswer", f"{response.method} {response.url.path}: not JSON") from None
        body = raw.decode(errors="replace")
    if response.status >= 400:
        raise from_status(response.status, body, response.headers.get("Retry-After"))
    if not isinstance(body, dict):
        raise ApiError(response.status, "UnexpectedAnswer", f"{response.url.path} gave no JSON object")
    return body
