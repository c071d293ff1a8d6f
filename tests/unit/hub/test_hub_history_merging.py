"""In whatever order rows come, are sealed and are asked for: the answer is what counting the raw rows gives."""

from __future__ import annotations

import asyncio
from collections import Counter

from history_rows import NOW_MS, buckets, kept, part, row
from hypothesis import given, settings
from hypothesis import strategies as st
from long_form import FULL

from modelward.api.history import BOUNDS, MINUTE_MS, OUTCOMES, HistoryPart, HistoryRow, LevelSpread, ObjectiveCount
from modelward.api.series import HistoryQuery, HistorySeries
from modelward.hub.history.chunk import Chunk, chunk_from_bytes, chunk_to_bytes
from modelward.hub.history.packing import packed, unpacked
from modelward.hub.history.record import ENDPOINT, FIELDS, OBJECTIVE, PART, Record, label, merged, record_of

COUNTS = st.integers(0, 1 << 20)
PARTS = st.builds(
    HistoryPart,
    st.sampled_from(["r1", "r2"]),
    st.sampled_from(["m", "n"]),
    st.fixed_dictionaries(dict.fromkeys(OUTCOMES, COUNTS)),
    st.fixed_dictionaries({"ttft": st.lists(COUNTS, min_size=21, max_size=21).map(tuple)}),
    COUNTS,
    COUNTS,
    st.integers(0, 1 << 45),
    st.just("USD"),
)
LEVEL = st.lists(st.integers(0, 99), min_size=1, max_size=4).map(
    lambda some: LevelSpread(len(some), sum(some), min(some), max(some))
)
ROWS = st.builds(
    lambda minute, parts, level: row(minute, parts=tuple(parts), levels={"queue": level}),
    st.integers(0, 600),
    st.lists(PARTS, max_size=2, unique_by=lambda one: (one.revision, one.model)),
    LEVEL,
)


def total(series: HistorySeries, name: str) -> int:
    return sum(value or 0 for line in series.lines if line.name == name for value in line.values)


def raw_percentile(rows: list[HistoryRow], percentile: int) -> int | None:
    """Return the upper bound of the bucket that holds a percentile, by counting one by one."""
    counted: Counter[int] = Counter()
    for one in rows:
        for some in one.parts:
            counted.update({place: n for place, n in enumerate(some.latencies["ttft"]) if n})
    rank, below = percentile * counted.total() / 100, 0
    for place in sorted(counted):
        below += counted[place]
        if below >= rank:
            return round(BOUNDS["ttft"][place] * 1e6) if place < len(BOUNDS["ttft"]) else None
    return None


async def assert_same(rows: list[HistoryRow], order: list[int], seal_after: set[int], points: int) -> None:
    async with kept() as k:
        k.clock.ms = NOW_MS + 601 * MINUTE_MS
        for number, place in enumerate(order):
            await k.put([rows[place]], epoch=f"e{place}")
            if number in seal_after:
                await k.store.seal()
        for seal in (False, True):
            if seal:
                k.clock.ms += 3 * 3_600_000
                await k.store.seal()
            for later in (0, 3 * 86_400_000, 20 * 86_400_000):  # minutes, then five of them, then hours
                k.clock.ms += later
                await assert_answers(k.store, rows, points)
                k.clock.ms -= later


async def assert_answers(store: object, rows: list[HistoryRow], points: int) -> None:
    from modelward.hub.history.store import HistoryStore

    assert isinstance(store, HistoryStore)

    async def asked(metric: str) -> HistorySeries:
        query = HistoryQuery(metric, NOW_MS, NOW_MS + 660 * MINUTE_MS, "none", points)  # type: ignore[arg-type]
        return await store.answer(("retail", "chat"), query)

    requests, tokens, cost, queue = [await asked(name) for name in ("requests", "tokens", "cost", "queue")]
    parts = [one for each in rows for one in each.parts]
    for outcome in OUTCOMES:
        assert total(requests, outcome) == sum(one.outcomes[outcome] for one in parts)
    assert total(tokens, "input") == sum(one.input_tokens or 0 for one in parts)
    assert total(cost, "cost") == sum(one.cost or 0 for one in parts)
    assert len(requests.at_ms) <= points
    spreads = [each.levels["queue"] for each in rows]
    line = next(line for line in queue.lines if line.name == "queue")
    assert min(low for low in line.low if low is not None) == min(one.lowest for one in spreads)
    assert max(high for high in line.high if high is not None) == max(one.highest for one in spreads)
    assert sum(n or 0 for n in line.n) == sum(one.readings for one in spreads)
    whole = await store.answer(("retail", "chat"), HistoryQuery("ttft", NOW_MS, NOW_MS + 660 * MINUTE_MS, "none", 1))
    p95 = [line for line in whole.lines if line.name == "p95"]
    if any(sum(one.latencies["ttft"]) for one in parts):
        assert p95[0].high[0] == raw_percentile(rows, 95)


