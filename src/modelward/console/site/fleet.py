"""Answers the page Fleet."""

from __future__ import annotations

from aiohttp import web

from modelward.console.pages.fleet import shown_fleet
from modelward.console.pages.fleet_filter import query_of
from modelward.console.site.desk import desk_of, session_of


async def fleet(request: web.Request) -> web.Response:
    """Answer one page of endpoints."""
    desk, session = desk_of(request), session_of(request)
    query = query_of(request.query, request.query.getall("health", []))
    found = await session.hub.fleet(query.asked())
    readable = [one.namespace for one in session.person.namespaces]
    page = shown_fleet(found, query, ["all"] if session.person.everywhere else readable, desk.clock_ms())
    firing = sum(row.firing for row in found.rows)
    return desk.page(request, "fleet.html", page, "Fleet", live=True, firing=firing)
