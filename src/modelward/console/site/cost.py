"""Answers the page Cost."""

from __future__ import annotations

from aiohttp import web

from modelward.api.series import HistorySeries
from modelward.console.pages.cost import question, shown_cost
from modelward.console.site.desk import desk_of, place_of, session_of
from modelward.hub_client.session import HubUnavailableError


async def cost(request: web.Request) -> web.Response:
    """HubAnswer what each caller of an endpoint cost, by day."""
    desk, place = desk_of(request), place_of(request)
    return desk.page(request, "cost.html", shown_cost(place, await _asked(request)), "Fleet")


async def _asked(request: web.Request) -> HistorySeries | None:
    """Return the hub's answer; None where it keeps no history."""
    try:
        return await session_of(request).hub.history(*place_of(request), question(desk_of(request).clock_ms()))
    except HubUnavailableError as error:
        if error.status in (401, 403):
            raise
        return None
