"""A hub with authentication, and the part of an API server that it asks."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from hub_fixtures import NOW_MS, QUICK

from modelward.hub.people.settings import PeopleSettings
from modelward.hub.server import Hub
from modelward.hub.settings import ApiServer, HubSettings
from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.hub_client.views import ViewClient

ISSUER = "https://kubernetes.default.svc.cluster.local"
OPERATOR = ("modelward-system", "modelward")


@dataclass(slots=True)
class Cluster:
    """The part of an API server that publishes signing keys, with keys that can sign."""

    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)
    url: str = ""
    fetches: int = 0
    down: bool = False
    granted: set[tuple[str, str, str, str]] = field(default_factory=set)
    """User or group, verb, resource with subresource, and namespace ("" for all)."""
    reviews: list[dict[str, Any]] = field(default_factory=list)
    users: dict[str, str] = field(default_factory=dict)
    """Tokens of the API server's own audience, and whose they are."""

    def rotate(self, kid: str) -> None:
        """Sign with a new key from now on, and publish only it."""
        self.keys = {kid: rsa.generate_private_key(65_537, 2_048)}

    def token(self, namespace: str, account: str, **changes: Any) -> str:
        """Return a projected ServiceAccount token."""
        claims = {
            "iss": ISSUER, "aud": ["modelward-hub"], "exp": int(time.time()) + 600, "iat": int(time.time()),
            "sub": f"system:serviceaccount:{namespace}:{account}",
        } | changes  # fmt: skip
        kid, key = next(iter(self.keys.items()))
        return jwt.encode(claims, key, "RS256", headers={"kid": kid})

    async def discovery(self, request: web.Request) -> web.Response:
        """Answer the discovery document."""
        assert request.headers["Authorization"] == "Bearer pod-token"
        return web.json_response({"issuer": ISSUER})

    async def jwks(self, _: web.Request) -> web.Response:
        """Answer the public keys, and one of an unknown kind."""
        self.fetches += 1
        if self.down:
            raise web.HTTPServiceUnavailable
        rows = [
            jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "alg": "RS256"}
            for kid, key in self.keys.items()
        ]
        return web.json_response({"keys": [*rows, {"kty": "XYZ", "kid": "tomorrow"}]})

    async def review(self, request: web.Request) -> web.Response:
        """Answer a review as RBAC does: what is granted in all namespaces is granted in each."""
        if self.down:
            raise web.HTTPServiceUnavailable
        token = request.headers["Authorization"].removeprefix("Bearer ")
        body = await request.json()
        self.reviews.append(body)
        own = "self" in request.path
        if token not in self.users if own else token != "pod-token":
            raise web.HTTPUnauthorized
        if request.path.endswith("selfsubjectreviews"):
            return web.json_response({"status": {"userInfo": {"username": self.users[token]}}})
        spec = body["spec"]
        asked = spec["resourceAttributes"]
        names = {self.users[token]} if own else {spec["user"], *spec["groups"]}
        what = "/".join(filter(None, (asked["resource"], asked.get("subresource"))))
        places = {"", asked.get("namespace", "")}
        allowed = any((n, asked["verb"], what, place) in self.granted for n in names for place in places)
        return web.json_response({"status": {"allowed": allowed and asked["group"] == "modelward.dev"}}, status=201)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Cluster]:
        """Listen until left."""
        self.rotate("first")
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self.discovery)
        app.router.add_get("/openid/v1/jwks", self.jwks)
        app.router.add_post("/apis/{path:.*}", self.review)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


@dataclass(slots=True)
class Secured:
    """A hub with authentication, and the authority it published."""

    hub: Hub
    cluster: Cluster
    published: list[bytes]

    def client(self, namespace: str, account: str, **changes: Any) -> HubClient:
        """Return a client with that account's token."""
        return self.bearer(self.cluster.token(namespace, account, **changes))

    def person(self, token: str) -> ViewClient:
        """Return what a person with a token reads by."""
        return ViewClient(f"https://localhost:{self.hub.ports[0]}", self.published[0], lambda: token)

    def bearer(self, token: str) -> HubClient:
        """Return a client with a token."""
        return HubClient(f"https://localhost:{self.hub.ports[0]}", self.published[0], lambda: token)


@contextlib.asynccontextmanager
async def secured_hub(
    cluster: Cluster,
    tmp_path: Path,
    store_url: str = "memory://",
    people: PeopleSettings | None = None,
    now: Callable[[], int] = lambda: NOW_MS,
) -> AsyncIterator[Secured]:
    """Run a hub that believes a cluster's tokens."""
    (tmp_path / "token").write_text("pod-token\n")
    published: list[bytes] = []

    async def publish(pem: bytes) -> None:
        published.append(pem)

    settings = HubSettings(
        store_url=store_url, listen="127.0.0.1:0", health_listen="127.0.0.1:0", state_dir=tmp_path / "state",
        api_server=ApiServer(cluster.url, tmp_path / "token", None), limits=QUICK,
        people=people or PeopleSettings(),
    )  # fmt: skip
    async with Hub(settings, publish, now).running() as hub:
        assert hub.verifier
        await hub.verifier.refresh()
        yield Secured(hub, cluster, published)


async def refused(asking: Any) -> int:
    """Return the status with which the hub refuses."""
    with pytest.raises(HubUnavailableError) as error:
        await asking
    return error.value.status
