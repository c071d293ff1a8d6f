"""Callers show projected ServiceAccount tokens; the hub checks them against the cluster's published keys.

TokenReview would need a cluster-wide right that no Role can give; the keys are readable by every ServiceAccount
(Kubernetes: ClusterRole system:service-account-issuer-discovery).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import jwt

from modelward.hub.authorisation import Caller
from modelward.hub.errors import HubError
from modelward.hub.settings import ApiServer
from modelward.hub.signing_keys import KeySet, SigningKeys, keys_from_json

log = logging.getLogger(__name__)


def unauthenticated(message: str) -> HubError:
    """The caller showed nothing, or nothing valid."""
    return HubError(401, "Unauthenticated", message)


def bearer_of(authorization: str | None) -> str:
    """Return the token of a header `Bearer TOKEN`, or an empty text."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True, slots=True)
class AccountToken:
    """What a valid token says: the account, the token's own id, when it ends, and the pod that it is bound to."""

    caller: Caller
    jti: str = ""
    expires_ms: int = 0
    pod: str = ""


@dataclass(slots=True)
class TokenVerifier:
    """Verifies tokens for one audience; keeps the last keys it got, so an API server that is away does no harm."""

    api_server: ApiServer
    audience: str
    keys: SigningKeys = field(init=False)

    def __post_init__(self) -> None:
        self.keys = SigningKeys("the cluster", self._fetch)

    @property
    def ready(self) -> bool:
        """Whether any keys are known."""
        return self.keys.known

    async def verify(self, authorization: str | None) -> AccountToken:
        """Return what the header's bearer token says.

        HubError 401 when it is not valid for this hub, 503 when the cluster's keys were never to be had.
        """
        token = bearer_of(authorization)
        if not token:
            raise unauthenticated(
                f"show a ServiceAccount token of audience {self.audience}: Authorization: Bearer TOKEN"
            )
        try:
            return _account_token(await self.keys.claims(token, self.audience))
        except jwt.InvalidTokenError as error:
            raise unauthenticated(f"the token is not valid here: {error}") from error
        except (ValueError, TypeError, RecursionError) as error:
            # Characters, numbers or nesting that no token has, of which the library says so in its own ways.
            raise unauthenticated(f"the token is not valid here: {type(error).__name__}") from error

    async def refresh(self) -> None:
        """Fetch issuer and keys; on failure keep what there is and log it."""
        await self.keys.refresh()

    async def _fetch(self) -> KeySet:
        headers = {"Accept": "application/json, application/jwk-set+json", **await self.api_server.headers()}
        context = await asyncio.to_thread(self.api_server.tls)
        async with aiohttp.ClientSession(headers=headers) as session:
            discovery = await _get_json(session, f"{self.api_server.url}/.well-known/openid-configuration", context)
            jwks = await _get_json(session, f"{self.api_server.url}/openid/v1/jwks", context)
        return KeySet(str(discovery["issuer"]), keys_from_json(jwks))


def caller_of(subject: str) -> Caller:
    """Read `system:serviceaccount:NAMESPACE:NAME`; InvalidTokenError for any other subject."""
    match subject.split(":"):
        case ["system", "serviceaccount", namespace, account] if namespace and account:
            return Caller(namespace, account)
    raise jwt.InvalidTokenError("its subject is no ServiceAccount")


def _account_token(claims: dict[str, Any]) -> AccountToken:
    about = claims.get("kubernetes.io")
    pod = about.get("pod") if isinstance(about, dict) else None
    name = str(pod.get("name", "?")) if isinstance(pod, dict) else ""
    jti, expires_ms = str(claims.get("jti", ""))[:128], int(claims["exp"]) * 1_000
    return AccountToken(caller_of(str(claims["sub"])), jti, expires_ms, name)


async def _get_json(session: aiohttp.ClientSession, url: str, context: ssl.SSLContext | bool) -> Any:
    async with session.get(url, ssl=context) as response:
        response.raise_for_status()
        return await response.json(content_type=None)
