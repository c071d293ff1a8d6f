"""What callers cost by day: kept in the hub, bounded by names, and named to those who may read text."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from history_rows import NOW_MS, batch, kept, row
from people_fixtures import retail_and_bank
from secured_hub import OPERATOR, Cluster, refused, secured_hub

from modelward.api.budget import COST_UNITS, DAY_MS
from modelward.api.collector_config import MOST_CALLERS
from modelward.api.history import MINUTE_MS, CallerCount, HistoryRow, row_from_json, row_to_json
from modelward.api.series import HistoryQuery, HistorySeries
from modelward.hub_client.shown import Telling

EUR = COST_UNITS
RETAIL = CallerCount("retail", 2, 700, 30, 1, {"EUR": 3 * EUR})
OTHER = CallerCount("other", 1, costs={"EUR": EUR, "USD": 5})
DAYS = 3


def asked_days() -> HistoryQuery:
    return HistoryQuery("callers", NOW_MS - DAYS * DAY_MS + DAY_MS, NOW_MS + DAY_MS, points=DAYS)


def costs(found: HistorySeries) -> dict[tuple[str, str], tuple[int | None, ...]]:
    return {(line.caller, line.currency): line.values for line in found.lines if line.name == "cost"}


def test_a_row_with_callers_is_the_same_after_json() -> None:
    one = row(callers=(RETAIL, OTHER))
    assert row_from_json(row_to_json(one)) == one


@pytest.mark.parametrize(
    "callers",
    [
        [["a", 1, 1, 1, 1, {str(n): 1 for n in range(9)}]],
        [["a", -1, 1, 1, 1, {}]],
        [["a", 1]],
        [[f"c{n}", 1, 1, 1, 1, {}] for n in range(MOST_CALLERS + 2)],
    ],
)
def test_rows_with_callers_that_are_none_are_refused(callers: list[list[object]]) -> None:
    with pytest.raises((ValueError, TypeError)):
        row_from_json({**row_to_json(row()), "callers": callers})


async def test_what_a_caller_cost_is_told_by_utc_day_before_and_after_sealing() -> None:
    async with kept() as k:
        await k.put([row(-1, callers=(RETAIL,)), row(0, callers=(RETAIL, OTHER)), row(1, callers=(RETAIL,))])
        for later in (0, 300):
            k.clock.ms += later * MINUTE_MS
            await k.store.seal()
            found = await k.store.answer(("retail", "chat"), asked_days())
            assert found.at_ms == (NOW_MS - 2 * DAY_MS, NOW_MS - DAY_MS, NOW_MS)
            assert costs(found) == {
                ("retail", "EUR"): (0, 3 * EUR, 6 * EUR),
                ("other", "EUR"): (0, 0, EUR),
                ("other", "USD"): (0, 0, 5),
            }
            sums = {(one.caller, one.name): sum(n or 0 for n in one.values) for one in found.lines if not one.currency}
            assert sums == {
                ("retail", "asked"): 6,
                ("retail", "input"): 2_100,
                ("retail", "output"): 90,
                ("retail", "unpriced"): 3,
                ("other", "asked"): 1,
            }
            assert [line.name for line in (await k.asked("tokens", (0, 1))).lines] == ["input", "output"]


async def test_callers_without_end_lose_their_names_and_none_of_their_cost() -> None:
    def minutes() -> Iterable[HistoryRow]:
        for minute in range(168):
            names = tuple(CallerCount(f"c{minute}-{n}", 1, costs={"EUR": EUR}) for n in range(5))
            yield row(minute, callers=(CallerCount("dear", 1, costs={"EUR": 9 * EUR}), *names))

    async with kept() as k:
        k.clock.ms = NOW_MS + 180 * MINUTE_MS
        await k.store.put(batch(*minutes()))
        k.clock.ms += DAY_MS
        await k.store.seal()
        found = await k.store.answer(("retail", "chat"), HistoryQuery("callers", NOW_MS, NOW_MS + DAY_MS, points=1))
        told = costs(found)
        assert len(told) <= MOST_CALLERS + 1
        assert told["dear", "EUR"] == (9 * 168 * EUR,)
        assert sum(value or 0 for (value,) in told.values()) == (9 + 5) * 168 * EUR


async def test_callers_are_deleted_with_their_namespace(tmp_path: Path) -> None:
    async with kept(tmp_path / "history.db") as k:
        await k.put([row(0, callers=(RETAIL,)), row(0, "bank/chat", callers=(OTHER,))])
        before = await k.store.used()
        await k.store.purge("retail")
        assert costs(await k.store.answer(("retail", "chat"), asked_days())) == {}
        assert ("other", "EUR") in costs(await k.store.answer(("bank", "chat"), asked_days()))
        assert await k.store.used() == {"bank": before["bank"]}


async def test_who_asked_is_told_to_those_who_may_read_text_and_to_no_other_tenant(
    cluster: Cluster, tmp_path: Path
) -> None:
    async with secured_hub(cluster, tmp_path, now=lambda: NOW_MS + 2 * MINUTE_MS) as s:
        async with s.client(*OPERATOR) as operator:
            await operator.put_objects(retail_and_bank(), telling=Telling("all", last=True))
        await s.hub.history.put(batch(row(0, callers=(RETAIL,)), row(0, "bank/secret-project", callers=(OTHER,))))
        told = []
        for account in ("modelward-reader", "modelward-viewer"):
            async with s.person(s.cluster.token("retail", account)) as person:
                found = await person.history("retail", "chat", asked_days())
                told.append((found.metric, {line.caller for line in found.lines}))
                assert await refused(person.history("bank", "secret-project", asked_days())) == 404
        assert told == [("callers", {"retail"}), ("cost", {""})]
