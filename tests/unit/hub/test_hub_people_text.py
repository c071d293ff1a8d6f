"""Text of exchanges for people: only who may, only what the rules leave, in whole pages, and each reading on record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hub_fixtures import exchange, ndjson, running_hub
from people_fixtures import endpoint, evaluation, retail_and_bank, shown
from secured_hub import OPERATOR, Cluster, Secured, refused, secured_hub

from modelward.api.exchange import Message
from modelward.api.kept_score import shown_set
from modelward.hub.people import exchange_api
from modelward.hub_client.client import HubUnavailableError
from modelward.hub_client.shown import Telling
from modelward.hub_client.views import ViewClient

READER, VIEWER = ("retail", "modelward-reader"), ("retail", "modelward-viewer")
HOSTILE = (
    "<script>alert(1)</script>", "\u202eevil\u202c", "]]>--><!--", "{{7*7}}", "\x00\x1b[2J", "A" * 5_000,
    "'\"><img src=x onerror=y>", "javascript:alert(1)", "=HYPERLINK(1)", "%s%n${jndi:ldap}", "\ufffd",
)  # fmt: skip


@pytest.fixture
async def secured(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Secured]:
    async with secured_hub(cluster, tmp_path) as s:
        async with s.client(*OPERATOR) as operator, s.client("retail", "pod") as pod, s.client("bank", "pod") as other:
            await operator.put_objects(retail_and_bank(), telling=Telling("all", last=True))
            rules = {name: {"content": "Redacted"} for name in ("retail/chat", "bank/secret-project")}
            await operator.put_rules(rules)
            await pod.post_exchanges(ndjson(*(exchange(i, id=f"chatcmpl-{i:032x}") for i in range(30))))
            await other.post_exchanges(ndjson(exchange(1, endpoint="bank/secret-project", response="bank text")))
        yield s


def reader(s: Secured) -> ViewClient:
    return s.person(s.cluster.token(*READER, jti="jti-1"))


async def test_each_page_of_text_is_on_record_with_who_what_and_how_it_was_found(secured: Secured) -> None:
    async with reader(secured) as person:
        page = await person.exchanges("retail", "chat", {"text": "My Name Is Ann", "status": "ok"})
        assert (page.rows, page.stopped) == ((), "End")
        page = await person.exchanges("retail", "chat")
        assert (len(page.rows), page.stopped, page.recorded) == (20, "PageFull", True)
        assert page.rows[0].turns[0].text == "where is my card?"
        following = await person.exchanges("retail", "chat", {"cursor": page.cursor})
        assert (len(following.rows), following.stopped, following.cursor) == (10, "End", "")
        audit = await person.reads("retail")
        assert [(one.count, one.verb, one.allowed) for one in audit.rows] == [
            (10, "read", True), (20, "read", True), (0, "read", True),
        ]  # fmt: skip
        first = audit.rows[1]
        assert (first.who, first.token) == ("system:serviceaccount:retail:modelward-reader", "jti-1")
        assert first.ids == tuple(one.id for one in page.rows)
        assert audit.rows[2].filter == "status=ok text=(14 characters)"
        assert audit.whole


async def test_a_viewer_gets_no_text_and_the_audit_says_so_once_a_minute(secured: Secured) -> None:
    async with secured.person(secured.cluster.token(*VIEWER)) as viewer, reader(secured) as person:
        for _ in range(5):
            assert await refused(viewer.exchanges("retail", "chat")) == 403
        assert await refused(viewer.reads("retail")) == 403
        assert await refused(person.exchanges("bank", "secret-project")) == 404
        assert await refused(viewer.exchanges("bank", "secret-project")) == 404
        rows = (await person.reads("retail")).rows
        assert {(one.who.rpartition(":")[2], one.allowed, one.count) for one in rows} == {
            ("modelward-viewer", False, 0)
        }
        assert len(rows) == 2  # text, and the audit
    assert [one.allowed for one in secured.hub.audit.of("bank")] == [False, False]
    assert secured.hub.audit.of("no-such-namespace") == []


async def test_nothing_is_shown_that_cannot_be_recorded(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: Any) -> bool:
        return False

    monkeypatch.setattr(type(secured.hub.audit), "keep", full)
    async with reader(secured) as person:
        with pytest.raises(HubUnavailableError) as error:
            await person.exchanges("retail", "chat")
        assert (error.value.status, error.value.code) == (503, "AuditUnavailable")


async def test_a_tightened_rule_hides_text_from_people_at_once_and_from_their_search(secured: Secured) -> None:
    async with reader(secured) as person, secured.client(*OPERATOR) as operator:
        assert len((await person.exchanges("retail", "chat", {"text": "CARD"})).rows) == 20
        await operator.put_rules({"retail/chat": {"content": "MetadataOnly"}})
        page = await person.exchanges("retail", "chat")
        assert {(one.content, one.turns, one.response) for one in page.rows} == {("MetadataOnly", (), "")}
        assert (await person.exchanges("retail", "chat", {"text": "card"})).rows == ()
        await operator.put_rules({"retail/chat": {"content": "None"}})
        assert (await person.exchanges("retail", "chat")).rows == ()


async def test_an_erased_exchange_is_shown_to_no_person(secured: Secured) -> None:
    async with reader(secured) as person, secured.client(*OPERATOR) as operator:
        gone = f"chatcmpl-{3:032x}"
        assert len((await person.exchanges("retail", "chat", {"id": gone})).rows) == 1
        await operator.erase({"namespace": "retail", "endpoint": "chat", "exchange": gone})
        assert (await person.exchanges("retail", "chat", {"id": gone})).rows == ()


async def test_hostile_text_comes_as_it_is_in_json_and_breaks_nothing() -> None:
    async with running_hub("memory://") as r, ViewClient(f"http://127.0.0.1:{r.hub.ports[0]}") as person:
        rows = [exchange(i, messages=(Message("user", text),), response=text) for i, text in enumerate(HOSTILE)]
        await r.client.post_exchanges(ndjson(*rows))
        found = (await person.exchanges("retail", "chat")).rows
        assert [one.response for one in found] == list(HOSTILE)
        assert [one.turns[0].text for one in found] == list(HOSTILE)


async def test_exchanges_come_with_what_each_check_made_of_them_and_are_found_by_it() -> None:
    async with running_hub("memory://") as r, ViewClient(f"http://127.0.0.1:{r.hub.ports[0]}") as person:
        checks = [evaluation("topic"), evaluation("tone")]
        await r.client.put_objects(
            shown(("LLMEndpoint", endpoint(evaluations=checks))), telling=Telling("all", last=True)
        )
        await r.client.post_exchanges(ndjson(*(exchange(i) for i in range(9))))
        lines = [
            {"endpoint": "retail/chat", "set": shown_set("baseline", "topic"), "id": f"e{i}", "flagged": i == 4,
             "value": 0.25, "time_ms": exchange(i).time_ms, "label": "off-topic", "explanation": "cakes"}
            for i in range(6)
        ]  # fmt: skip
        assert await r.client.post_scores(lines) == (6, 0)
        page = await person.exchanges("retail", "chat", {"flagged": "baseline/topic"})
        assert [one.id for one in page.rows] == ["e4"]
        [score] = page.rows[0].scores
        assert (score.policy, score.evaluation, score.flagged, score.value_ppm) == ("baseline", "topic", True, 250_000)
        assert (score.label, score.reason) == ("off-topic", "cakes")
        assert page.evaluations == ("baseline/topic", "baseline/tone")
        assert [len(one.scores) for one in (await person.exchanges("retail", "chat")).rows] == [1] * 6 + [0] * 3
        assert (await person.exchanges("retail", "chat", {"flagged": "baseline/tone"})).rows == ()


async def all_pages(person: ViewClient, asked: dict[str, Any], most: int) -> list[str]:
    """Return what all pages hold, in order."""
    found: list[str] = []
    cursor = ""
    for _ in range(most):
        page = await person.exchanges("retail", "chat", {**asked, "cursor": cursor})
        found += [one.id for one in page.rows]
        cursor = page.cursor
        if not cursor:
            return found
    raise AssertionError("the pages have no end")


async def test_a_costly_search_stops_and_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_api, "SCAN_S", -1.0)
    async with running_hub("memory://") as r, ViewClient(f"http://127.0.0.1:{r.hub.ports[0]}") as person:
        for number in range(4):
            await r.client.post_exchanges(ndjson(exchange(number * 100, id=f"e{number}")))
        page = await person.exchanges("retail", "chat", {"text": "no such words"})
        assert (page.rows, page.stopped, page.scanned) == ((), "Budget", 1)
        assert page.reached_ms == exchange(100).time_ms + 1
        assert await all_pages(person, {"text": "on its way"}, 10) == ["e0", "e1", "e2", "e3"]


@pytest.mark.parametrize("cursor", ["x", ".", "12", "-1.x", "9" * 20 + ".a", "1." + "a" * 300])
async def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    async with running_hub("memory://") as r, ViewClient(f"http://127.0.0.1:{r.hub.ports[0]}") as person:
        await r.client.post_exchanges(ndjson(exchange(1)))
        assert await refused(person.exchanges("retail", "chat", {"cursor": cursor})) == 400
