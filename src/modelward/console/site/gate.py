"""What every request passes: our name, our own pages, a session; and every answer its headers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from modelward.console.headers import NONCE, guard, new_nonce
from modelward.console.origin import from_ourselves, right_host
from modelward.console.site.desk import DESK, SESSION, desk_of
from modelward.console.site.trouble import Trouble, hub_trouble, trouble_page
from modelward.hub_client.session import HubUnavailableError

log = logging.getLogger(__name__)
PageHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]
OPEN = ("/static/", "/login", "/open", "/healthz")
"""What is answered without a session."""
HEALTH = "/healthz"


def cookie_name(*, secure: bool) -> str:
    """Return the session's cookie: bound to this very host where there is TLS."""
    return "__Host-modelward" if secure else "modelward-console"


@web.middleware
async def guarded(request: web.Request, handler: PageHandler) -> web.StreamResponse:
    """Answer with headers, whatever comes of the request."""
    request[NONCE] = new_nonce()
    settings = request.app[DESK].settings
    try:
        response = await handler(request)
    except web.HTTPException as error:
        response = error
    if not response.prepared:
        guard(response, request[NONCE], secure=settings.secure)
    if isinstance(response, web.HTTPException):
        raise response
    return response


@web.middleware
async def ours(request: web.Request, handler: PageHandler) -> web.StreamResponse:
    """Refuse what asks for another name, or changes something without coming from a page of ours."""
    settings = desk_of(request).settings
    if request.path != HEALTH and not right_host(request.host, (settings.host, *settings.hosts)):
        return web.Response(status=421, text="This is not the name of this console.\n")
    scheme = "https" if settings.secure else "http"
    if not from_ourselves(request.method, request.headers, f"{scheme}://{request.host}"):
        return web.Response(status=403, text="Only pages of this console may send this.\n")
    return await handler(request)


@web.middleware
async def signed_in(request: web.Request, handler: PageHandler) -> web.StreamResponse:
    """Find the session; whoever has none is sent to sign in."""
    desk = desk_of(request)
    name = cookie_name(secure=desk.settings.secure)
    session = desk.sessions.find(request.cookies.get(name, ""))
    if session is not None:
        request[SESSION] = session
    elif not request.path.startswith(OPEN):
        raise web.HTTPSeeOther("/login")
    return await handler(request)


@web.middleware
async def explained(request: web.Request, handler: PageHandler) -> web.StreamResponse:
    """Turn what went wrong into a page; a token that the hub does not take any more ends its session."""
    try:
        return await handler(request)
    except HubUnavailableError as error:
        if error.status == 401:
            desk = desk_of(request)
            await desk.sessions.end(request.cookies.get(cookie_name(secure=desk.settings.secure), ""))
            raise web.HTTPSeeOther("/login") from error
        log.info("hub refused path=%r status=%d code=%s", request.path, error.status, error.code)
        return trouble_page(request, *hub_trouble(error))
    except web.HTTPNotFound:
        return trouble_page(request, 404, Trouble("There is no such page", ()))
    except (web.HTTPException, ConnectionError):
        raise
    except Exception:
        log.exception("page failed path=%r", request.path)
        return trouble_page(request, 500, Trouble("This page failed", ("The console’s log says how.",)))


LAYERS = (guarded, ours, signed_in, explained)
