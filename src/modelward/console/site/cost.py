"""Answers the page Cost."""

from __future__ import annotations

from aiohttp import web

from modelward.console.pages.cost import question, shown_cost
from modelward.console.site.desk import desk_of, place_of, session_of, unless_away


async def cost(request: web.Request) -> web.Response:
    """Answer what each caller of an endpoint cost, by day."""
    desk, place = desk_of(request), place_of(request)
    found = await unless_away(session_of(request).hub.history(*place, question(desk.clock_ms())))
    return desk.page(request, "cost.html", shown_cost(place, found), "Fleet")
