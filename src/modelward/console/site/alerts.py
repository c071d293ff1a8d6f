"""Answers the page Alerts, and what people ask for there."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from modelward.api.preview import SilenceRequest
from modelward.console.pages.alerts import ACKNOWLEDGED_FOR_H, HOUR_MS, shown_alerts, until_ms
from modelward.console.site.desk import desk_of, namespaces_of, session_of
from modelward.console.site.trouble import Trouble, trouble_page


async def alerts(request: web.Request) -> web.Response:
    """Answer the alerts of a namespace, or of all that the person may see."""
    desk, session = desk_of(request), session_of(request)
    namespace = request.query.get("ns", "")[:63]
    found = await session.hub.alerts({"ns": namespace})
    page = shown_alerts(found, namespace, namespaces_of(session), desk.clock_ms())
    return desk.page(request, "alerts.html", page, "Alerts", live=True, firing=page.firing)


async def silence(request: web.Request) -> web.Response:
    """Ask for a silence, or acknowledge one alert; the operator makes the object in the person's name."""
    form, now = await request.post(), desk_of(request).clock_ms()
    texts = {key: value for key, value in form.items() if isinstance(value, str)}
    acknowledge = texts.get("kind") == "acknowledge"
    until = now + ACKNOWLEDGED_FOR_H * HOUR_MS if acknowledge else until_ms(texts.get("until", ""), now)
    if until is None or not texts.get("ns") or not texts.get("endpoint"):
        return trouble_page(
            request, 400, Trouble("This form was not whole", ("Go back and send it again.",), link="/alerts")
        )
    asked = SilenceRequest(
        namespace=texts["ns"],
        endpoint=texts["endpoint"],
        alerts=(texts["alert"],) if texts.get("alert") else (),
        until_ms=until,
        until_resolved=acknowledge,
        comment=texts.get("comment", "").strip(),
    )
    await session_of(request).hub.silence(asked)
    raise web.HTTPSeeOther(f"/alerts?{urlencode({'ns': asked.namespace, 'done': 'silenced'})}")