@settings(max_examples=50 if FULL else 12, deadline=None)
@given(st.data())
def test_merging_in_any_order_and_tier_is_counting(data: st.DataObject) -> None:
    rows = data.draw(st.lists(ROWS, min_size=1, max_size=12))
    order = data.draw(st.permutations(range(len(rows))))
    seal_after = data.draw(st.sets(st.integers(0, len(rows) - 1), max_size=3))
    asyncio.run(assert_same(rows, order, seal_after, data.draw(st.integers(1, 700))))


RECORDS = st.dictionaries(
    st.tuples(st.sampled_from(["", "p\x1fr\x1fm\x1fUSD", "o\x1fp\x1fo"]), st.sampled_from(FIELDS)),
    st.integers(1, (1 << 64) - 1),
)


@given(RECORDS)
def test_a_row_is_the_same_after_packing(record: Record) -> None:
    labels: dict[int, str] = {}

    def number(text: str) -> int:
        known = {name: place for place, name in labels.items()}
        labels.setdefault(known.get(text, len(labels)), text)
        return known.get(text, len(labels) - 1)

    assert unpacked(packed(record, number), labels) == record


@given(st.dictionaries(st.integers(0, 167), RECORDS, max_size=9))
def test_a_chunk_is_the_same_after_its_bytes(rows: dict[int, Record]) -> None:
    chunk = Chunk()
    chunk.add(rows)
    assert chunk_from_bytes(chunk_to_bytes(chunk)).records() == rows


@given(st.lists(RECORDS, max_size=5), st.randoms())
def test_records_can_be_added_in_any_order(records: list[Record], random: object) -> None:
    shuffled = list(records)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    halves = [merged(shuffled[: len(shuffled) // 2]), merged(shuffled[len(shuffled) // 2 :])]
    assert merged(records) == merged(halves)


def test_parts_and_objectives_of_one_name_add_up_in_a_row_and_what_is_zero_takes_no_room() -> None:
    twice = row(
        parts=(part(), part(cost=None)), objectives=(ObjectiveCount("p", "o", 3, 0), ObjectiveCount("p", "o", 4, 1))
    )
    record = record_of(twice)
    of = label(PART, "r1", "m", "USD")
    assert (record[of, "ok"], record[of, "error"], record[of, "cost"]) == (18, 2, 300)
    assert record[ENDPOINT, "given.cost"] == 1, "a part that tells it is enough"
    objective = label(OBJECTIVE, "p", "o")
    assert (record[objective, "events"], record[objective, "bad"]) == (7, 1)
    assert (of, "client_error") not in record
    assert all(record.values())


def test_what_has_too_many_revisions_is_counted_as_others() -> None:
    """A chunk's size has a bound; no request is lost to it."""
    chunk = Chunk()
    for number in range(60):
        one = part(number + 1, errors=0, revision=f"r{number:02d}", currency="USD" if number % 2 else "EUR")
        chunk.add({number: record_of(row(number, parts=(one,)))})
    labels = {text for text, _ in chunk.columns if text.startswith("p")}
    assert len(labels) <= 16
    assert sum(sum(chunk.columns.get((text, "ok"), ())) for text in labels) == sum(range(1, 61))
    ttft = [sum(chunk.columns.get((text, "ttft.0"), ())) for text in labels]
    assert sum(ttft) == sum(range(1, 61))
    assert buckets(1)[0] == 1
