"""People whom the cluster knows: by an ID token and SubjectAccessReviews, or by a token of the API server's own."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from hub_fixtures import exchange, ndjson
from people_fixtures import retail_and_bank
from secured_hub import OPERATOR, Cluster, Secured, refused, secured_hub

from modelward.hub.people.individual import Individual
from modelward.hub.people.reviews import CACHE_S, AccessReviews
from modelward.hub.people.rights import RIGHTS
from modelward.hub.people.settings import OidcSettings, PeopleSettings, people_settings
from modelward.hub.settings import ApiServer
from modelward.hub_client.shown import Telling
from modelward.hub_client.views import ViewClient

CLIENT = "modelward-console"


@dataclass(slots=True)
class Issuer:
    """An OpenID Connect issuer on a real socket, with keys that can sign."""

    signer: Cluster = field(default_factory=Cluster)
    url: str = ""
    called: str = ""
    """What it calls itself; its URL when empty."""
    down: bool = False

    def token(self, user: str = "ann", **changes: Any) -> str:
        """Return an ID token."""
        claims = {"iss": self.url, "aud": CLIENT, "sub": user, "groups": ["sre"], "iat": 1_700_000_000}
        return self.signer.token("x", "y", **{**claims, **changes})

    async def discovery(self, _: web.Request) -> web.Response:
        """Answer the discovery document."""
        if self.down:
            raise web.HTTPServiceUnavailable
        return web.json_response({"issuer": self.called or self.url, "jwks_uri": f"{self.url}/keys"})

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Issuer]:
        """Listen until left."""
        self.signer.rotate("issuer-key")
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self.discovery)
        app.router.add_get("/keys", self.signer.jwks)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with Issuer().running() as found:
        yield found


@contextlib.asynccontextmanager
async def hub_of_people(cluster: Cluster, tmp_path: Path, people: PeopleSettings) -> AsyncIterator[Secured]:
    async with secured_hub(cluster, tmp_path, people=people) as s:
        async with s.client(*OPERATOR) as operator, s.client("retail", "pod") as pod:
            await operator.put_objects(retail_and_bank(), telling=Telling("all", last=True))
            await operator.put_rules({"retail/chat": {"content": "Redacted"}})
            await pod.post_exchanges(ndjson(exchange(1)))
        yield s


def oidc(issuer: Issuer, **changes: Any) -> PeopleSettings:
    return PeopleSettings(oidc=OidcSettings(issuer.url, CLIENT), reviews=True, **changes)


NUMBERS, TEXT = ("get", "llmendpoints"), ("get", "llmendpoints/exchanges")


async def seen(person: ViewClient) -> list[str]:
    return [f"{row.namespace}/{row.name}" for row in (await person.fleet()).rows]


async def test_the_cluster_decides_what_a_person_of_the_issuer_sees(
    cluster: Cluster, issuer: Issuer, tmp_path: Path
) -> None:
    async with hub_of_people(cluster, tmp_path, oidc(issuer)) as s, s.person(issuer.token()) as ann:
        assert await seen(ann) == []
        assert await refused(ann.endpoint("retail", "chat")) == 404
        cluster.granted |= {("oidc:ann", *NUMBERS, "retail")}
        async with s.person(issuer.token(groups=["sre", "new"])) as again:  # other groups are asked about anew
            assert await seen(again) == ["retail/chat"]
            assert await refused(again.exchanges("retail", "chat")) == 403
            assert not (await again.fleet()).rows[0].text
        cluster.granted |= {("oidc:readers", *TEXT, "retail")}
        async with s.person(issuer.token(groups=["readers"])) as reading:
            assert len((await reading.exchanges("retail", "chat")).rows) == 1
            assert await refused(reading.exchanges("bank", "secret-project")) == 404
        [tried, read] = s.hub.audit.of("retail")
        assert (tried.who, tried.allowed, read.allowed) == ("oidc:ann", False, True)
    asked = [body["spec"] for body in cluster.reviews]
    assert {one["user"] for one in asked} == {"oidc:ann"}
    assert all(group.startswith("oidc:") or group == "system:authenticated" for one in asked for group in one["groups"])


async def test_whoever_sees_all_namespaces_is_asked_about_once(
    cluster: Cluster, issuer: Issuer, tmp_path: Path
) -> None:
    cluster.granted |= {("oidc:sre", *NUMBERS, "")}
    async with hub_of_people(cluster, tmp_path, oidc(issuer)) as s, s.person(issuer.token()) as person:
        assert await seen(person) == ["retail/chat", "bank/secret-project"]
        numbers = [b for b in cluster.reviews if b["spec"]["resourceAttributes"].get("resource") == "llmendpoints"]
        places = [b["spec"]["resourceAttributes"].get("namespace") for b in numbers]
        assert places.count(None) >= 1
        cluster.reviews.clear()
        await seen(person)
        assert cluster.reviews == [], "decisions are remembered for a minute"


async def test_id_tokens_that_are_not_for_this_client_now_are_refused(
    cluster: Cluster, issuer: Issuer, tmp_path: Path
) -> None:
    cluster.granted |= {(name, *NUMBERS, "") for name in ("oidc:ann", "system:masters", "oidc:system:masters")}
    forged = Cluster()
    forged.rotate("issuer-key")
    async with hub_of_people(cluster, tmp_path, oidc(issuer)) as s:
        async with s.person(issuer.token()) as good:
            assert len(await seen(good)) == 2
        for token in (
            issuer.token(aud="another-client"),
            issuer.token(aud=[CLIENT, "another-client"]),
            issuer.token(aud=[CLIENT, "another-client"], azp="another-client"),
            issuer.token(exp=1_700_000_000),
            issuer.token(sub=""),
            issuer.token(sub=7),
            issuer.token("system:masters"),
            issuer.token(groups=["system:masters"]),
            issuer.token(groups=[f"g{i}" for i in range(300)]),
            issuer.token("ann\nbob"),
            forged.token("x", "y", iss=issuer.url, aud=CLIENT, sub="ann"),
            jwt.encode({"iss": issuer.url, "aud": CLIENT, "sub": "ann"}, "", "none", {"kid": "issuer-key"}),
        ):
            async with s.person(token) as person:
                assert await refused(person.fleet()) == 401


async def test_an_issuer_that_calls_itself_otherwise_lets_no_person_in(
    cluster: Cluster, issuer: Issuer, tmp_path: Path
) -> None:
    issuer.called = "https://elsewhere"
    async with hub_of_people(cluster, tmp_path, oidc(issuer)) as s, s.person(issuer.token()) as person:
        assert await refused(person.fleet()) == 503


async def test_an_api_server_that_is_away_lets_no_person_see_and_shuts_no_machine_out(
    cluster: Cluster, issuer: Issuer, tmp_path: Path
) -> None:
    async with hub_of_people(cluster, tmp_path, oidc(issuer)) as s, s.person(issuer.token()) as person:
        cluster.down = True
        assert await refused(person.fleet()) == 503
        async with s.client(*OPERATOR) as operator:
            assert len(await operator.endpoints()) == 1


async def test_a_namespaced_installation_asks_in_its_namespaces_alone(
    cluster: Cluster, issuer: Issuer, tmp_path: Path
) -> None:
    cluster.granted |= {("oidc:ann", *NUMBERS, "")}
    async with (
        hub_of_people(cluster, tmp_path, oidc(issuer, namespaces=("retail",))) as s,
        s.person(issuer.token()) as person,
    ):
        assert await seen(person) == ["retail/chat"]
    assert {body["kind"] for body in cluster.reviews} == {"LocalSubjectAccessReview"}
    assert {body["metadata"]["namespace"] for body in cluster.reviews} == {"retail"}


@pytest.mark.parametrize("open_", [True, False])
async def test_a_pasted_token_counts_where_that_is_open_by_what_it_may_itself(
    cluster: Cluster, tmp_path: Path, open_: bool
) -> None:
    cluster.users["bearer-of-bob"] = "bob"
    cluster.granted |= {("bob", *NUMBERS, "retail")}
    async with (
        hub_of_people(cluster, tmp_path, PeopleSettings(pasted=open_)) as s,
        s.person("bearer-of-bob") as bob,
        s.person("bearer-of-nobody") as nobody,
    ):
        assert await refused(nobody.fleet()) == 401
        if not open_:
            assert await refused(bob.fleet()) == 401
            assert cluster.reviews == []
            return
        assert await seen(bob) == ["retail/chat"]
        me = await bob.me()
        assert (me.name, me.source) == ("bob", "Pasted")
        assert await refused(bob.exchanges("retail", "chat")) == 403
    assert {body["kind"] for body in cluster.reviews} == {"SelfSubjectReview", "SelfSubjectAccessReview"}


async def test_a_readers_token_has_no_rights_beyond_its_own_unless_the_cluster_may_be_asked(
    cluster: Cluster, tmp_path: Path
) -> None:
    user = "system:serviceaccount:retail:modelward-reader"
    cluster.granted |= {(user, "create", "alertsilences", "retail"), (user, *NUMBERS, "bank")}
    for reviews in (False, True):
        (tmp_path / str(reviews)).mkdir()
        async with (
            hub_of_people(cluster, tmp_path / str(reviews), PeopleSettings(reviews=reviews)) as s,
            s.person(cluster.token("retail", "modelward-reader")) as person,
        ):
            [own] = (await person.me()).namespaces
            assert (own.namespace, "Silence" in own.rights) == ("retail", reviews)


async def test_a_decision_is_remembered_for_a_minute_and_no_longer(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("pod-token\n")
    now = [0.0]
    reviews = AccessReviews(ApiServer(cluster.url, tmp_path / "token", None), clock=lambda: now[0])
    ann = Individual("oidc:ann", "OIDC")
    cluster.granted |= {("oidc:ann", *NUMBERS, "retail")}
    assert await reviews.allows(ann, "Numbers", "retail")
    cluster.granted.clear()
    assert await reviews.allows(ann, "Numbers", "retail")
    now[0] += CACHE_S + 1
    assert not await reviews.allows(ann, "Numbers", "retail")
    assert CACHE_S <= 60
    assert {right: await reviews.allows(ann, right, "retail") for right in RIGHTS} == dict.fromkeys(RIGHTS, False)


def test_settings_are_read_as_the_chart_writes_them() -> None:
    text = (
        '{"accounts":false,"namespaces":["a"],"oidc":{"issuer":"https://i","clientId":"c","userClaim":"email",'
        '"userPrefix":"u:","groupsClaim":"g","groupPrefix":"g:","caFile":""},"pasted":true,"reviews":true}'
    )
    found = people_settings(text)
    assert found == PeopleSettings(
        False, OidcSettings("https://i", "c", "email", "u:", "g", "g:", ""), True, True, ("a",)
    )
    assert people_settings("") == PeopleSettings()
    assert people_settings('{"oidc":{}}').oidc is None
