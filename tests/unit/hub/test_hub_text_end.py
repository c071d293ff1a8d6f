"""Text has an end: tightening, deleting and making anew take older text from readers at once, then from the disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hub_fixtures import HOUR_MS, NOW_MS, Running, exchange, ndjson, running_hub
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.evaluation import EvaluatorFacts, WindowResult
from modelward.api.exchange import CONTENT_ORDER, Exchange, exchange_to_json
from modelward.hub import app
from modelward.hub.buffer import compress
from modelward.hub.errors import HubError
from modelward.hub.ingest import Batch, read_batch
from modelward.hub.rule_changes import changed
from modelward.hub.rules import Rule, Rules, limited
from modelward.hub.rules_format import AskedRules, rules_from_json, rules_to_json
from modelward.hub.stored import StoredLines
from modelward.hub_client.client import HubUnavailableError

PRIVATE = exchange(1, response="PRIVATE-TEXT")
REDACTED: dict[str, Any] = {"content": "Redacted", "keepForSeconds": 24 * 3_600, "uid": "first", "createdMs": 1}
BARE = {**REDACTED, "content": "MetadataOnly"}
ANEW = {**REDACTED, "uid": "second", "createdMs": NOW_MS}


class Clock:
    """A wall clock that can be set."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


def on_disk(store: Path) -> str:
    """Return all exchanges that the store holds, as the text that they are."""
    return "".join(line.decode() for path in objects(store) for line in StoredLines(path.read_bytes()))


def objects(store: Path) -> list[Path]:
    return sorted(store.rglob("*.zst"))


async def shown(hub: Running) -> list[str]:
    return [one.response for one in await hub.window()]


async def kept(hub: Running, rule: dict[str, Any] | None) -> None:
    await hub.client.put_rules({"retail/chat": rule} if rule else {})


@pytest.mark.parametrize(
    ("tighter", "left"),
    [(BARE, [""]), ({**REDACTED, "content": "None"}, []), (None, [""]), (ANEW, [])],
    ids=["metadata only", "none", "endpoint deleted", "endpoint made anew"],
)
async def test_what_a_rule_takes_away_is_unreadable_at_once_gone_at_the_next_sweep_and_never_comes_back(
    tmp_path: Path, tighter: dict[str, Any] | None, left: list[str]
) -> None:
    async with running_hub(f"file://{tmp_path}") as hub:
        await kept(hub, REDACTED)
        await hub.client.post_exchanges(ndjson(PRIVATE))
        assert await shown(hub) == ["PRIVATE-TEXT"]
        await kept(hub, tighter)
        assert await shown(hub) == left
        await kept(hub, ANEW if tighter == ANEW else REDACTED)
        assert await shown(hub) == left, "a looser rule shows only what comes after it"
        assert "PRIVATE-TEXT" in on_disk(tmp_path)
        await hub.hub.purge()
        assert "PRIVATE-TEXT" not in on_disk(tmp_path)
        assert await shown(hub) == left
    async with running_hub(f"file://{tmp_path}") as again:
        assert await shown(again) == left


async def test_what_an_older_collector_still_spooled_comes_under_no_looser_rule(file_url: str) -> None:
    clock = Clock()
    async with running_hub(file_url, now=clock) as hub:
        for rule in (REDACTED, BARE, REDACTED):
            await kept(hub, rule)
        clock.now_ms += 60_000
        await hub.client.post_exchanges(ndjson(PRIVATE, exchange(2, time_ms=clock.now_ms, response="younger")))
        assert [one.response for one in await hub.client.window("retail", "chat", 0, clock.now_ms + 1, 9)] == [
            "",
            "younger",
        ]


