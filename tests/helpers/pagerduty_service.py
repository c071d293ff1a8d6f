"""PagerDuty's Events API v2: what an event must hold, and what becomes of incidents by their key.

From developer.pagerduty.com (Events API v2: send an alert event): fields, enumerations, lengths, 512 KB.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

ROUTING_KEY = "R0123456789ABCDEF0123456789ABCDE"


@dataclass
class PagerDutyService:
    """The incidents of one service by their key, and the texts of each."""

    open: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    resolved: list[str] = field(default_factory=list)
    events: int = 0
    fail: list[web.Response] = field(default_factory=list)

    @property
    def application(self) -> web.Application:
        app = web.Application(client_max_size=2 << 20)
        app.router.add_post("/v2/enqueue", self._enqueue)
        return app

    async def _enqueue(self, request: web.Request) -> web.Response:
        if self.fail:
            return self.fail.pop(0)
        raw = await request.read()
        try:
            event = await request.json()
            wrong = "" if len(raw) <= 512 * 1024 else "the event is too large"
            wrong = wrong or event_fault(event)
        except (ValueError, KeyError, TypeError) as error:
            wrong = repr(error)
        if wrong:
            return web.json_response({"status": "invalid event", "message": wrong, "errors": [wrong]}, status=400)
        self.events += 1
        key = event["dedup_key"]
        if event["event_action"] == "trigger":
            self.open.setdefault(key, []).append(event)
        elif self.open.pop(key, None):
            self.resolved.append(key)
        return web.json_response({"status": "success", "message": "Event processed", "dedup_key": key}, status=202)


def event_fault(event: dict[str, Any]) -> str:
    """Return what is wrong with an event; empty where it is taken."""
    if event["routing_key"] != ROUTING_KEY:
        return "'routing_key' is invalid"
    if event["event_action"] not in ("trigger", "acknowledge", "resolve"):
        return "'event_action' is invalid"
    if not 1 <= len(event["dedup_key"]) <= 255:
        return "'dedup_key' is invalid"
    if event["event_action"] != "trigger":
        return ""
    payload = event["payload"]
    if not 1 <= len(payload["summary"]) <= 1_024 or not payload["source"]:
        return "'payload.summary' or 'payload.source' is invalid"
    if payload["severity"] not in ("critical", "error", "warning", "info"):
        return "'payload.severity' is invalid"
    datetime.fromisoformat(payload["timestamp"])
    known = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}
    if set(payload) - known or not isinstance(payload["custom_details"], dict):
        return "'payload' has fields that are not known"
    links = all(set(one) == {"href", "text"} for one in event.get("links", []))
    return "" if links else "'links' are invalid"
