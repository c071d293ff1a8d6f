"""Callers show projected ServiceAccount tokens; the hub checks them against the cluster's published keys.

TokenReview would need a cluster-wide right that no Role can give; the keys are readable by every ServiceAccount
(Kubernetes: ClusterRole system:service-account-issuer-discovery).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import jwt

from modelward.hub.authorisation import Caller
from modelward.hub.errors import HubError
from modelward.hub.settings import ApiServer

log = logging.getLogger(__name__)
ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]
REFRESH_S = 600.0
UNKNOWN_KEY_REFRESH_S = 10.0
"""Tokens with unknown keys, which any client can make, cause at most one fetch in this time."""
FETCH_TIMEOUT_S = 10.0
CLOCK_SKEW_S = 10


@dataclass(frozen=True, slots=True)
class KeySet:
    """The cluster's issuer name and its signing keys by key id."""

    issuer: str
    keys: dict[str, jwt.PyJWK]


def unauthenticated(message: str) -> HubError:
    """The caller showed nothing, or nothing valid."""
    return HubError(401, "Unauthenticated", message)


@dataclass(slots=True)
class TokenVerifier:
    """Verifies tokens for one audience; keeps the last keys it got, so an API server that is away does no harm."""

    api_server: ApiServer
    audience: str
    clock: Callable[[], float] = time.monotonic
    _keys: KeySet | None = None
    _fetched: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def ready(self) -> bool:
        """Whether any keys are known."""
        return self._keys is not None

    async def verify(self, authorization: str | None) -> Caller:
        """Return who the header's bearer token stands for.

        HubError 401 when it is not valid for this hub, 503 when the cluster's keys were never to be had.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise unauthenticated(
                f"show a ServiceAccount token of audience {self.audience}: Authorization: Bearer TOKEN"
            )
        try:
            return await self._verify(token.strip())
        except jwt.InvalidTokenError as error:
            raise unauthenticated(f"the token is not valid here: {error}") from error
        except (ValueError, TypeError, RecursionError) as error:
            # Characters, numbers or nesting that no token has, of which the library says so in its own ways.
            raise unauthenticated(f"the token is not valid here: {type(error).__name__}") from error

    async def _verify(self, token: str) -> Caller:
        kid = str(jwt.get_unverified_header(token).get("kid", ""))
        keys = await self._keys_with(kid)
        if kid not in keys.keys:
            raise jwt.InvalidTokenError("its signing key is not the cluster's")
        claims = jwt.decode(
            token,
            keys.keys[kid],
            algorithms=ALGORITHMS,
            audience=self.audience,
            issuer=keys.issuer,
            leeway=CLOCK_SKEW_S,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
        return caller_of(str(claims["sub"]))

    async def _keys_with(self, kid: str) -> KeySet:
        age = self.clock() - self._fetched
        if self._keys is None or age > REFRESH_S or (kid not in self._keys.keys and age > UNKNOWN_KEY_REFRESH_S):
            await self.refresh()
        if self._keys is None:
            raise HubError(503, "AuthUnavailable", "the cluster's signing keys could not be fetched; try again", 10)
        return self._keys

    async def refresh(self) -> None:
        """Fetch issuer and keys; on failure keep what there is and log it. One fetch serves all who wait."""
        asked = self.clock()
        async with self._lock:
            if self._fetched >= asked:
                return
            try:
                self._keys = await asyncio.wait_for(self._fetch(), FETCH_TIMEOUT_S)
                log.info("keys fetched issuer=%r keys=%d", self._keys.issuer, len(self._keys.keys))
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, jwt.PyJWTError) as error:
                log.error(
                    "keys not fetched from=%s cause=%s: %r", self.api_server.url, type(error).__name__, str(error)
                )
            # Also after a failure: else every request of a bad minute would wait for a time-out of its own.
            self._fetched = self.clock() if self._keys else self.clock() - REFRESH_S

    async def _fetch(self) -> KeySet:
        headers = {"Accept": "application/json, application/jwk-set+json"}
        if self.api_server.token_file:
            token = await asyncio.to_thread(self.api_server.token_file.read_text)
            headers["Authorization"] = f"Bearer {token.strip()}"
        context = await asyncio.to_thread(self._tls)
        async with aiohttp.ClientSession(headers=headers) as session:
            discovery = await _get_json(session, f"{self.api_server.url}/.well-known/openid-configuration", context)
            jwks = await _get_json(session, f"{self.api_server.url}/openid/v1/jwks", context)
        keys = {}
        for row in jwks["keys"]:
            with contextlib.suppress(jwt.PyJWTError):  # a key type of tomorrow must not cost us today's keys
                keys[str(row.get("kid", ""))] = jwt.PyJWK(row)
        return KeySet(str(discovery["issuer"]), keys)

    def _tls(self) -> ssl.SSLContext | bool:
        if not self.api_server.url.startswith("https:"):
            return True
        return ssl.create_default_context(cafile=str(self.api_server.ca_file) if self.api_server.ca_file else None)


def caller_of(subject: str) -> Caller:
    """Read `system:serviceaccount:NAMESPACE:NAME`; InvalidTokenError for any other subject."""
    match subject.split(":"):
        case ["system", "serviceaccount", namespace, account] if namespace and account:
            return Caller(namespace, account)
    raise jwt.InvalidTokenError("its subject is no ServiceAccount")


async def _get_json(session: aiohttp.ClientSession, url: str, context: ssl.SSLContext | bool) -> Any:
    async with session.get(url, ssl=context) as response:
        response.raise_for_status()
        return await response.json(content_type=None)
