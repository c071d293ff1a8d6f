"""The end of every sign-in: the hub says who the token is, and the browser gets a random name for it."""

from __future__ import annotations

import logging

from aiohttp import web

from modelward.api.person import Person
from modelward.console.hub_reader import HubReader
from modelward.console.login.page import sign_in
from modelward.console.site.desk import desk_of
from modelward.console.site.gate import cookie_name
from modelward.hub_client.session import HubUnavailableError

log = logging.getLogger(__name__)


async def begin_session(request: web.Request, token: str) -> web.Response:
    """Ask the hub who this is, and begin; a token that the hub does not take begins nothing."""
    hub = HubReader.at(desk_of(request).settings, token)
    try:
        person = await hub.me()
    except HubUnavailableError as error:
        await hub.close()
        log.info("sign-in refused status=%d code=%s", error.status, error.code)
        if error.status in (401, 403):
            return sign_in(request, f"The hub does not take this token: {error}.", 403)
        return sign_in(request, f"The hub cannot be asked now: {error}.", 502)
    raise await session_begun(request, person, hub)


async def session_begun(request: web.Request, person: Person, hub: HubReader) -> web.HTTPSeeOther:
    """Keep the session; return the answer that names it to the browser. An older one of the browser ends."""
    desk = desk_of(request)
    secure = desk.settings.secure
    name = cookie_name(secure=secure)
    await desk.sessions.end(request.cookies.get(name, ""))
    session = await desk.sessions.begin(person, hub)
    response = web.HTTPSeeOther("/")
    # Lax: the way back from a provider is a navigation from another site, which Strict would leave without its cookie.
    response.set_cookie(name, session, path="/", secure=secure, httponly=True, samesite="Lax" if secure else "Strict")
    return response
