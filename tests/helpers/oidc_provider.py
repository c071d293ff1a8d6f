"""An identity provider that checks what the specification has it check, and can be told to answer wrongly."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(slots=True)
class Asked:
    """What an authorization request said."""

    query: dict[str, str]


@dataclass(slots=True)
class OidcProvider:
    """One provider with one client; `claims` replace those of its tokens."""

    client_id: str = "modelward"
    client_secret: str = "s3cret"
    issuer: str = ""
    now_s: int = 0
    claims: dict[str, Any] = field(default_factory=dict)
    description: dict[str, Any] = field(default_factory=dict)
    token_status: int = 200
    codes: dict[str, Asked] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def application(self) -> web.Application:
        """Return it as an application."""
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._describe)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        return app

    async def _describe(self, _: web.Request) -> web.Response:
        found = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
        }
        return web.json_response({**found, **self.description})

    async def _authorize(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        needed = {"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge"}
        if not needed <= query.keys() or query["code_challenge_method"] != "S256":
            return web.Response(status=400, text=f"{needed - query.keys()} is missing")
        code = secrets.token_urlsafe(8)
        self.codes[code] = Asked(query)
        answer = urlencode({"code": code, "state": query["state"], "iss": self.issuer})
        raise web.HTTPFound(f"{query['redirect_uri']}?{answer}")

    async def _token(self, request: web.Request) -> web.Response:
        form = dict(parse_qsl((await request.read()).decode()))
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or not self._is_client(request, form) or not self._proves(asked, form):
            return web.json_response({"error": "invalid_grant"}, status=400)
        if self.token_status != 200:
            return web.json_response({"error": "server_error", "error_description": "secret"}, status=self.token_status)
        claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": "ana",
            "nonce": asked.query["nonce"],
            "exp": self.now_s + 3600,
            **self.claims,
        }
        self.tokens.append(jwt.encode(claims, self._key, "ES256"))
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": self.tokens[-1]})

    def _is_client(self, request: web.Request, form: dict[str, str]) -> bool:
        pair = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        return request.headers.get("Authorization") == f"Basic {pair}" and form.get("client_id") == self.client_id

    @staticmethod
    def _proves(asked: Asked, form: dict[str, str]) -> bool:
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return proof == asked.query["code_challenge"] and form.get("redirect_uri") == asked.query["redirect_uri"]


@asynccontextmanager
async def provided(provider: OidcProvider) -> AsyncIterator[OidcProvider]:
    """Serve a provider on loopback."""
    server = TestServer(provider.application())
    await server.start_server()
    provider.issuer = provider.issuer or str(server.make_url("")).rstrip("/")
    try:
        yield provider
    finally:
        await server.close()
