"""Who may read from the hub, as RBAC of a real API server decides it: text, numbers, and nothing of other tenants."""

from __future__ import annotations

import base64
import json
import socket
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession, CookieJar
from chart_render import named, render
from waiting import PROCESS_PATIENCE_S, until_answered

from modelward.api.exchange import Exchange, Message, exchange_to_json
from modelward.api.shown_object import shown_object
from modelward.clock import now_ms
from modelward.console.hub_reader import HubReader
from modelward.console.login.ticket import Ticket
from modelward.console.server import running
from modelward.console.settings import ConsoleSettings
from modelward.hub.errors import HubError
from modelward.hub.people.reviews import AccessReviews
from modelward.hub.people.settings import PeopleSettings
from modelward.hub.server import Hub
from modelward.hub.settings import ApiServer, HubSettings
from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.hub_client.shown import Telling
from modelward.hub_client.views import ViewClient

pytestmark = pytest.mark.cluster

RBAC = "rbac.authorization.k8s.io/v1"
TEXT, FOREIGN = "where is my card?", "secret-project"
ACCOUNTS = ("modelward", "hub", "pod", "ann", "ben", "cy", "modelward-reader")


@dataclass(frozen=True, slots=True)
class Town:
    """Two tenants, accounts of the first, and the API server that knows what they may do."""

    cluster: Any
    ours: str
    foreign: str
    url: str
    ca_file: Path

    def token(self, account: str, audience: str = "", namespace: str = "") -> str:
        """Return a token as `kubectl create token` makes it: of the API server's own audience, or of another."""
        asked = ("--audience", audience) if audience else ()
        return str(self.cluster.kubectl("create", "token", account, "-n", namespace or self.ours, *asked)).strip()


