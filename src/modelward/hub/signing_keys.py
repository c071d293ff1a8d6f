"""The keys that an issuer of tokens publishes: fetched when they are needed, kept while it is away."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import jwt

from modelward.hub.errors import HubError

log = logging.getLogger(__name__)
ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]
CLOCK_SKEW_S = 10
REFRESH_S = 600.0
UNKNOWN_KEY_REFRESH_S = 10.0
"""Tokens with unknown keys, which any client can make, cause at most one fetch in this time."""
FETCH_TIMEOUT_S = 10.0


_NOT_FETCHED = (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError, jwt.PyJWTError)


@dataclass(frozen=True, slots=True)
class KeySet:
    """An issuer's name and its signing keys by key id."""

    issuer: str
    keys: dict[str, jwt.PyJWK]


@dataclass(slots=True)
class SigningKeys:
    """The keys of one issuer, `whose` in messages; `fetch` gets them."""

    whose: str
    fetch: Callable[[], Awaitable[KeySet]]
    clock: Callable[[], float] = time.monotonic
    _keys: KeySet | None = None
    _fetched: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def known(self) -> bool:
        """Whether any keys are known."""
        return self._keys is not None

    async def claims(self, token: str, audience: str) -> dict[str, Any]:
        """Return what a valid token says.

        jwt.InvalidTokenError when it is none of the issuer's for this audience now, HubError 503 when the keys were
        never to be had. ValueError, TypeError and RecursionError of characters, numbers or nesting that no token has.
        """
        kid = str(jwt.get_unverified_header(token).get("kid", ""))
        keys = await self._with(kid)
        if kid not in keys.keys:
            raise jwt.InvalidTokenError(f"its signing key is not {self.whose}'s")
        claims: dict[str, Any] = jwt.decode(
            token,
            keys.keys[kid],
            algorithms=ALGORITHMS,
            audience=audience,
            issuer=keys.issuer,
            leeway=CLOCK_SKEW_S,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
        return claims

    async def _with(self, kid: str) -> KeySet:
        age = self.clock() - self._fetched
        if self._keys is None or age > REFRESH_S or (kid not in self._keys.keys and age > UNKNOWN_KEY_REFRESH_S):
            await self.refresh()
        if self._keys is None:
            raise HubError(503, "AuthUnavailable", f"{self.whose}'s signing keys could not be fetched; try again", 10)
        return self._keys

    async def refresh(self) -> None:
        """Fetch issuer and keys; on failure keep what there is and log it. One fetch serves all who wait."""
        asked = self.clock()
        async with self._lock:
            if self._fetched >= asked:
                return
            try:
                self._keys = await asyncio.wait_for(self.fetch(), FETCH_TIMEOUT_S)
                log.info("keys fetched issuer=%r keys=%d", self._keys.issuer, len(self._keys.keys))
            except _NOT_FETCHED as error:
                log.error("keys not fetched of=%r cause=%s: %r", self.whose, type(error).__name__, str(error))
            # Also after a failure: else every request of a bad minute would wait for a time-out of its own.
            self._fetched = self.clock() if self._keys else self.clock() - REFRESH_S


def keys_from_json(jwks: Any) -> dict[str, jwt.PyJWK]:
    """Read a set of keys (RFC 7517); KeyError or TypeError when it is none."""
    keys = {}
    for row in jwks["keys"]:
        with contextlib.suppress(jwt.PyJWTError):  # a key type of tomorrow must not cost us today's keys
            keys[str(row.get("kid", ""))] = jwt.PyJWK(row)
    return keys
