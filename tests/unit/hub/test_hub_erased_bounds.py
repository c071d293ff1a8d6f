"""Erasures are remembered for as long as a rule could let the erased in again, and no more of them than fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from hub_fixtures import HOUR_MS, NOW_MS, Running, exchange, ndjson, running_hub
from hypothesis import given
from hypothesis import strategies as st

from modelward.hub import erased as erasures
from modelward.hub.erased import Erased, bounded, erased_from_json, erased_to_json
from modelward.hub.rule_changes import AHEAD_MS
from modelward.hub.store import PURGE_S
from modelward.hub.upkeep import purge, sweep

DAY_MS = 24 * HOUR_MS
WEEK = {"content": "Redacted", "keepForSeconds": 168 * 3_600}
MONTH = {"content": "Redacted", "keepForSeconds": 720 * 3_600}


async def tidied(hub: Running) -> None:
    await purge(hub.hub.store)
    await sweep(hub.hub.store, hub.hub.results)


@pytest.mark.parametrize(("rule", "days"), [(WEEK, 7), (MONTH, 30)])
@pytest.mark.parametrize("target", [{"exchange": "e1"}, {}])
async def test_an_erasure_holds_as_long_as_text_may_come_late_and_is_then_forgotten(
    tmp_path: Path, rule: dict[str, object], days: int, target: dict[str, str]
) -> None:
    clock = [NOW_MS]
    async with running_hub(f"file://{tmp_path}", now=lambda: clock[0]) as hub:
        await hub.client.put_rules({"retail/chat": rule})
        await hub.client.post_exchanges(ndjson(exchange(1)))
        await hub.client.erase({"namespace": "retail", "endpoint": "chat", **target})
        began_ms = exchange(1).time_ms
        clock[0] = began_ms + days * DAY_MS - 1
        await tidied(hub)
        assert hub.hub.store.rules.erased, "it could still be let in"
        assert (await hub.client.post_exchanges(ndjson(exchange(1))))[0] == 0
        clock[0] = NOW_MS + days * DAY_MS + int(PURGE_S * 1_000) + 2 * AHEAD_MS
        await tidied(hub)
        assert hub.hub.store.rules.erased == {}
        assert (await hub.client.post_exchanges(ndjson(exchange(1))))[0] == 0, "it is too old for any rule"


async def test_more_erasures_than_are_remembered_become_a_time_before_which_nothing_comes_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures, "MOST_MARKS", 2)
    clock = [NOW_MS]
    async with running_hub(f"file://{tmp_path}", now=lambda: clock[0]) as hub:
        await hub.client.put_rules({"retail/chat": WEEK})
        await hub.client.post_exchanges(ndjson(*(exchange(number) for number in range(1, 8))))
        for number in range(1, 6):
            clock[0] += 1_000
            await hub.client.erase({"namespace": "retail", "endpoint": "chat", "exchange": f"e{number}"})
        await tidied(hub)
        marks = hub.hub.store.rules.erased["retail/chat"]
        assert set(marks.exchanges) == {"e4", "e5"}
        held = await hub.client.window("retail", "chat", NOW_MS - HOUR_MS, NOW_MS + HOUR_MS, 100)
        assert {one.id for one in held} == {"e6", "e7"}, "what is held stays"
        late = ndjson(*(exchange(number) for number in range(1, 6)))
        assert (await hub.client.post_exchanges(late))[0] == 0
        new = exchange(9, time_ms=clock[0] + AHEAD_MS)
        assert await hub.client.post_exchanges(ndjson(new)) == (1, 0)
    async with running_hub(f"file://{tmp_path}", now=lambda: clock[0]) as again:
        assert (await again.client.post_exchanges(late))[0] == 0


times = st.dictionaries(st.text("abc", min_size=1, max_size=2), st.integers(1, 50), max_size=6)
marks = st.builds(Erased, st.integers(0, 50), times, times, st.integers(0, 50))


def _erased_by(mark: Erased, name: str, at_ms: int) -> bool:
    times = (mark.before_ms, mark.late_before_ms, mark.conversations.get(name, 0), mark.exchanges.get(name, -5) + 5)
    return at_ms < max(times)


@given(st.dictionaries(st.sampled_from(["ns", "ns/a", "ns/b", "ns/c"]), marks))
def test_whatever_is_refused_before_is_refused_after(found: dict[str, Erased]) -> None:
    before = dict(found)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(erasures, "MOST_MARKS", 3)
        patch.setattr(erasures, "MOST_SCOPES", 2)
        after = bounded(found, "ns", 5)
    assert found == before
    assert sum(len(one.exchanges) + len(one.conversations) for one in after.values()) <= 3
    assert len(after) <= 3
    for scope in ("ns/a", "ns/b", "ns/c"):
        for at_ms in range(0, 50, 7):
            for name in ("a", "ab"):
                one = exchange(1, id=name, conversation=name, time_ms=at_ms)
                if any(_erased_by(before.get(where, Erased()), name, at_ms) for where in ("ns", scope)):
                    assert any(after.get(where, Erased()).refuses(one) for where in ("ns", scope))


def test_what_is_stored_is_read_again_and_earlier_releases_have_no_time() -> None:
    whole = Erased(1, {"a": 2}, {"b": 3}, 4)
    assert erased_from_json(erased_to_json(whole)) == whole
    assert "lateBeforeMs" not in erased_to_json(Erased(1))
