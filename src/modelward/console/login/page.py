"""The page that people without a session see, and leaving."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from modelward.console.site.desk import SESSION, desk_of
from modelward.console.site.gate import cookie_name


@dataclass(frozen=True, slots=True)
class SignIn:
    """The ways that this console has."""

    oidc: bool
    pasted: bool
    loopback: bool
    problem: str = ""


def sign_in(request: web.Request, problem: str = "", status: int = 200) -> web.Response:
    """Return the page."""
    desk = desk_of(request)
    settings = desk.settings
    page = SignIn(settings.oidc is not None, settings.pasted, not settings.secure, problem)
    return desk.page(request, "login.html", page, status=status)


async def login(request: web.Request) -> web.Response:
    """Answer the page; whoever is signed in already goes on."""
    if request.get(SESSION) is not None:
        raise web.HTTPSeeOther("/")
    return sign_in(request)


async def logout(request: web.Request) -> web.Response:
    """End the session, forget the token, and say so."""
    desk = desk_of(request)
    name = cookie_name(secure=desk.settings.secure)
    await desk.sessions.end(request.cookies.get(name, ""))
    response = web.HTTPSeeOther("/login?done=left")
    response.del_cookie(name, path="/", secure=desk.settings.secure, httponly=True, samesite="Lax")
    raise response
