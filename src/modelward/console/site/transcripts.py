"""Answers the page Transcripts, and keeps what people say of a check's finding."""

from __future__ import annotations

import asyncio

from aiohttp import web

from modelward.api.exchange_page import PersonLabel
from modelward.console.pages.links import address
from modelward.console.pages.transcript_filter import query_of
from modelward.console.pages.transcripts import shown_transcripts
from modelward.console.site.desk import desk_of, place_of, session_of

_FAULT = {"yes": True, "no": False}


async def transcripts(request: web.Request) -> web.Response:
    """Answer a page of exchanges; the hub records that they were shown."""
    desk, session = desk_of(request), session_of(request)
    place, query = place_of(request), query_of(request.query)
    view, found = await asyncio.gather(session.hub.endpoint(*place), session.hub.exchanges(*place, query.asked()))
    page = shown_transcripts(view, found, query, session.person.name, desk.clock_ms())
    return desk.page(request, "transcripts.html", page, "Fleet")


async def label(request: web.Request) -> web.Response:
    """Keep a person's word on one exchange, and go back to where it was read."""
    form = await request.post()
    texts = {key: value for key, value in form.items() if isinstance(value, str)}
    namespace, name = place_of(request)
    word = PersonLabel(
        namespace=namespace,
        endpoint=name,
        response_id=texts.get("id", ""),
        name=texts.get("name", ""),
        fault=_FAULT.get(texts.get("fault", "")),
        text=texts.get("text", ""),
    )
    await session_of(request).hub.label(word)
    place = address(namespace, name, "transcripts")
    back = texts.get("back", "")
    # Only back to this very page: whatever else a form says would be an open redirect.
    query = back.removeprefix(f"{place}?") if back.startswith(f"{place}?") else ""
    raise web.HTTPSeeOther(f"{place}?{query}&done=labelled" if query else f"{place}?done=labelled")
