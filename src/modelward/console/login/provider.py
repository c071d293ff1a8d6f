"""The identity provider: where it asks people, and what it gives for their code (OpenID Connect Core 3.1)."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import jwt
import orjson

from modelward.console.login.pending import Begun
from modelward.console.settings import OidcClientSettings

TIMEOUT_S = 15.0
MAX_BYTES = 1 << 20
KEEP_MS = 3_600_000
SKEW_S = 60


class ProviderError(Exception):
    """The provider could not be asked, or answered what cannot be used; the message is for the person."""


@dataclass(slots=True)
class Provider:
    """One provider; its description is kept for an hour."""

    settings: OidcClientSettings
    redirect_url: str
    clock_ms: Callable[[], int]
    _known: Mapping[str, Any] = field(default_factory=dict)
    _known_ms: int = 0

    async def where(self, begun: Begun) -> str:
        """Return the address at which a person signs in; ProviderError."""
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.redirect_url,
            "scope": " ".join(self.settings.scopes),
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": begun.challenge,
            "code_challenge_method": "S256",
        }
        asked = str((await self._description())["authorization_endpoint"])
        return f"{asked}{'&' if '?' in asked else '?'}{urlencode(query)}"

    async def token(self, code: str, begun: Begun, issuer: str) -> str:
        """Return the ID token for a code; ProviderError. `issuer` is what the answer says of itself (RFC 9207)."""
        if issuer and issuer != self.settings.issuer:
            raise ProviderError("the answer came from another provider")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_url,
            "code_verifier": begun.verifier,
            "client_id": self.settings.client_id,
        }
        answer = await self._ask(str((await self._description())["token_endpoint"]), form)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderError("the provider gave no ID token; is the scope openid asked for?")
        self._check(token, begun)
        return token

    def _check(self, token: str, begun: Begun) -> None:
        """Check what only the client can: that the token answers this sign-in. The hub verifies its signature."""
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
            raise ProviderError("the provider's token cannot be read") from error
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        if claims.get("nonce") != begun.nonce:
            raise ProviderError("the token answers another sign-in")
        if claims.get("iss") != self.settings.issuer or self.settings.client_id not in named:
            raise ProviderError("the token is of another issuer, or for another client")
        ends = claims.get("exp")
        if not isinstance(ends, int | float) or ends + SKEW_S < self.clock_ms() / 1000:
            raise ProviderError("the token has ended already; do the clocks differ?")

    async def _description(self) -> Mapping[str, Any]:
        if not self._known or self.clock_ms() - self._known_ms > KEEP_MS:
            found = await self._ask(f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration", None)
            if found.get("issuer") != self.settings.issuer:
                raise ProviderError("the provider calls itself by another name; compare oidc.issuer")
            if not all(isinstance(found.get(f"{name}_endpoint"), str) for name in ("authorization", "token")):
                raise ProviderError("the provider's description names no endpoints")
            self._known, self._known_ms = found, self.clock_ms()
        return self._known

    async def _ask(self, url: str, form: Mapping[str, str] | None) -> Mapping[str, Any]:
        headers = self._authorization() if form else {}
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        tls: ssl.SSLContext | bool = True
        try:
            if self.settings.ca_file:
                tls = ssl.create_default_context(cafile=str(self.settings.ca_file))
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
                session.request(
                    "POST" if form else "GET", url, data=form, headers=headers, ssl=tls, allow_redirects=False
                ) as response,
            ):
                body = await response.content.read(MAX_BYTES)
                if response.status != 200:
                    raise ProviderError(f"the provider answered {response.status}{_reason(body)}")
                found = orjson.loads(body)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ProviderError(f"the provider cannot be asked: {type(error).__name__}") from error
        if not isinstance(found, dict):
            raise ProviderError("the provider's answer is no object")
        return found

    def _authorization(self) -> dict[str, str]:
        """Return who we are (client_secret_basic); nothing for a public client. The file is read for each sign-in."""
        if self.settings.client_secret_file is None:
            return {}
        secret = self.settings.client_secret_file.read_text(encoding="utf-8").strip()
        pair = f"{quote(self.settings.client_id, safe='')}:{quote(secret, safe='')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _reason(body: bytes) -> str:
    """Return the provider's own word for what is wrong, which is one of a short list (RFC 6749, 5.2)."""
    try:
        word = orjson.loads(body).get("error", "")
    except (ValueError, AttributeError):
        return ""
    return f" ({word})" if isinstance(word, str) and word.isascii() and word.replace("_", "").isalpha() else ""
