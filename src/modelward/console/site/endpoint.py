"""Answers the page Endpoint."""

from __future__ import annotations

import asyncio

from aiohttp import web

from modelward.api.compare_view import WhyView
from modelward.api.series import HistoryMetric, HistoryQuery, HistorySeries
from modelward.api.views import EndpointView
from modelward.console.charts.timeline import Timeline
from modelward.console.hub_reader import HubReader
from modelward.console.pages.endpoint import shown_endpoint
from modelward.console.pages.endpoint_charts import line_of, range_of
from modelward.console.pages.series import history_of
from modelward.console.site.desk import desk_of, session_of, unless_away

POINTS = 288
WINDOWS = 24
"""Points of checks: windows come every quarter of an hour or so, and hold few samples each."""
_METRICS: tuple[HistoryMetric, ...] = ("requests", "ttft", "tpot", "tokens", "cost", "replicas", "checks")


async def endpoint(request: web.Request) -> web.Response:
    """Answer one endpoint with its charts."""
    desk, hub = desk_of(request), session_of(request).hub
    place = request.match_info["namespace"], request.match_info["name"]
    key, now = range_of(request.query.get("range", "")), desk.clock_ms()
    line = line_of(key, now)
    view, found = await asyncio.gather(
        hub.endpoint(*place), asyncio.gather(*(series(hub, place, one, line) for one in _METRICS))
    )
    before = await _why(hub, view)
    known = {one.metric: one for one in found if one is not None}
    page = shown_endpoint(view, history_of(view, known, line) if known else None, key, now, before)
    firing = sum(alert.state == "Firing" for alert in view.alerts)
    return desk.page(request, "endpoint.html", page, "Fleet", live=True, firing=firing)


async def _why(hub: HubReader, view: EndpointView) -> WhyView | None:
    """Return what was before and after the flip, where there was one; it is the figure beside the sentence."""
    leading = view.row.leading
    if leading is None or leading.verdict != "Failed":
        return None
    return await unless_away(hub.why(view.namespace, view.name, f"{leading.policy}/{leading.name}"))


async def series(hub: HubReader, where: tuple[str, str], metric: HistoryMetric, line: Timeline) -> HistorySeries | None:
    """Return one metric's lines; None where the hub has no history: the page is worth reading without."""
    points = WINDOWS if metric == "checks" else POINTS
    return await unless_away(hub.history(*where, HistoryQuery(metric, line.from_ms, line.to_ms, points=points)))
