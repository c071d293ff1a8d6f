"""The audit as the people of a namespace read it: who read which text, erased, labelled or silenced what."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from modelward.api.views import AuditPage, AuditRow
from modelward.hub.audit import AuditLog, AuditRecord
from modelward.hub.errors import bad_request
from modelward.hub.people.door import Door
from modelward.hub.requests import view_answer

PAGE = 100


@dataclass(frozen=True, slots=True)
class AuditApi:
    """The handler."""

    audit: AuditLog
    door: Door

    def add_to(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_get("/v1/view/audit", self.get_audit)

    async def get_audit(self, request: web.Request) -> web.Response:
        """Answer a page of a namespace's records, newest first, and whether their chain is whole."""
        cursor = request.query.get("cursor", "")
        if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
            raise bad_request("the cursor is none of this page")
        place = await self.door.enter(request, request.query.get("ns", ""), "", "Audit")
        records = self.audit.of(place.namespace)
        begin = min(int(cursor), len(records)) if cursor else len(records)
        shown = records[max(0, begin - PAGE) : begin]
        problem = self.audit.break_of(place.namespace)
        return view_answer(
            AuditPage(
                rows=tuple(_row(one) for one in reversed(shown)),
                cursor=str(begin - PAGE) if begin > PAGE else "",
                whole=not problem,
                problem=problem,
            )
        )


def _row(one: AuditRecord) -> AuditRow:
    return AuditRow(
        time_ms=one.time_ms,
        who=one.who,
        verb=one.verb,
        object=one.object,
        count=one.count,
        by=one.by,
        ids=one.ids,
        filter=one.filter,
        allowed=one.allowed,
        token=one.token,
    )
