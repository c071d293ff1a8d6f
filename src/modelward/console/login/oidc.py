"""Signing in at an identity provider: there, and back with a code."""

from __future__ import annotations

import logging

from aiohttp import web

from modelward.console.login.page import sign_in
from modelward.console.login.pending import LASTS_MS, PendingLogins
from modelward.console.login.provider import Provider, ProviderError
from modelward.console.login.session import begin_session
from modelward.console.site.desk import desk_of

log = logging.getLogger(__name__)
BEGIN, CALLBACK = "/login/oidc", "/login/callback"
PROVIDER = web.AppKey("provider", Provider)
PENDING = web.AppKey("pending", PendingLogins)


def _cookie(*, secure: bool) -> str:
    return "__Host-modelward-login" if secure else "modelward-login"


async def begin(request: web.Request) -> web.Response:
    """Send the person to the provider, with a cookie that the answer must come back with."""
    begun = request.app[PENDING].begin()
    try:
        where = await request.app[PROVIDER].where(begun)
    except ProviderError as error:
        log.warning("sign-in failed cause=%s", error)
        return sign_in(request, f"{error}.", 502)
    secure = desk_of(request).settings.secure
    response = web.HTTPSeeOther(where)
    name = _cookie(secure=secure)
    response.set_cookie(
        name, begun.browser, path="/", secure=secure, httponly=True, samesite="Lax", max_age=LASTS_MS // 1000
    )
    raise response


async def callback(request: web.Request) -> web.Response:
    """Take the code, have it changed into an ID token, and begin a session with it."""
    secure = desk_of(request).settings.secure
    query = request.query
    browser = request.cookies.get(_cookie(secure=secure), "")
    begun = request.app[PENDING].take(query.get("state", ""), browser)
    if begun is None:
        return sign_in(request, "This sign-in was begun elsewhere, or more than ten minutes ago. Begin again.", 400)
    if "code" not in query:
        log.info("sign-in refused by the provider")
        return sign_in(request, "The provider did not let you in.", 403)
    try:
        token = await request.app[PROVIDER].token(query["code"], begun, query.get("iss", ""))
    except (ProviderError, OSError) as error:
        log.warning("sign-in failed cause=%s", error)
        return sign_in(request, f"Sign-in failed: {error}.", 502)
    return await begin_session(request, token)
