"""Answers the pages Why and Revisions."""

from __future__ import annotations

import asyncio

from aiohttp import web

from modelward.console.pages.revisions import shown_revisions
from modelward.console.pages.why import shown_why
from modelward.console.site.desk import desk_of, place_of, session_of


async def why(request: web.Request) -> web.Response:
    """Answer what was different when an endpoint or a check flipped."""
    desk, hub = desk_of(request), session_of(request).hub
    place = place_of(request)
    found, view = await asyncio.gather(hub.why(*place, request.query.get("check", "")[:200]), hub.endpoint(*place))
    checks = tuple(f"{one.policy}/{one.name}" for one in view.checks if one.verdict != "Passed")
    return desk.page(request, "why.html", shown_why(found, checks, desk.clock_ms()), "Fleet")


async def revisions(request: web.Request) -> web.Response:
    """Answer one revision against another; without a choice the hub takes the last two."""
    asked = {key: request.query[key][:63] for key in ("a", "b") if request.query.get(key)}
    found = await session_of(request).hub.compare(*place_of(request), **asked)
    return desk_of(request).page(request, "revisions.html", shown_revisions(found), "Fleet")
