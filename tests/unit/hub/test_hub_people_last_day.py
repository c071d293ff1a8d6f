"""A list shows what was asked in the last day, tells quiet from not watched, and asks the history now and then."""

from __future__ import annotations

from history_rows import NOW_MS, kept, part, row

from modelward.api.series import HistoryQuery, HistorySeries
from modelward.api.views import FleetRow
from modelward.hub.people.last_day import SLOT_MS, SLOTS, LastDay

CHAT = FleetRow(namespace="retail", name="chat", need="Well", health="Healthy")


async def test_requests_are_told_from_quiet_and_quiet_from_what_was_not_watched() -> None:
    async with kept() as store:
        await store.put(
            [row(minute, parts=(part(requests=10 if minute < 15 else 0, errors=0),)) for minute in range(30)]
        )
        store.clock.ms = NOW_MS + 45 * 60_000
        (found, other) = await LastDay(store.store, store.clock).added([CHAT, replace_name(CHAT, "other")])
        assert len(found.asked) == SLOTS
        assert found.asked[-3:] == (150, 0, None)
        assert set(found.asked[:-3]) == {None}
        assert other.asked == ()


async def test_the_same_page_again_asks_the_history_once_in_five_minutes() -> None:
    async with kept() as store:
        await store.put([row(0)])
        asked: list[HistoryQuery] = []

        class Counting:
            async def answer(self, endpoint: tuple[str, str], query: HistoryQuery) -> HistorySeries:
                asked.append(query)
                return await store.store.answer(endpoint, query)

        day = LastDay(Counting(), store.clock)  # type: ignore[arg-type]
        store.clock.ms = NOW_MS + SLOT_MS
        for _ in range(3):
            await day.added([CHAT])
        assert len(asked) == 1
        store.clock.ms += 5 * 60_000
        await day.added([CHAT])
        assert len(asked) == 2


def replace_name(one: FleetRow, name: str) -> FleetRow:
    return one.model_copy(update={"name": name})
