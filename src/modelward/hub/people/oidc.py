"""ID tokens of an OpenID Connect issuer, verified against the keys that it publishes (OpenID Connect Core 3.1.3.7)."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import jwt
import orjson

from modelward.hub.people.individual import Individual
from modelward.hub.people.settings import SYSTEM, OidcSettings
from modelward.hub.signing_keys import KeySet, SigningKeys, keys_from_json
from modelward.hub.tokens import unauthenticated

MAX_GROUPS = 200
_MAX_NAME = 256
_MAX_DOCUMENT_BYTES = 1 << 20


@dataclass(slots=True)
class OidcVerifier:
    """Verifies ID tokens; keeps the last keys it got, so that an issuer that is away for a while does no harm."""

    settings: OidcSettings
    keys: SigningKeys = field(init=False)

    def __post_init__(self) -> None:
        self.keys = SigningKeys("the OIDC issuer", self._fetch)

    async def verify(self, token: str) -> Individual:
        """Return the person; HubError 401 when the token is none of the issuer's for this client now, 503 without keys.

        An access token has no claim by which it would be told from an ID token but its audience, which must be ours.
        """
        try:
            return self._person(await self.keys.claims(token, self.settings.audience))
        except jwt.InvalidTokenError as error:
            raise unauthenticated(f"the ID token is not valid here: {error}") from error
        except (ValueError, TypeError, RecursionError) as error:
            raise unauthenticated(f"the ID token is not valid here: {type(error).__name__}") from error

    def _person(self, claims: dict[str, Any]) -> Individual:
        asked, audiences = self.settings, claims["aud"]
        if isinstance(audiences, list) and len(audiences) > 1 and claims.get("azp") != asked.audience:
            raise jwt.InvalidTokenError("it is for several clients, and not at the request of this one")
        name = asked.user_prefix + self._user(claims)
        groups = tuple(asked.group_prefix + one for one in _groups(claims.get(asked.groups_claim)))
        if any(one.startswith(SYSTEM) for one in (name, *groups)):
            raise jwt.InvalidTokenError(f"names that begin with {SYSTEM} are the cluster's own")
        expires_ms = int(claims["exp"]) * 1_000
        return Individual(name, "OIDC", groups, jti=str(claims.get("jti", ""))[:128], expires_ms=expires_ms)

    def _user(self, claims: dict[str, Any]) -> str:
        asked = self.settings
        plain = claims.get(asked.user_claim)
        if asked.user_claim == "email" and claims.get("email_verified") is not True:
            raise jwt.InvalidTokenError("its mail address is not verified")
        if not isinstance(plain, str) or not 0 < len(plain) <= _MAX_NAME or not plain.isprintable():
            raise jwt.InvalidTokenError(f"it has no claim {asked.user_claim} that is a name")
        return _own(plain)

    async def _fetch(self) -> KeySet:
        asked = self.settings
        context: ssl.SSLContext | bool = True
        if asked.ca_file:
            context = await asyncio.to_thread(ssl.create_default_context, cafile=asked.ca_file)
        async with aiohttp.ClientSession(trust_env=True) as session:
            where = f"{asked.issuer.rstrip('/')}/.well-known/openid-configuration"
            discovery = await _get_json(session, where, context)
            if discovery["issuer"] != asked.issuer:
                raise ValueError(f"it calls itself {str(discovery['issuer'])[:200]!r}")
            jwks = await _get_json(session, str(discovery["jwks_uri"]), context)
        return KeySet(asked.issuer, keys_from_json(jwks))


def _own(name: str) -> str:
    """Return the name; InvalidTokenError where it is one of the cluster's own, whatever prefix it would get."""
    if name.startswith(SYSTEM):
        raise jwt.InvalidTokenError(f"names that begin with {SYSTEM} are the cluster's own")
    return name


def _groups(claim: Any) -> list[str]:
    rows = [claim] if isinstance(claim, str) else claim if isinstance(claim, list) else []
    named = [one for one in rows if isinstance(one, str) and 0 < len(one) <= _MAX_NAME and one.isprintable()]
    if len(named) > MAX_GROUPS:
        raise jwt.InvalidTokenError(f"it names more than {MAX_GROUPS} groups; have the issuer send those that count")
    return [_own(one) for one in named]


async def _get_json(session: aiohttp.ClientSession, url: str, context: ssl.SSLContext | bool) -> Any:
    async with session.get(url, ssl=context, allow_redirects=False) as response:
        response.raise_for_status()
        body = await response.content.read(_MAX_DOCUMENT_BYTES)
    return orjson.loads(body)
