"""Signing in with a token that a person pastes; off unless it is asked for."""

from __future__ import annotations

from aiohttp import web

from modelward.console.login.page import sign_in
from modelward.console.login.session import begin_session

PATH = "/login/token"
LONGEST = 16 << 10


async def pasted(request: web.Request) -> web.Response:
    """Begin a session with a pasted token."""
    form = await request.post()
    token = form.get("token")
    text = token.strip() if isinstance(token, str) else ""
    if not text or len(text) > LONGEST or not text.isascii() or any(one.isspace() for one in text):
        return sign_in(request, "That is no token.", 400)
    return await begin_session(request, text)