async def test_a_batch_that_is_being_read_while_the_rule_is_tightened_leaves_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was decided by the rule before is decided again."""
    async with running_hub(f"file://{tmp_path}") as hub:
        await kept(hub, REDACTED)
        store, reads = hub.hub.store, list[Batch]()

        def slowly(*arguments: Any) -> Batch:
            reads.append(read_batch(*arguments))
            if len(reads) == 1:
                bare = AskedRules({"retail/chat": Rule("MetadataOnly", uid="first")})
                store.rules = changed(store.rules, bare, NOW_MS, store.newest_ms)
            return reads[-1]

        monkeypatch.setattr(app, "read_batch", slowly)
        await hub.client.post_exchanges(ndjson(PRIVATE))
        assert len(reads) == 2
        assert "PRIVATE-TEXT" not in on_disk(tmp_path)


async def test_a_window_that_is_read_while_its_hour_is_joined_misses_nothing(tmp_path: Path) -> None:
    clock = Clock()
    async with running_hub(f"file://{tmp_path}", now=clock) as hub:
        for number in range(6):
            await hub.client.post_exchanges(ndjson(exchange(number)))
        clock.now_ms += 4 * HOUR_MS
        get, reads = hub.hub.store.objects.get, list[str]()

        async def joining(path: str) -> bytes | None:
            reads.append(path)
            if len(reads) == 2:
                await hub.hub.sweep()
            return await get(path)

        hub.hub.store.objects.get = joining  # type: ignore[method-assign]
        assert len(await hub.window()) == 6


async def test_raw_text_goes_when_only_redacted_text_is_wanted_and_redacted_text_stays(tmp_path: Path) -> None:
    async with running_hub(f"file://{tmp_path}") as hub:
        await kept(hub, {**REDACTED, "content": "Full"})
        await hub.client.post_exchanges(ndjson(replace(PRIVATE, content="Full"), exchange(2, response="masked")))
        await kept(hub, REDACTED)
        await kept(hub, {**REDACTED, "content": "Full"})
        await hub.hub.purge()
        assert await shown(hub) == ["masked", ""]
        assert "PRIVATE-TEXT" not in on_disk(tmp_path)


async def test_deleting_an_endpoint_keeps_nothing_longer_than_its_last_rule_said(tmp_path: Path) -> None:
    clock = Clock()
    async with running_hub(f"file://{tmp_path}", now=clock) as hub:
        await kept(hub, {**REDACTED, "keepForSeconds": 3_600})
        await hub.client.post_exchanges(ndjson(PRIVATE))
        await kept(hub, None)
        clock.now_ms += 2 * HOUR_MS
        assert await hub.client.post_exchanges(ndjson(exchange(5_000))) == (0, 1), "it is too old for the last rule"
        await hub.hub.sweep()
        assert on_disk(tmp_path) == ""
        await hub.hub.sweep()
        assert hub.hub.store.rules.by_endpoint == {}, "the rule ends with what it governs"


async def test_a_namespace_made_anew_by_others_sees_neither_exchanges_nor_results_of_the_one_before(
    file_url: str,
) -> None:
    facts = EvaluatorFacts("PII", "1")
    before = WindowResult("retail", "chat", "p", "e", NOW_MS - HOUR_MS, NOW_MS - 1, "run", facts)
    after = replace(before, from_ms=NOW_MS, to_ms=NOW_MS + 1)
    async with running_hub(file_url) as hub:
        await kept(hub, REDACTED)
        # The clock of the collector was ahead: by its time it was after the new endpoint was made.
        await hub.client.post_exchanges(ndjson(PRIVATE, exchange(2, time_ms=NOW_MS + 30_000, response="ahead")))
        await hub.client.put_result(before)
        await kept(hub, ANEW)
        await hub.client.put_result(after)
        assert await hub.client.window("retail", "chat", 0, NOW_MS + HOUR_MS, 9) == []
        assert await hub.client.exchange("retail", "chat", PRIVATE.id) is None
        assert await hub.client.results(0) == [after]
        await hub.hub.sweep()
        assert [key.to_ms for key in hub.hub.results._shares.all_keys()] == [NOW_MS + 1]


async def test_a_look_back_at_a_time_before_the_endpoint_was_made_is_told_what_it_found(file_url: str) -> None:
    facts = EvaluatorFacts("PII", "1")
    async with running_hub(file_url) as hub:
        await kept(hub, {**REDACTED, "createdMs": NOW_MS - 1_000})
        back = WindowResult("retail", "chat", "p", "e", NOW_MS - HOUR_MS, NOW_MS - 2_000, "look-back", facts)
        await hub.client.put_result(back)
        await hub.hub.sweep()
        assert await hub.client.results(0) == [back]
        await kept(hub, ANEW)
        assert await hub.client.results(0) == []


async def test_the_late_word_of_an_operator_that_knows_only_the_endpoint_before_changes_nothing(file_url: str) -> None:
    async with running_hub(file_url) as hub:
        await kept(hub, ANEW)
        await kept(hub, {**REDACTED, "content": "Full"})
        rule = hub.hub.store.rules.of("retail/chat")
        assert (rule.uid, rule.content) == ("second", "Redacted")


async def test_a_rule_that_cannot_be_read_changes_nothing_and_holds_up_no_other(file_url: str) -> None:
    async with running_hub(file_url) as hub:
        await hub.client.put_rules({"retail/chat": REDACTED})
        bad: dict[str, Any] = {"content": "Everything"}
        worse: Any = []
        rows = {"retail/chat": bad, "b/x": worse, "c/y": {"keepForSeconds": 0}, "d/z": BARE}
        refused = await hub.client.put_rules(rows)
        assert sorted(refused) == ["b/x", "c/y", "retail/chat"]
        assert hub.hub.store.rules.of("retail/chat").content == "Redacted"
        assert hub.hub.store.rules.of("d/z").keep_for_s == BARE["keepForSeconds"]
        with pytest.raises(HubUnavailableError, match="not rules"):
            await hub.client.ask("PUT", "/v1/rules", json=[])


async def test_damaged_rules_show_metadata_only_until_the_operator_sends_them_again_and_cost_no_text(
    tmp_path: Path,
) -> None:
    async with running_hub(f"file://{tmp_path}") as hub:
        hub.hub.store.rules = Rules()
        await kept(hub, REDACTED)
        await hub.client.post_exchanges(ndjson(PRIVATE))
    (tmp_path / "rules.json").write_bytes(b'{"rules": {"retail/chat": ')
    async with running_hub(f"file://{tmp_path}") as hub:
        hub.hub.store.rules = replace(hub.hub.store.rules, default=Rule())
        assert await shown(hub) == [""]
        await hub.hub.purge()
        await kept(hub, REDACTED)
        await hub.hub.purge()
        assert await shown(hub) == ["PRIVATE-TEXT"]


async def test_rules_that_the_store_did_not_take_are_in_force_and_stored_when_they_come_again(tmp_path: Path) -> None:
    async with running_hub(f"file://{tmp_path}") as hub:
        put, failing = hub.hub.store.objects.put, True

        async def refusing(path: str, data: bytes) -> None:
            if failing:
                raise HubError(507, "StoreFull", "full")
            await put(path, data)

        hub.hub.store.objects.put = refusing  # type: ignore[method-assign]
        with pytest.raises(HubUnavailableError, match="full"):
            await kept(hub, BARE)
        assert hub.hub.store.rules.of("retail/chat").content == "MetadataOnly"
        failing = False
        await kept(hub, BARE)
        assert orjson.loads((tmp_path / "rules.json").read_bytes())["rules"]["retail/chat"]["content"] == "MetadataOnly"


async def test_text_that_release_0_1_0_left_behind_a_tightened_rule_goes_too(tmp_path: Path) -> None:
    async with running_hub(f"file://{tmp_path}") as hub:
        await hub.client.post_exchanges(ndjson(PRIVATE, replace(PRIVATE, endpoint="retail/gone")))
    stored = {"rules": {"retail/chat": {"content": "MetadataOnly", "keepForSeconds": 3_600, "maxBodyBytes": 10}}}
    (tmp_path / "rules.json").write_bytes(orjson.dumps(stored))
    async with running_hub(f"file://{tmp_path}") as hub:
        hub.hub.store.rules = replace(hub.hub.store.rules, default=Rule())
        await kept(hub, BARE)
        await hub.hub.purge()
        assert "PRIVATE-TEXT" not in on_disk(tmp_path)
        assert await shown(hub) == [""]
        await hub.hub.purge()
        assert not hub.hub.store.rules.unswept


@pytest.mark.parametrize("damage", [b"", b"\x28\xb5\x2f\xfd broken"], ids=["cut", "garbage"])
async def test_text_that_can_no_longer_be_read_goes_too_and_what_can_be_stays(tmp_path: Path, damage: bytes) -> None:
    many = [exchange(i, response="PRIVATE-TEXT") for i in range(200)]
    async with running_hub(f"file://{tmp_path}") as hub:
        await kept(hub, REDACTED)
        await hub.client.post_exchanges(ndjson(PRIVATE))
        path = objects(tmp_path)[0]
        whole = path.read_bytes()
        path.write_bytes(whole + compress([orjson.dumps(exchange_to_json(one)) for one in many])[:-300] + damage)
        await kept(hub, BARE)
        await hub.hub.purge()
        assert "PRIVATE-TEXT" not in on_disk(tmp_path)
        assert PRIVATE.id in {one.id for one in await hub.window()}


async def test_an_endpoint_whose_objects_cannot_be_deleted_holds_up_no_others_purge(tmp_path: Path) -> None:
    async with running_hub(f"file://{tmp_path}") as hub:
        other = replace(PRIVATE, endpoint="a/broken")
        await hub.client.put_rules({"retail/chat": REDACTED, "a/broken": REDACTED})
        await hub.client.post_exchanges(ndjson(PRIVATE, other))
        await hub.client.put_rules({"retail/chat": BARE, "a/broken": BARE})
        get = hub.hub.store.objects.get

        async def refusing(path: str) -> bytes | None:
            if "a/broken" in path:
                raise HubError(503, "StoreUnavailable", "no")
            return await get(path)

        hub.hub.store.objects.get = refusing  # type: ignore[method-assign]
        with pytest.raises(HubError):
            await hub.hub.purge()
        assert hub.hub.store.rules.unswept == {"a/broken"}
        assert on_disk(tmp_path).count("PRIVATE-TEXT") == 1


RULES = st.builds(
    Rule,
    content=st.sampled_from(CONTENT_ORDER),
    keep_for_s=st.sampled_from([60, 3_600, 24 * 3_600]),
    uid=st.sampled_from(["", "first"]),
    created_ms=st.sampled_from([0, 1, 5_000]),
)


@given(
    st.lists(st.tuples(st.integers(0, 7_200_000), st.none() | RULES), max_size=12),
    st.sampled_from(CONTENT_ORDER[1:]),
    st.integers(-3_600_000, 600_000),
)
def test_whatever_rules_follow_each_other_nothing_that_was_hidden_is_shown_again(
    steps: list[tuple[int, Rule | None]], content: Any, began: int
) -> None:
    now_ms = NOW_MS
    one = exchange(1, time_ms=now_ms + began, content=content, response="x")
    rules = changed(Rules(), AskedRules({"retail/chat": Rule("Full")}), now_ms, lambda _: one.time_ms)
    best = _shown(one, rules, now_ms)
    for later_ms, rule in steps:
        now_ms += later_ms
        asked = AskedRules({"retail/chat": rule} if rule else {})
        following = changed(rules, asked, now_ms, lambda _: one.time_ms)
        rank = _shown(one, following, now_ms)
        assert rank <= best
        if rank < _shown(one, rules, now_ms) and limited(one, rules.of("retail/chat"), now_ms):
            keep_for_s = following.of("retail/chat").keep_for_s
            assert "retail/chat" in following.unswept or one.time_ms < now_ms - keep_for_s * 1_000
        assert rules_from_json(orjson.loads(orjson.dumps(rules_to_json(following))), Rule()) == (following, [])
        best, rules = rank, following


def _shown(one: Exchange, rules: Rules, now_ms: int) -> int:
    left = limited(one, rules.of(one.endpoint), now_ms)
    return CONTENT_ORDER.index(left.content) if left else 0
