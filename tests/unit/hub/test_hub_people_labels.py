"""What people say of exchanges: one word of each, counted for the operator, gone with its exchange."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hub_fixtures import NOW_MS, exchange, ndjson
from hypothesis import given
from hypothesis import strategies as st
from people_fixtures import retail_and_bank
from secured_hub import OPERATOR, Cluster, Secured, refused, secured_hub

from modelward.api.calibration import OwnLabels
from modelward.api.exchange_page import PersonLabel
from modelward.api.kept_score import shown_set
from modelward.hub.damage import Damage
from modelward.hub.objects import ObjectStore
from modelward.hub.people import labels
from modelward.hub.people.labels import PeopleLabels, StoredLabel
from modelward.hub.rules import Rule
from modelward.hub_client.shown import Telling
from modelward.operator.hub.labels import KnownLabels

READER, VIEWER = ("retail", "modelward-reader"), ("retail", "modelward-viewer")


@pytest.fixture
async def secured(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Secured]:
    async with secured_hub(cluster, tmp_path) as s:
        async with s.client(*OPERATOR) as operator, s.client("retail", "pod") as pod:
            await operator.put_objects(retail_and_bank(), telling=Telling("all", last=True))
            await operator.put_rules({"retail/chat": {"content": "Redacted"}})
            await pod.post_exchanges(ndjson(*(exchange(i, id=f"e{i}") for i in range(6))))
        async with s.client("retail", "modelward-evaluate") as judge, s.person(s.cluster.token(*READER)) as person:
            ids = [one.id for one in (await person.exchanges("retail", "chat")).rows]
            lines = [
                {"endpoint": "retail/chat", "set": shown_set("baseline", "topic"), "id": name, "flagged": i < 4,
                 "time_ms": exchange(i).time_ms} for i, name in enumerate(ids)
            ]  # fmt: skip
            await judge.post_scores(lines)
        yield s


def said(name: str, fault: bool | None, text: str = "") -> PersonLabel:
    return PersonLabel(
        namespace="retail", endpoint="chat", response_id=name, name="baseline/topic", fault=fault, text=text
    )


async def test_a_word_is_kept_once_shown_beside_its_exchange_and_counted(secured: Secured) -> None:
    async with secured.person(secured.cluster.token(*READER)) as person, secured.client(*OPERATOR) as operator:
        page = await person.exchanges("retail", "chat")
        assert page.may_label
        ids = [one.id for one in page.rows]
        for name, fault in ((ids[0], True), (ids[0], True), (ids[1], False), (ids[4], True), (ids[5], False)):
            assert (await person.label(said(name, fault, "call me at ann@example.org"))).own
        [label] = (await person.exchanges("retail", "chat", {"id": "e0"})).rows[0].labels
        assert (label.fault, label.own, label.text) == (True, True, "call me at [EMAIL]")
        [check] = (await person.endpoint("retail", "chat")).checks
        assert check.agreement
        agreement = check.agreement
        assert (agreement.flags, agreement.flags_agreed, agreement.others, agreement.others_agreed) == (2, 1, 2, 1)
        known = KnownLabels()
        assert await known.refresh(operator, "hub") == {"retail/chat"}
        assert known.of("retail", "chat") == {("baseline", "topic"): OwnLabels(1, 2, 1, 2)}
        assert await known.refresh(operator, "hub") == frozenset()
        await person.label(said(ids[1], True))
        await person.label(said(ids[5], None))
        assert await known.refresh(operator, "hub") == {"retail/chat"}
        assert known.of("retail", "chat") == {("baseline", "topic"): OwnLabels(2, 2, 1, 1)}
        acts = [one for one in (await person.reads("retail")).rows if one.verb == "label"]
        assert len(acts) == 7


async def test_only_who_may_says_a_word_and_of_what_is_there(secured: Secured) -> None:
    async with secured.person(secured.cluster.token(*VIEWER)) as viewer, secured.client(*OPERATOR) as operator:
        assert await refused(viewer.label(said("e0", fault=True))) == 403
        assert await refused(operator.ask("POST", "/v1/feedback", json=said("e0", fault=True).wire())) == 403
    async with secured.person(secured.cluster.token(*READER)) as person:
        assert await refused(person.label(said("no-such", fault=True))) == 404
        other = said("e0", fault=True).model_copy(update={"name": "baseline/no-such"})
        assert await refused(person.label(other)) == 400
        bank = said("e0", fault=True).model_copy(update={"namespace": "bank", "endpoint": "secret-project"})
        assert await refused(person.label(bank)) == 404
        bodies: list[Any] = [
            {},
            [],
            "x",
            {"namespace": "retail"},
            {**said("e0", fault=True).wire(), "source": "EndUser"},
        ]
        for body in bodies:
            assert await refused(person.ask("POST", "/v1/feedback", json=body)) == 400
        assert await refused(person.ask("GET", "/v1/labels")) == 403
    assert [one.allowed for one in secured.hub.audit.of("retail") if one.verb == "label"] == [False]


async def test_a_word_goes_with_its_exchange_and_its_text_with_the_rule(secured: Secured) -> None:
    async with secured.person(secured.cluster.token(*READER)) as person, secured.client(*OPERATOR) as operator:
        ids = [one.id for one in (await person.exchanges("retail", "chat")).rows]
        for name in ids[:3]:
            await person.label(said(name, True, "cakes"))
        await operator.erase({"namespace": "retail", "endpoint": "chat", "exchange": ids[0]})
        held = secured.hub.people.labels
        assert held.counted("retail/chat") == {("baseline", "topic"): OwnLabels(2, 2)}
        await operator.put_rules({"retail/chat": {"content": "MetadataOnly"}})
        shown_labels = [one.labels for one in (await person.exchanges("retail", "chat")).rows if one.labels]
        assert [label.text for [label] in shown_labels] == ["", ""]
        await held.drop_forbidden()
        data = await held.objects.get("labels/retail/chat.json") or b""
        assert data
        assert b"cakes" not in data
        await operator.put_rules({"retail/chat": {"content": "None"}})
        await held.drop_forbidden()
        assert await held.objects.get("labels/retail/chat.json") is None


def store_on(objects: ObjectStore) -> PeopleLabels:
    damage = Damage(objects, lambda _kind, _count: None, lambda: NOW_MS)
    return PeopleLabels(objects, damage, lambda _: Rule(content="Redacted"), lambda: NOW_MS)


def label(number: int, **changes: Any) -> StoredLabel:
    plain = {"name": "p/e", "author": "ann", "fault": True, "at_ms": NOW_MS, "exchange_ms": NOW_MS, "flagged": True}
    return StoredLabel(f"e{number}", **{**plain, **changes})


async def test_words_outlive_a_restart_and_damage_costs_one_endpoint(tmp_path: Path) -> None:
    objects = ObjectStore(f"file://{tmp_path}/store")
    first = store_on(objects)
    await first.put("a/one", label(1))
    await first.put("b/two", label(2))
    await objects.put("labels/a/one.json", b"garbage")
    again = store_on(objects)
    await again.load()
    assert again.endpoints() == ["b/two"]
    assert again.counted("b/two") == {("p", "e"): OwnLabels(1, 1)}


async def test_words_are_bounded_by_endpoint_and_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "MOST_OF_ENDPOINT", 3)
    monkeypatch.setattr(labels, "MOST_OF_NAMESPACE", 5)
    store = store_on(ObjectStore("memory://"))
    for number in range(4):
        await store.put("a/one", label(number))
    assert store.counted("a/one") == {("p", "e"): OwnLabels(3, 3)}
    await store.put("a/two", label(1))
    await store.put("a/two", label(2))
    with pytest.raises(Exception, match="at most"):
        await store.put("a/two", label(3))
    await store.put("b/one", label(1))


WORD = st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.booleans(), st.none() | st.booleans())


@given(st.lists(WORD, max_size=30))
def test_each_exchange_counts_once_as_people_agree(words: list[tuple[int, str, bool, bool | None]]) -> None:
    asyncio.run(assert_counted(words))


async def assert_counted(words: list[tuple[int, str, bool, bool | None]]) -> None:
    store = store_on(ObjectStore("memory://"))
    newest: dict[tuple[int, str], tuple[bool, bool | None]] = {}
    for number, author, fault, flagged in words:
        await store.put("a/one", label(number, author=author, fault=fault, flagged=flagged))
        newest[number, author] = (fault, flagged)
    expected = OwnLabels()
    for number in range(6):
        said_of = {one for (n, _), one in newest.items() if n == number and one[1] is not None}
        if len({fault for fault, _ in said_of}) == 1:
            flagged = any(flag for _, flag in said_of)
            fault = next(iter(said_of))[0]
            expected += OwnLabels(flagged and fault, flagged, not flagged and fault, not flagged)
    assert store.counted("a/one").get(("p", "e"), OwnLabels()) == expected
