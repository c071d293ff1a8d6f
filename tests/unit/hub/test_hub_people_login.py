"""Who counts as a person at the hub, and that a person is none of the hub's machines, nor the other way round."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import pytest
from hub_fixtures import exchange, ndjson
from people_fixtures import retail_and_bank
from secured_hub import OPERATOR, Cluster, Secured, refused, secured_hub

from modelward.hub.errors import HubSettingsError
from modelward.hub.people.settings import OidcSettings, PeopleSettings
from modelward.hub_client.shown import Telling

READER, VIEWER = ("retail", "modelward-reader"), ("retail", "modelward-viewer")


@pytest.fixture
async def secured(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Secured]:
    async with secured_hub(cluster, tmp_path) as s:
        async with s.client(*OPERATOR) as operator:
            await operator.put_objects(retail_and_bank(), telling=Telling("all", last=True))
        yield s


@pytest.mark.parametrize("account", ["modelward-reader", "modelward-viewer"])
async def test_a_readers_token_shows_its_namespace_and_no_name_of_another(secured: Secured, account: str) -> None:
    async with secured.person(secured.cluster.token("retail", account)) as person:
        me, fleet = await person.me(), await person.fleet()
        assert (me.source, [one.namespace for one in me.namespaces], me.everywhere) == ("Kubectl", ["retail"], ())
        assert ("Text" in me.namespaces[0].rights) == (account == "modelward-reader")
        assert me.expires_ms is not None
        assert [(row.namespace, row.name) for row in fleet.rows] == [("retail", "chat")]
        answers = [
            await person.ask("GET", f"/v1/view/{path}")
            for path in (
                "me",
                "fleet",
                "fleet?ns=bank",
                "alerts",
                "policies",
                "endpoints/retail/chat",
                "fleet?q=secret",
            )
        ]
        assert [b"bank" in one or b"secret-project" in one for one in answers] == [False] * len(answers)
        past = "history?metric=requests&from=1&to=2"
        for path in (
            "endpoints/bank/secret-project", f"endpoints/bank/secret-project/{past}", "policies/bank/bank-policy",
            "endpoints/bank/secret-project/exchanges", "audit?ns=bank",
        ):  # fmt: skip
            there = await refusal(person, path)
            assert there == await refusal(person, path.replace("bank", "no-such"))
            assert there[0] == 404


async def refusal(person: Any, path: str) -> tuple[int, str]:
    """Return how the hub refuses, without the name that was asked for."""
    with pytest.raises(Exception, match="may see") as error:
        await person.ask("GET", f"/v1/view/{path}")
    text = str(error.value)
    for name in ("no-such/secret-project", "bank/secret-project", "bank/bank-policy", "no-such/no-such-policy"):
        text = text.replace(name, "X")
    return getattr(error.value, "status", 0), text.replace("no-such", "X").replace("bank", "X")


async def test_a_person_may_nothing_but_read_views_and_a_machine_reads_none(secured: Secured) -> None:
    for account in (READER, VIEWER):
        async with secured.client(*account) as person:
            for asking in (
                person.post_exchanges(ndjson(exchange(1))), person.window("retail", "chat", 0, 10**13, 5),
                person.exchange("retail", "chat", "e1"), person.endpoints(), person.results(0), person.audit(0),
                person.erase({"namespace": "retail"}), person.put_rules({}), person.put_objects([], hub="x"),
                person.mark("retail", "probe", 60), person.ask("GET", "/v1/keys/retail"),
                person.post_scores([{"endpoint": "retail/chat", "id": "e", "source": "s", "name": "n", "value": 1}]),
            ):  # fmt: skip
                assert await refused(asking) == 403
    for machine in (OPERATOR, ("retail", "default"), ("retail", "modelward-evaluate")):
        async with secured.person(secured.cluster.token(*machine)) as views:
            asked: list[Awaitable[Any]] = [views.me(), views.fleet(), views.endpoint("retail", "chat"), views.alerts()]
            for one in asked:
                assert await refused(one) == 403


async def test_a_readers_token_is_for_kubectl_and_not_for_pods(secured: Secured) -> None:
    about: dict[str, Any] = {"kubernetes.io": {"namespace": "retail", "pod": {"name": "p"}}}
    token = secured.cluster.token(*READER, **about)
    async with secured.person(token) as pod:
        assert await refused(pod.me()) == 401


async def test_tokens_that_are_not_for_this_hub_now_show_nothing(secured: Secured) -> None:
    forged = Cluster()
    forged.rotate("first")
    for token in (
        secured.cluster.token(*READER, aud=["https://kubernetes.default.svc"]),
        secured.cluster.token(*READER, iss="https://elsewhere"),
        secured.cluster.token(*READER, exp=1_700_000_000),
        secured.cluster.token(*READER, sub="system:serviceaccount:retail:modelward-reader:x"),
        forged.token(*READER),
        "nonsense",
        "",
    ):
        async with secured.person(token) as person:
            assert await refused(person.fleet()) == 401


async def test_accounts_can_be_closed(cluster: Cluster, tmp_path: Path) -> None:
    async with (
        secured_hub(cluster, tmp_path, people=PeopleSettings(accounts=False)) as s,
        s.person(cluster.token(*READER)) as person,
    ):
        assert await refused(person.fleet()) == 401


def test_prefixes_are_mandatory_and_never_the_clusters_own() -> None:
    good = {"issuer": "https://login.example.org", "audience": "modelward"}
    assert OidcSettings(**good).user_prefix == "oidc:"
    for name, prefix in itertools.product(("user_prefix", "group_prefix"), ("", "system:", "system:x")):
        with pytest.raises(HubSettingsError, match="prefix"):
            OidcSettings(**good, **{name: prefix})
    for issuer in ("http://login.example.org", "login.example.org", ""):
        with pytest.raises(HubSettingsError, match="https"):
            OidcSettings(issuer, "modelward")
    with pytest.raises(HubSettingsError, match="audience"):
        OidcSettings("https://login.example.org", "")
    with pytest.raises(HubSettingsError, match="SubjectAccessReviews"):
        PeopleSettings(oidc=OidcSettings(**good))
