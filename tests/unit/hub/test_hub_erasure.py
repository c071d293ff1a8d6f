"""What is erased on purpose is gone from store, results and what may still come, and the audit says so without text."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hub_fixtures import HOUR_MS, NOW_MS, Running, exchange, ndjson, running_hub
from secured_hub import OPERATOR, Cluster, refused, secured_hub

from modelward.api.evaluation import Counts, EvaluatorFacts, Example, WindowResult
from modelward.api.exchange import Timings, Usage
from modelward.api.kept_score import evaluator_set, imported_set, record_digest
from modelward.api.origin import origin_of
from modelward.api.window_answer import Moved, WindowTest
from modelward.collector.handover import CapturedExchange
from modelward.collector.record import ExchangeRecorder
from modelward.collector.shipping import HubConnection as CollectorsHub
from modelward.collector.shipping import Shipper
from modelward.collector.spool import Spool
from modelward.hub import audit, keys
from modelward.hub.errors import HubError
from modelward.hub.stored import StoredLines
from modelward.hub_client.client import HubUnavailableError, ScoreSet
from modelward.privacy.identifiers import hashed

TALK = "0123456789abcdef" * 2
ENGINES = "chatcmpl-b8f7c9a0d1e24f3a9b5c6d7e8f901a2b"
TYPED = "chatcmpl-jane.doe@example.com"
REDACTED = {"content": "Redacted"}


def text_in(store: Path) -> str:
    found = [path.read_bytes() for path in store.rglob("*") if path.is_file()]
    return "".join(b"".join(StoredLines(one)).decode() + one.decode("latin-1") for one in found)


def result(*ids: str, **changes: Any) -> WindowResult:
    examples = {"r1": tuple(Example(one, "leak") for one in ids)}
    base = WindowResult(
        "retail", "chat", "p", "e", NOW_MS - HOUR_MS, NOW_MS, "run", EvaluatorFacts("PII", "1"),
        {"r1": Counts(10, 2)}, examples,
    )  # fmt: skip
    return replace(base, **changes)


async def held(hub: Running) -> list[tuple[str, str]]:
    return [
        (f"{namespace}/{name}", one.id)
        for namespace, name in (("retail", "chat"), ("retail", "mail"), ("other", "chat"))
        for one in (await hub.client.window(namespace, name, NOW_MS - HOUR_MS, NOW_MS + HOUR_MS, 100))[::-1]
    ]


EVERYTHING = (
    exchange(1, conversation=TALK, response="ERASED"), exchange(2, response="two"),
    exchange(3, endpoint="retail/mail", conversation=TALK, response="ERASED"), exchange(4, endpoint="other/chat"),
)  # fmt: skip
TARGETS: list[tuple[dict[str, Any], list[tuple[str, str]], str]] = [
    ({"namespace": "retail", "endpoint": "chat", "exchange": "e1"},
     [("retail/chat", "e2"), ("retail/mail", "e3"), ("other/chat", "e4")], "retail/chat exchange"),
    ({"namespace": "retail", "conversation": TALK},
     [("retail/chat", "e2"), ("other/chat", "e4")], f"retail conversation {TALK}"),
    ({"namespace": "retail", "endpoint": "chat", "conversation": TALK},
     [("retail/chat", "e2"), ("retail/mail", "e3"), ("other/chat", "e4")], f"retail/chat conversation {TALK}"),
    ({"namespace": "retail", "endpoint": "chat"}, [("retail/mail", "e3"), ("other/chat", "e4")], "retail/chat"),
    ({"namespace": "retail"}, [("other/chat", "e4")], "retail"),
]  # fmt: skip


ALL_HELD = [(one.endpoint, one.id) for one in EVERYTHING]
SET = evaluator_set("judge", "brand", "1", {})


def scores() -> list[dict[str, Any]]:
    """Return scores of everything, by an evaluator and from outside."""
    own = [
        {"endpoint": one.endpoint, "set": SET, "id": one.id, "time_ms": one.time_ms, "conversation": one.conversation,
         "label": "ERASED" if one.response == "ERASED" else "ok", "record": record_digest(one)}
        for one in EVERYTHING
    ]  # fmt: skip
    outside = {"source": "ragas", "name": "faithfulness", "value": 0.5}
    return own + [{"endpoint": one.endpoint, "id": one.id, "time_ms": one.time_ms, **outside} for one in EVERYTHING]


async def scored(hub: Running) -> set[tuple[str, str]]:
    """Return the exchanges of which any score is left."""
    found = set()
    for one in EVERYTHING:
        namespace, _, name = one.endpoint.partition("/")
        for score_set in (SET, imported_set("ragas", "faithfulness")):
            answer = await hub.client.find_scores(ScoreSet(namespace, name, score_set), [one])
            found |= {(one.endpoint, found_id) for found_id in answer.scores}
    return found


@pytest.mark.parametrize(("target", "left", "named"), TARGETS)
async def test_an_erasure_reaches_the_store_late_records_and_the_examples_of_results(
    tmp_path: Path, target: dict[str, Any], left: list[tuple[str, str]], named: str
) -> None:
    async with running_hub(f"file://{tmp_path}") as hub:
        await hub.client.post_exchanges(ndjson(*EVERYTHING))
        await hub.client.put_result(result("e1", "e2"))
        assert await hub.client.post_scores(scores()) == (8, 0)
        assert await scored(hub) == {*ALL_HELD}
        gone = 4 - len(left)
        assert await hub.client.erase({**target, "dryRun": True}) == {"exchanges": gone}
        assert len(await held(hub)) == 4, "a dry run erases nothing"
        done = await hub.client.erase({**target, "by": "ticket-7"})
        whole = "exchange" not in target and "conversation" not in target
        assert done == {"exchanges": gone, "examples": 2 if whole else 1, "recorded": True}
        assert await held(hub) == left
        assert await scored(hub) == set(left)
        assert (await hub.client.post_scores(scores()))[0] == 2 * len(left), "nor do their scores come again"
        assert await scored(hub) == set(left)
        assert await hub.client.post_exchanges(ndjson(*EVERYTHING)) == (len(left), gone), "a spool may bring them again"
        await hub.client.put_result(result("e1", "e2", evaluation="late"))
        for found in await hub.client.results(0):
            assert found.examples.get("r1", ()) == (() if whole else (Example("e2", "leak"),))
            assert found.revisions == {"r1": Counts(10, 2)}, "the counts stay"
        [record] = await hub.client.audit(0, "erase")
        assert (record["who"], record["verb"], record["count"], record["by"]) == ("by hand", "erase", gone, "ticket-7")
        assert record["object"].startswith(named)
        assert record["time_ms"] == NOW_MS
    async with running_hub(f"file://{tmp_path}") as again:
        assert set(await held(again)) == set(left)
        assert await scored(again) == set(left)
        assert await again.client.audit(0, "erase") == [record]
        assert await again.client.post_exchanges(ndjson(*EVERYTHING)) == (len(left), gone)
    if ("retail/chat", "e1") not in left and ("retail/mail", "e3") not in left:
        assert "ERASED" not in text_in(tmp_path)


async def test_a_conversation_that_goes_on_after_it_was_erased_is_kept_anew(file_url: str) -> None:
    clock = [NOW_MS]
    async with running_hub(file_url, now=lambda: clock[0]) as hub:
        await hub.client.post_exchanges(ndjson(*EVERYTHING))
        await hub.client.erase({"namespace": "retail", "conversation": TALK})
        clock[0] += 60_000
        later = exchange(9, conversation=TALK, time_ms=clock[0])
        assert await hub.client.post_exchanges(ndjson(later)) == (1, 0)


async def test_an_exchange_is_found_and_erased_by_the_id_that_a_client_gave_and_that_is_written_nowhere(
    cluster: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = tmp_path / "store"
    async with (
        secured_hub(cluster, tmp_path, f"file://{store}") as s,
        s.client("retail", "pod") as pod,
        s.client(*OPERATOR) as operator,
    ):
        sent = [exchange(1, id=TYPED, conversation="jane.doe@example.com"), exchange(2, id=ENGINES)]
        assert await pod.post_exchanges(ndjson(*sent, exchange(3, id="x" * 100_000))) == (3, 0)
        found = await operator.exchange("retail", "chat", TYPED)
        assert found is not None
        assert found.id.startswith("mwh-")
        assert found.conversation == "", "a key that no hub gave may be guessed"
        assert max(len(one.id) for one in await operator.window("retail", "chat", 0, NOW_MS + 1, 9)) <= 128
        assert (await operator.exchange("retail", "chat", ENGINES) or found).id == ENGINES
        done = await operator.erase({"namespace": "retail", "endpoint": "chat", "exchange": TYPED})
        assert done["exchanges"] == 1
        assert await operator.exchange("retail", "chat", TYPED) is None
        assert await pod.post_exchanges(ndjson(*sent)) == (1, 1)
        records = await operator.audit(0)
        assert {one["verb"] for one in records} == {"read", "erase"}
        assert records[0]["who"] == "system:serviceaccount:modelward-system:modelward"
        assert "jane.doe" not in orjson.dumps(list(records)).decode()
    assert "jane.doe" not in text_in(store)
    assert "jane.doe" not in caplog.text


async def test_a_conversation_is_erased_by_the_name_that_the_client_gave_it(cluster: Cluster, tmp_path: Path) -> None:
    store = tmp_path / "store"
    async with (
        secured_hub(cluster, tmp_path, f"file://{store}") as s,
        s.client("retail", "pod") as pod,
        s.client(*OPERATOR) as operator,
    ):
        key = bytes.fromhex(orjson.loads(await pod.ask("GET", "/v1/keys/retail"))["key"])
        talk = hashed("jane.doe@example.com", key, "conversation")
        await pod.post_exchanges(ndjson(exchange(1, conversation=talk), exchange(2)))
        asked = {"namespace": "retail", "conversation": "jane.doe@example.com"}
        assert (await operator.erase(asked))["exchanges"] == 1
        assert await pod.post_exchanges(ndjson(exchange(1, conversation=talk))) == (0, 1)
    assert "jane.doe" not in text_in(store)


async def test_what_collectors_hash_the_hub_finds_by_its_original_name(tmp_path: Path) -> None:
    async with running_hub("memory://") as hub:
        shipper = Shipper(Spool(str(tmp_path / "spool")), lambda *_: None, 0.01, namespace="retail")
        shipper.hub = CollectorsHub(f"http://127.0.0.1:{hub.hub.ports[0]}", "", "")
        await asyncio.to_thread(shipper.ship_once)
        answer = orjson.dumps({"id": TYPED, "choices": [{"message": {"content": "hi"}}]})
        parcel = CapturedExchange(NOW_MS, "chat", "m", 200, "ok", 1.0, False, "jane.doe@example.com",
                        "application/json", "", "", Usage(), Timings(5.0), b"{}", answer)  # fmt: skip
        sent = ExchangeRecorder("retail/chat", "r1").record(parcel, "Redacted", shipper.key)
        await hub.client.post_exchanges(ndjson(sent))
        assert await hub.client.exchange("retail", "chat", TYPED) == sent
        erased = await hub.client.erase({"namespace": "retail", "conversation": "jane.doe@example.com"})
        assert erased["exchanges"] == 1


async def test_a_mark_is_signed_by_a_key_that_every_collector_knows(file_url: str) -> None:
    clock = [NOW_MS]

    async def known() -> tuple[bytes, ...]:
        answer = orjson.loads(await hub.client.ask("GET", "/v1/keys/retail"))
        return tuple(bytes.fromhex(key) for key in answer["originKeys"])

    async with running_hub(file_url, now=lambda: clock[0]) as hub:
        await hub.client.put_rules({"retail/chat": {"content": "Redacted", "keepForSeconds": 3_600}})
        stale = await known()
        clock[0] += keys.ROTATE_MS + 1
        mark, fresh = await hub.client.mark("retail", "judge", 600), await known()
        assert len(fresh) == 2
        assert origin_of(mark, stale, clock[0] / 1_000) == origin_of(mark, fresh, clock[0] / 1_000) == "judge"
        clock[0] += keys.RENEW_AFTER_S * 1_000 + 1
        mark = await hub.client.mark("retail", "judge", 600)
        assert origin_of(mark, fresh[:1], clock[0] / 1_000) == "judge"
        assert origin_of(mark, stale, clock[0] / 1_000) is None


@pytest.mark.parametrize("asked", ["", "?origin=user", "?origin=probe&seconds=0", "?origin=probe&seconds=3601"])
async def test_a_mark_that_cannot_be_is_refused_with_what_can(asked: str) -> None:
    async with running_hub("memory://") as hub:
        with pytest.raises(HubUnavailableError, match="origin must be one of probe, golden, judge") as refused:
            await hub.client.ask("POST", f"/v1/marks/retail{asked}")
        assert refused.value.status == 400


async def test_keys_rotate_and_older_ones_last_as_long_as_what_was_hashed_with_them(file_url: str) -> None:
    clock = [NOW_MS]
    async with running_hub(file_url, now=lambda: clock[0]) as hub:
        await hub.client.put_rules({"retail/chat": {"content": "Redacted", "keepForSeconds": 3_600}})
        ring = hub.hub.keys
        first = await ring.newest("retail")
        assert await ring.newest("retail") == first
        assert await ring.newest("other") != first
        clock[0] += keys.ROTATE_MS + 1
        second = await ring.newest("retail")
        assert ring.all("retail") == (second, first)
        await ring.tidy({"retail", "other"})
        assert ring.all("retail") == (second, first)
    async with running_hub(file_url, now=lambda: clock[0]) as hub:
        assert hub.hub.keys.all("retail") == (second, first)
        clock[0] += 2 * HOUR_MS + 24 * HOUR_MS
        await hub.hub.keys.tidy({"retail"})
        assert hub.hub.keys.all("retail") == (second,)
        clock[0] += 24 * HOUR_MS
        await hub.hub.keys.tidy(set())
        assert hub.hub.keys.all("retail") == (), "nothing is left that was hashed"


async def test_damaged_keys_and_audit_records_cost_themselves_only(tmp_path: Path) -> None:
    async with running_hub(f"file://{tmp_path}") as hub:
        first = await hub.hub.keys.newest("retail")
        other = await hub.hub.keys.newest("other")
        await hub.client.erase({"namespace": "a"})
        await hub.client.erase({"namespace": "b"})
    (tmp_path / "keys" / "retail.json").write_bytes(b'{"keys": [{"secret": "00"')
    min((tmp_path / "audit").iterdir()).write_bytes(b"{}")
    async with running_hub(f"file://{tmp_path}") as hub:
        assert await hub.hub.keys.newest("retail") != first
        assert await hub.hub.keys.newest("other") == other
        assert len(await hub.client.audit(0)) == 1


async def test_a_store_that_is_full_can_be_erased_from_and_the_audit_says_what_it_could_not_store(
    file_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_hub(file_url) as hub:
        await hub.client.post_exchanges(ndjson(*EVERYTHING))
        full = HubError(507, "StoreFull", "full")

        async def refusing(path: str, data: bytes) -> None:
            raise full

        put, hub.hub.store.objects.put = hub.hub.store.objects.put, refusing  # type: ignore[method-assign]
        done = await hub.client.erase({"namespace": "retail", "by": "ticket-7"})
        assert done == {"exchanges": 3, "examples": 0, "recorded": False}
        assert "verb=erase object='retail' count=3 by='ticket-7'" in caplog.text
        assert await held(hub) == [("other/chat", "e4")]
        hub.hub.store.objects.put = put  # type: ignore[method-assign]
        assert (await hub.client.erase({"namespace": "retail"}))["recorded"]


async def test_audit_records_end_too(file_url: str) -> None:
    clock = [NOW_MS]
    async with running_hub(file_url, now=lambda: clock[0]) as hub:
        await hub.client.erase({"namespace": "retail"})
        clock[0] += audit.KEEP_MS + 1
        await hub.client.erase({"namespace": "other"})
        await hub.hub.audit.drop_old()
        assert [one["object"] for one in await hub.client.audit(0)] == ["other"]


@pytest.mark.parametrize(
    "target",
    [{}, [], {"namespace": "../x"}, {"namespace": "retail", "exchange": "e1"}, {"namespace": 7},
     {"namespace": "a", "endpoint": "b", "exchange": "e", "conversation": "c"}],
)  # fmt: skip
async def test_what_is_no_target_erases_nothing(file_url: str, target: Any) -> None:
    async with running_hub(file_url) as hub:
        await hub.client.post_exchanges(ndjson(*EVERYTHING))
        assert await refused(hub.client.erase(target)) == 400
        assert len(await held(hub)) == 4
        assert await hub.client.audit(0) == []


TOPICS = WindowTest("r1", 200, 200, 400, moved=(Moved("card-stolen", 0.2, 0.1, 0.3, 0.1, "t1", "AAAA"),))


@pytest.mark.parametrize(("target", "_left", "_named"), TARGETS)
async def test_an_erasure_takes_the_names_of_topics_with_it(
    file_url: str, target: dict[str, Any], _left: Any, _named: str
) -> None:
    async with running_hub(file_url) as hub:
        await hub.client.post_exchanges(ndjson(*EVERYTHING))
        await hub.client.put_result(result(tests=(TOPICS,)))
        assert (await hub.client.results(0))[0].tests == (TOPICS,)
        await hub.client.erase(target)
        assert (await hub.client.results(0))[0].tests == (replace(TOPICS, moved=()),)
        await hub.client.put_result(result(evaluation="late", tests=(TOPICS,)))
        assert {one.tests for one in await hub.client.results(0)} == {(replace(TOPICS, moved=()),)}


async def test_names_of_topics_go_when_a_newer_result_comes_and_when_their_texts_do(file_url: str) -> None:
    now = [NOW_MS]
    async with running_hub(file_url, now=lambda: now[0]) as hub:
        rule = {"content": "Redacted", "keepForSeconds": 7_200, "maxBodyBytes": 1_000}
        await hub.client.put_rules({"retail/chat": rule})
        for to_ms in (NOW_MS - 10, NOW_MS, NOW_MS - 20):
            await hub.client.put_result(result(to_ms=to_ms, tests=(TOPICS,)))
        assert {one.to_ms: len(one.tests[0].moved) for one in await hub.client.results(0)} == {
            NOW_MS - 20: 0, NOW_MS - 10: 0, NOW_MS: 1,
        }  # fmt: skip
        now[0] += 3 * HOUR_MS
        await hub.hub.sweep()
        assert {len(one.tests[0].moved) for one in await hub.client.results(0)} == {0}
        assert {one.tests[0].samples for one in await hub.client.results(0)} == {200}


async def test_no_text_that_a_test_brings_is_kept_as_a_name(file_url: str) -> None:
    async with running_hub(file_url) as hub:
        labels = ("card-stolen", "my card was stolen", "<b>", "", "10-20ms", "x" * 65)
        moved = tuple(Moved(label, 0.1, 0.0, 0.2, 0.1) for label in labels)
        await hub.client.put_result(result(tests=(replace(TOPICS, moved=moved),)))
        [kept] = await hub.client.results(0)
        assert [one.label for one in kept.tests[0].moved] == ["card-stolen", "10-20ms"]
        with pytest.raises(HubUnavailableError, match="are names"):
            await hub.client.put_result(result(tests=(replace(TOPICS, reason="a b"),)))
