"""The hub tells what came late, so that windows are judged once more."""

from __future__ import annotations

import pytest
from hub_fixtures import NOW_MS, exchange, ndjson, running_hub

from modelward.api.evaluation import Late
from modelward.hub.lateness import Lateness
from modelward.hub.layout import ExchangeObject


def item(
    first_ago_s: int, last_ago_s: int = 0, *, now_ms: int = NOW_MS, endpoint: str = "retail/chat"
) -> ExchangeObject:
    return ExchangeObject(endpoint, "2026112400", now_ms - first_ago_s * 1_000, now_ms - last_ago_s * 1_000, 1, "a")


async def test_what_a_collector_could_not_send_for_a_minute_is_told_with_its_span() -> None:
    async with running_hub("memory://") as r:
        await r.client.post_exchanges(ndjson(exchange(2)))
        assert [held.late for held in await r.client.endpoints()] == [()]
        await r.client.post_exchanges(ndjson(exchange(90), exchange(30)))
        (held,) = await r.client.endpoints()
        assert held.late == (Late(NOW_MS - 90_000, NOW_MS - 30_000, NOW_MS),)


@pytest.mark.parametrize(("ago_s", "told"), [(10, 0), (11, 1)])
def test_what_comes_as_collectors_send_is_not_late(ago_s: int, told: int) -> None:
    known = Lateness()
    known.arrived(item(ago_s), NOW_MS)
    assert len(known.of("retail/chat", NOW_MS)) == told
    assert known.of("other/chat", NOW_MS) == []


def test_batches_of_one_spool_are_one_span_and_it_is_told_for_two_hours() -> None:
    known = Lateness()
    for second in range(5):
        now_ms = NOW_MS + second * 1_000
        known.arrived(item(60 - second, 50, now_ms=now_ms), now_ms)
    (told,) = known.of("retail/chat", now_ms)
    assert told == Late(NOW_MS - 60_000, now_ms - 50_000, now_ms)
    assert known.of("retail/chat", now_ms + 2 * 3_600_000) == []


def test_a_clock_that_is_behind_makes_many_short_spans_and_no_endless_one() -> None:
    known = Lateness()
    for second in range(4_000):
        now_ms = NOW_MS + second * 1_000
        known.arrived(item(15, 14, now_ms=now_ms), now_ms)
    told = known.of("retail/chat", now_ms)
    assert len(told) == 32
    assert max(one.last_ms - one.first_ms for one in told) <= 75_000


def test_endpoints_without_end_take_bounded_memory() -> None:
    known = Lateness()
    for number in range(10_005):
        known.arrived(item(60, endpoint=f"retail/e{number}"), NOW_MS)
    assert known.of("retail/e0", NOW_MS) == []
    assert known.of("retail/e10004", NOW_MS) != []
