"""Answers the page Audit."""

from __future__ import annotations

from aiohttp import web

from modelward.console.pages.audit import shown_audit
from modelward.console.site.desk import desk_of, session_of


async def audit(request: web.Request) -> web.Response:
    """Answer who read what in one namespace; the only one that the person may audit is taken unasked."""
    desk, session = desk_of(request), session_of(request)
    may = tuple(one.namespace for one in session.person.namespaces if "Audit" in one.rights)
    namespace = request.query.get("ns", "")[:63] or (may[0] if len(may) == 1 else "")
    found = await session.hub.reads(namespace, request.query.get("cursor", "")[:1000]) if namespace else None
    return desk.page(request, "audit.html", shown_audit(found, namespace, may, desk.clock_ms()), "Audit")
