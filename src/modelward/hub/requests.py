"""How handlers begin and end: who may, of what, with which body within limits; and answers of JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import orjson
from aiohttp import web

from modelward.api.base import Model
from modelward.hub.admission import HELD, Held
from modelward.hub.authorisation import Action
from modelward.hub.errors import HubError, bad_request, too_large
from modelward.hub.layout import is_endpoint

T = TypeVar("T")
Permit: TypeAlias = Callable[[web.Request, Action, str], Awaitable[str]]
"""Returns who asks; HubError 403 where that account may not do something to a namespace ("" stands for all)."""
UNREADABLE = (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError)
"""What reading decoded JSON raises where it is of another form."""


def json_answer(data: Any, status: int = 200) -> web.Response:
    """Return an answer of JSON."""
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json")


def view_answer(view: Model) -> web.Response:
    """Return an answer of a view that people read."""
    return web.Response(body=orjson.dumps(view.wire()), content_type="application/json")


async def names_of(request: web.Request, permit: Permit, action: Action, second: str = "endpoint") -> tuple[str, str]:
    """Return the namespace and the `second` name of a path to whoever may do this there; HubError 403, or 400."""
    namespace, name = request.match_info["namespace"], request.match_info[second]
    await permit(request, action, namespace)
    if not is_endpoint(f"{namespace}/{name}"):
        raise bad_request(f"not the names of a namespace and of one {second}: {namespace[:100]!r}, {name[:300]!r}")
    return namespace, name


def integer_of(request: web.Request, name: str, default: int | None = None) -> int:
    """Return a number of the query; HubError 400 when it is none."""
    text = request.query.get(name, "" if default is None else str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 15:  # milliseconds of the year 33,000
        raise bad_request(f"{name} must be a number, not {text!r}" if text else f"{name} is required")
    return int(text)


async def body_of(request: web.Request, limit: int) -> bytes:
    """Read a body of at most `limit` bytes within a time, as the budget lets it grow.

    HubError 413 by its announced length before a byte of it is read, or when it grows beyond; 408 when it is late.
    """
    held: Held = request[HELD]
    if (request.content_length or 0) > limit:
        raise too_large(f"the body is larger than {limit} bytes; send less at once")
    body = bytearray()
    try:
        async with asyncio.timeout(held.admission.body_s):
            async for chunk in request.content.iter_any():
                held.take(len(chunk))
                body += chunk
                if len(body) > limit:
                    raise too_large(f"the body is larger than {limit} bytes; send less at once")
    except TimeoutError as error:
        raise HubError(408, "TooSlow", f"the body did not arrive within {held.admission.body_s:g} s") from error
    return bytes(body)


async def json_of(request: web.Request, limit: int) -> Any:
    """Read a body of JSON; HubError 400 for another, else as `body_of`."""
    try:
        return orjson.loads(await body_of(request, limit))
    except (ValueError, RecursionError) as error:
        raise bad_request("the body is not JSON") from error


async def object_of(request: web.Request, limit: int) -> Mapping[str, Any]:
    """Read a body that is one JSON object; HubError 400 for another, else as `body_of`."""
    data = await json_of(request, limit)
    if not isinstance(data, Mapping):
        raise bad_request("the body is no JSON object")
    return data


async def parsed_of(request: web.Request, limit: int, parse: Callable[[Any], T], expected: str = "") -> T:
    """Read a body of JSON and return what `parse` makes of it.

    HubError 400 where it refuses, with what is `expected` or else with its own words; otherwise as `json_of`.
    """
    data = await json_of(request, limit)
    try:
        return parse(data)
    except UNREADABLE as error:
        raise bad_request(expected or str(error)[:300]) from error
