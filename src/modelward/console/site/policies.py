"""Answers the pages Policies and Policy; the console writes no policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from modelward.api.preview import Preview, PreviewRequest
from modelward.console.pages.policies import (
    WEEK_MS,
    PolicyTextError,
    changed_spec,
    shown_policies,
    shown_policy,
    spec_of,
)
from modelward.console.site.desk import desk_of, place_of, session_of
from modelward.hub_client.session import HubUnavailableError


async def policies(request: web.Request) -> web.Response:
    """Answer the list."""
    found = await session_of(request).hub.policies({"ns": request.query.get("ns", "")[:63]})
    return desk_of(request).page(request, "policies.html", shown_policies(found), "Policies")


async def policy(request: web.Request) -> web.Response:
    """Answer one policy with the form that previews a change."""
    desk = desk_of(request)
    view = await session_of(request).hub.policy(*place_of(request))
    page = shown_policy(view, view.spec, None, "", desk.clock_ms())
    return desk.page(request, "policy.html", page, "Policies")


async def preview(request: web.Request) -> web.Response:
    """Answer what a changed policy would have done last week."""
    desk, hub = desk_of(request), session_of(request).hub
    now, view = desk.clock_ms(), await hub.policy(*place_of(request))
    form = await request.post()
    texts = {key: value for key, value in form.items() if isinstance(value, str)}
    spec: Mapping[str, Any] = view.spec
    found: Preview | None = None
    problem = ""
    try:
        spec = spec_of(texts["yaml"]) if "yaml" in texts else changed_spec(view.spec, texts)
        found = await hub.preview(
            PreviewRequest(namespace=view.namespace, name=view.name, spec=spec, from_ms=now - WEEK_MS, to_ms=now)
        )
    except PolicyTextError as error:
        problem = str(error)
    except HubUnavailableError as error:
        if error.status in (401, 403):
            raise
        problem = f"No preview: {error}"
    page = shown_policy(view, spec, found, problem, now)
    return desk.page(request, "policy.html", page, "Policies")