def _bound(kind: str, name: str, role: tuple[str, str], *accounts: tuple[str, str], namespace: str = "") -> Any:
    """Return a binding of a role (kind, name) to accounts (namespace, name)."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    subjects = [{"kind": "ServiceAccount", "namespace": place, "name": account} for place, account in accounts]
    reference = {"apiGroup": RBAC.partition("/")[0], "kind": role[0], "name": role[1]}
    return {"apiVersion": RBAC, "kind": kind, "metadata": metadata, "roleRef": reference, "subjects": subjects}


def _objects(ours: str, foreign: str) -> list[Any]:
    """Return the tenants, and the chart's own roles under names of this test, bound as its docs say."""
    chart = render({"people": {"reviews": {"enabled": True}}})
    asked = {name: f"{name}-{ours}" for name in ("modelward-viewer", "modelward-transcripts", "modelward-hub-reviews")}
    roles = [{**named(chart, "ClusterRole", name), "metadata": {"name": own}} for name, own in asked.items()]
    silences = {"apiGroups": ["modelward.dev"], "resources": ["alertsilences"], "verbs": ["create"]}
    on_call = {"apiVersion": RBAC, "kind": "Role", "metadata": {"name": "silences", "namespace": ours}}
    return [
        *({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": one}} for one in (ours, foreign)),
        *(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": one, "namespace": place}}
            for place, names in ((ours, ACCOUNTS), (foreign, ("pod",)))
            for one in names
        ),
        *roles,
        {**on_call, "rules": [silences]},
        _bound("RoleBinding", "text", ("ClusterRole", asked["modelward-transcripts"]), (ours, "ann"), namespace=ours),
        _bound("RoleBinding", "numbers", ("ClusterRole", asked["modelward-viewer"]), (ours, "ben"), namespace=ours),
        _bound("RoleBinding", "silences", ("Role", "silences"), (ours, "modelward-reader"), namespace=ours),
        _bound("ClusterRoleBinding", f"hub-{ours}", ("ClusterRole", asked["modelward-hub-reviews"]), (ours, "hub")),
    ]


@pytest.fixture(scope="module")
def town(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Make the tenants, and take them away."""
    ours, foreign = (f"{name}-{uuid.uuid4().hex[:6]}" for name in ("people", "bank"))
    objects = _objects(ours, foreign)
    cluster.apply(objects)
    view = json.loads(cluster.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
    about = view["clusters"][0]["cluster"]
    ca_file = tmp_path_factory.mktemp("town") / "ca.crt"
    ca_file.write_bytes(base64.b64decode(about["certificate-authority-data"]))
    try:
        yield Town(cluster, ours, foreign, about["server"], ca_file)
    finally:
        cluster.kubectl("delete", "namespace", ours, foreign, "--wait=false")
        for kind in ("ClusterRoleBinding", "ClusterRole"):
            names = [one["metadata"]["name"] for one in objects if one["kind"] == kind]
            cluster.kubectl("delete", kind.lower(), *names)


@dataclass(frozen=True, slots=True)
class Opened:
    """A hub that asks this API server, and holds an exchange of each tenant."""

    hub: Hub
    url: str
    authority: bytes
    api_server: ApiServer

    def person(self, token: str) -> ViewClient:
        """Return what a person with a token reads by."""
        return ViewClient(self.url, self.authority, lambda: token)

    def account(self, token: str) -> HubClient:
        """Return what a pod, or the operator, speaks by."""
        return HubClient(self.url, self.authority, lambda: token)


@pytest.fixture
async def opened(town: Town, tmp_path: Path) -> AsyncIterator[Opened]:
    """Run a hub with the rights that the chart gives it."""
    (tmp_path / "token").write_text(town.token("hub"))
    api_server, published = ApiServer(town.url, tmp_path / "token", town.ca_file), list[bytes]()

    async def publish(pem: bytes) -> None:
        published.append(pem)

    settings = HubSettings(
        store_url="memory://", listen="127.0.0.1:0", health_listen="127.0.0.1:0", state_dir=tmp_path / "state",
        namespace=town.ours, api_server=api_server, people=PeopleSettings(pasted=True, reviews=True),
    )  # fmt: skip
    async with Hub(settings, publish).running() as hub:
        assert hub.verifier
        await hub.verifier.refresh()
        found = Opened(hub, f"https://localhost:{hub.ports[0]}", published[0], api_server)
        await _filled(town, found)
        yield found


async def _filled(town: Town, opened: Opened) -> None:
    names = {f"{town.ours}/chat": "pod", f"{town.foreign}/{FOREIGN}": "pod"}
    async with opened.account(town.token("modelward", "modelward-hub")) as operator:
        rows = [{"metadata": {"namespace": n.partition("/")[0], "name": n.partition("/")[2]}} for n in names]
        await operator.put_objects(
            [shown_object("LLMEndpoint", {**one, "spec": {}, "status": {}}) for one in rows],
            telling=Telling("all", last=True),
        )
        await operator.put_rules({name: {"content": "Redacted"} for name in names})
    for name, account in names.items():
        async with opened.account(town.token(account, "modelward-hub", name.partition("/")[0])) as pod:
            one = Exchange(
                id=f"chatcmpl-{uuid.uuid4().hex}", time_ms=now_ms(), endpoint=name, model="m", revision="r1",
                operation="chat", status=200, outcome="ok", content="Redacted",
                messages=(Message("user", TEXT),), response="on its way",
            )  # fmt: skip
            assert await pod.post_exchanges(orjson.dumps(exchange_to_json(one))) == (1, 0)


async def test_whoever_has_the_role_reads_text_and_is_on_record(town: Town, opened: Opened) -> None:
    async with opened.person(town.token("ann")) as ann:
        (row,) = (await ann.exchanges(town.ours, "chat")).rows
        assert row.turns[0].text == TEXT
        (record,) = (await ann.reads(town.ours)).rows
        assert (record.who, record.allowed, record.count) == (f"system:serviceaccount:{town.ours}:ann", True, 1)


async def test_whoever_may_see_numbers_gets_no_text_and_no_name_of_another_tenant(town: Town, opened: Opened) -> None:
    async with opened.person(town.token("ben")) as ben:
        assert [row.name for row in (await ben.fleet()).rows] == ["chat"]
        assert [one.rights for one in (await ben.me()).namespaces] == [("Numbers", "Policies")]
        for where, status in (((town.ours, "chat"), 403), ((town.foreign, FOREIGN), 404), (("no-such", "chat"), 404)):
            with pytest.raises(HubUnavailableError) as refused:
                await ben.exchanges(*where)
            assert refused.value.status == status
    for namespace in (town.ours, town.foreign):
        (record,) = opened.hub.audit.of(namespace)
        assert (record.who.rpartition(":")[2], record.allowed, record.count) == ("ben", False, 0)


async def test_a_token_of_an_account_that_was_deleted_opens_nothing(town: Town, opened: Opened) -> None:
    token = town.token("cy")
    town.cluster.kubectl("delete", "serviceaccount", "cy", "-n", town.ours)

    async def refused() -> bool:
        try:
            await AccessReviews(opened.api_server).of_token(token)
        except HubError as error:
            return error.status == 401
        return False

    await until_answered(refused, PROCESS_PATIENCE_S, ignoring=())
    async with opened.person(token) as person:
        with pytest.raises(HubUnavailableError) as answer:
            await person.fleet()
        assert answer.value.status == 401


async def test_a_readers_token_reads_in_its_own_namespace_and_may_silence_where_the_cluster_says_so(
    town: Town, opened: Opened
) -> None:
    async with opened.person(town.token("modelward-reader", "modelward-hub")) as reader:
        (own,) = (await reader.me()).namespaces
        assert (own.namespace, {"Text", "Silence"} <= {*own.rights}) == (town.ours, True)
        with pytest.raises(HubUnavailableError) as refused:
            await reader.exchanges(town.foreign, FOREIGN)
        assert (refused.value.status, FOREIGN in str((await reader.fleet()).wire())) == (404, False)


@asynccontextmanager
async def console_of(opened: Opened, token: str, folder: Path) -> AsyncIterator[tuple[str, ClientSession]]:
    """Run a console on loopback that reads with a person's token; yield its address and a browser that is signed in."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    (folder / "hub.crt").write_bytes(opened.authority)
    settings = ConsoleSettings(f"{listen}", f"http://{listen}", opened.url, folder / "hub.crt")
    ticket = Ticket(HubReader.at(settings, token))
    async with running(settings, ticket, now_ms), ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser:
        async with browser.get(f"{settings.url}{ticket.path}") as answer:
            assert answer.status == 200
        yield settings.url, browser


async def test_a_console_shows_text_by_a_readers_token_and_nothing_of_others(
    town: Town, opened: Opened, tmp_path: Path
) -> None:
    token = town.token("modelward-reader", "modelward-hub")
    async with console_of(opened, token, tmp_path) as (url, browser):
        async with browser.get(f"{url}/e/{town.ours}/chat/transcripts") as page:
            assert (page.status, TEXT in await page.text()) == (200, True)
        for path in ("/", f"/e/{town.foreign}/{FOREIGN}/transcripts"):
            async with browser.get(f"{url}{path}") as page:
                assert TEXT not in await page.text()
                assert path != "/" or FOREIGN not in await page.text()
    assert opened.hub.audit.of(town.ours)[-1].who.endswith(":modelward-reader")
