"""Reading requests within limits, and writing JSON answers."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from aiohttp import web

from modelward.api.base import Model
from modelward.hub.admission import HELD, Held
from modelward.hub.errors import HubError, bad_request, too_large


def json_answer(data: Any, status: int = 200) -> web.Response:
    """Return an answer of JSON."""
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json")


def view_answer(view: Model) -> web.Response:
    """Return an answer of a view that people read."""
    return web.Response(body=orjson.dumps(view.wire()), content_type="application/json")


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
