"""What history keeps, for how long, of whom, and how it answers."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from history_rows import NOW_MS, ROOM, batch, buckets, kept, part, row

from modelward.api.evaluation import Counts, EvaluatorFacts, WindowResult
from modelward.api.history import MINUTE_MS
from modelward.api.series import HistoryQuery
from modelward.hub.history.retention import HistoryBounds
from modelward.hub.history.tiers import CHUNK_ROWS

DAY = 24 * 60


async def test_a_gap_is_told_from_no_traffic() -> None:
    async with kept() as k:
        idle = part(0, 0, latencies={"ttft": buckets(0)}, input_tokens=0, output_tokens=0, cost=0)
        await k.put([row(0), row(1, parts=(idle,)), row(3)])
        series = await k.asked("requests", (0, 4))
        ok = next(line for line in series.lines if line.name == "ok")
        assert (ok.values, series.seen) == ((9, 0, None, 9), (1_000_000, 1_000_000, 0, 1_000_000))
        errors = await k.asked("errors", (0, 4))
        assert errors.lines[0].n == (10, 0, None, 10)
        assert errors.lines[0].values == (100_000, None, None, 100_000)
        low, high = errors.lines[0].low[0], errors.lines[0].high[0]
        assert (low or 0) < 100_000 < (high or 0)


async def test_what_a_page_does_not_say_is_not_made_up() -> None:
    async with kept() as k:
        await k.put([row(0, parts=(part(outcomes={"ok": 9}, latencies={}, input_tokens=None, cost=None),))])
        assert [line.name for line in (await k.asked("requests", (0, 1))).lines] == ["ok"]
        assert [line.name for line in (await k.asked("tokens", (0, 1))).lines] == ["output"]
        for metric in ("errors", "ttft", "cost", "kv"):
            assert (await k.asked(metric, (0, 1))).lines == ()


async def test_a_batch_counts_once_and_two_leaders_of_a_minute_add_up() -> None:
    async with kept() as k:
        first, again, other = batch(row(0)), batch(row(0)), batch(row(0, covered_ms=0), epoch="next")
        assert (await k.store.put(first)).new
        assert not (await k.store.put(again)).new
        assert (await k.store.put(other)).new
        series = await k.asked("requests", (0, 1))
        assert {line.name: line.values for line in series.lines}["ok"] == (18,)


async def test_percentiles_are_of_merged_counts_and_say_their_bucket() -> None:
    """Nine in ten of the requests are in the slow minute; the mean of the two minutes' percentiles is far off."""
    async with kept() as k:
        slow = (*(0,) * 19, 90, 0)
        await k.put([row(0, parts=(part(10, 0, buckets(10)),)), row(1, parts=(part(90, 0, slow),))])
        (p50,) = [line for line in (await k.asked("ttft", (0, 2), points=1)).lines if line.name == "p50"]
        assert (p50.low, p50.high, p50.n) == ((60_000_000,), (120_000_000,), (100,))


async def test_revisions_and_models_are_told_apart_where_that_is_asked() -> None:
    async with kept() as k:
        parts = (part(10), part(4, 0, revision="r2", model="n"), part(2, 0, revision="r2"))
        await k.put([row(0, parts=parts)])
        by_revision = await k.asked("requests", (0, 1), by="revision")
        assert {line.revision: line.values for line in by_revision.lines if line.name == "ok"} == {
            "r1": (9,),
            "r2": (6,),
        }
        by_model = await k.asked("requests", (0, 1), by="model")
        assert {line.model: line.values for line in by_model.lines if line.name == "ok"} == {"m": (11,), "n": (4,)}


async def test_a_check_has_its_interval_and_a_window_that_is_judged_again_counts_once() -> None:
    def window(flagged: int, run: str = "modelward-20261127-100000") -> WindowResult:
        counts = Counts(20, flagged, weight=20.0, weight_squared=20.0, flagged_weight=float(flagged))
        facts = EvaluatorFacts("PII", "1")
        return WindowResult("retail", "chat", "p", "pii", NOW_MS, NOW_MS + 9 * MINUTE_MS, run, facts, {"r1": counts})

    async with kept() as k:
        k.clock.ms += 10 * MINUTE_MS
        for flagged in (3, 5):
            await k.store.put_windows([window(flagged)])
        for later in (0, 30 * 60):  # staged, then sealed
            k.clock.ms += later * MINUTE_MS
            await k.store.seal()
            await k.store.put_windows([window(9)] if later else [])  # settled: it stays as it is
            (line,) = (await k.asked("checks", (0, 10), points=1)).lines
            assert (line.name, line.policy, line.n, line.values) == ("pii", "p", (20,), (250_000,))
            assert 0 < (line.low[0] or 0) < 250_000 < (line.high[0] or 0)


async def test_objectives_add_up_over_a_period_with_the_share_that_was_seen() -> None:
    async with kept() as k:
        await k.put([row(minute) for minute in range(0, 400, 2)])
        await k.store.seal()
        k.clock.ms = NOW_MS + 400 * MINUTE_MS
        found = await k.store.period(("retail", "chat"), NOW_MS, NOW_MS + 400 * MINUTE_MS)
        assert [(one.policy, one.name, one.events, one.bad) for one in found.objectives] == [
            ("baseline", "errors", 2_000, 200)
        ]
        assert (found.seen, found.from_ms, found.to_ms) == (500_000, NOW_MS, NOW_MS + 400 * MINUTE_MS)


async def test_a_year_is_a_thousand_points_of_hours_and_no_question_reads_more_rows() -> None:
    async with kept() as k:
        await k.put([row(0)])
        k.clock.ms = NOW_MS + 399 * DAY * MINUTE_MS
        year = await k.store.answer(
            ("retail", "chat"), HistoryQuery("requests", k.clock.ms - 399 * 86_400_000, k.clock.ms)
        )
        assert (year.tier, len(year.at_ms)) == ("1h", 958)
        ages = await k.store.answer(("retail", "chat"), HistoryQuery("requests", 0, (1 << 47) - 1))
        assert (ages.tier, len(ages.at_ms) <= 1_000) == ("1d", True)


async def test_rows_of_another_time_are_refused_and_told() -> None:
    """A clock that jumped writes nothing into years to come, and nothing into what is settled."""
    async with kept() as k:
        k.clock.ms += 40 * 60 * MINUTE_MS
        taken = await k.store.put(batch(row(0), row(40 * 60), row(40 * 60 + 60)))
        assert (taken.new, taken.rejected) == (True, 2)


async def test_a_clock_that_is_set_back_and_forth_loses_no_row() -> None:
    async with kept() as k:
        await k.put([row(minute) for minute in range(120)], epoch="a")
        k.clock.ms = NOW_MS + 60 * MINUTE_MS
        await k.put([row(minute) for minute in range(60, 64)], epoch="b")
        for hours in (3, -2, 8):
            k.clock.ms += hours * 3_600_000
            await k.store.seal()
        series = await k.asked("requests", (0, 200), points=1)
        assert {line.name: line.values for line in series.lines}["ok"] == (124 * 9,)


async def test_a_tenant_beyond_its_share_loses_its_own_oldest_and_the_other_stays_to_the_byte(tmp_path: Path) -> None:
    def quiet_rows() -> list[tuple[object, ...]]:
        with sqlite3.connect(tmp_path / "h.db") as connection:
            return connection.execute(
                "SELECT c.tier, c.start, c.data FROM chunks c JOIN endpoints e ON e.id = c.endpoint "
                "WHERE e.name = 'quiet' ORDER BY c.tier, c.start"
            ).fetchall()

    bounds = HistoryBounds(8 << 20, 60_000)
    async with kept(tmp_path / "h.db", bounds) as k:
        await k.put([row(minute, "small/quiet") for minute in range(200)])
        k.clock.ms += 3 * 3_600_000
        await k.store.seal()
        before, start = quiet_rows(), k.clock.ms
        for hour in range(60):
            k.clock.ms = start + hour * 3_600_000
            first = (k.clock.ms - NOW_MS) // MINUTE_MS - 60
            loud = [row(first + m, f"loud/e{e}", covered_ms=m * 99 + e) for m in range(0, 60, 10) for e in range(9)]
            await k.store.put(batch(*loud, epoch=f"h{hour}"))
            await k.store.seal()
        used = await k.store.used()
        assert 30_000 < used["loud"] <= 60_000
        assert quiet_rows() == before
        newest = await k.asked(
            "requests",
            ((k.clock.ms - NOW_MS) // MINUTE_MS - 120, (k.clock.ms - NOW_MS) // MINUTE_MS),
            endpoint=("loud", "e1"),
        )
        assert any(newest.seen)


async def test_where_all_together_hold_too_much_only_the_large_make_way(tmp_path: Path) -> None:
    async with kept(tmp_path / "h.db", HistoryBounds(120_000, 10 << 20)) as k:
        await k.put([row(minute, "small/quiet") for minute in range(60)])
        small = (await k.store.used())["small"]
        for space in ("big", "huge"):
            for minute in range(60):
                k.clock.ms = NOW_MS + 61 * MINUTE_MS
                rows = [row(minute, f"{space}/e{e}") for e in range(20 if space == "huge" else 8)]
                await k.store.put(batch(*rows, epoch=space))
        used = await k.store.used()
        assert used["small"] == small
        assert sum(used.values()) <= 96_000
        assert used["big"] > small < used["huge"]


async def test_retention_is_by_tier_and_by_namespace() -> None:
    async with kept(bounds=HistoryBounds(8 << 20, 8 << 20, {"brief": 20 * 86_400_000})) as k:
        await k.put([row(0, "retail/chat"), row(0, "brief/chat")])
        for days, tiers in ((0.5, {0, 1, 2, 3}), (4, {1, 2, 3}), (30, {2, 3}), (410, {3}), (2_200, set())):
            k.clock.ms = NOW_MS + int(days * 86_400_000)
            await k.store.seal()
            await k.store.tidy()
            series = [
                await k.store.answer((space, "chat"), HistoryQuery("requests", NOW_MS, NOW_MS + span, points=1))
                for space in ("retail", "brief")
                for span in (86_400_000,)
            ]
            assert any(series[0].seen) == bool(tiers)
            if days == 410:
                assert not any(series[1].seen), "a namespace may keep it for a shorter time"


async def test_a_namespace_is_purged_and_no_other(tmp_path: Path) -> None:
    async with kept(tmp_path / "h.db") as k:
        await k.put([row(0, "retail/chat"), row(0, "other/chat")])
        k.clock.ms += 5 * 3_600_000
        await k.store.seal()
        await k.put([row(300, "retail/chat"), row(300, "other/chat")], epoch="b")
        await k.store.purge("retail")
        assert list(await k.store.used()) == ["other"]
        assert not any((await k.asked("requests", (0, 301))).seen)
        assert any((await k.asked("requests", (0, 301), endpoint=("other", "chat"))).seen)


async def test_reading_goes_on_beside_writing(tmp_path: Path) -> None:
    async with kept(tmp_path / "h.db", ROOM) as k:
        await k.put([row(0)])

        async def write() -> None:
            for number in range(60):
                k.clock.ms += MINUTE_MS
                await k.store.put(batch(row(number + 1), epoch=f"w{number}"))

        async def read() -> None:
            for _ in range(60):
                assert (await k.asked("requests", (0, 61), points=1)).lines

        await asyncio.gather(write(), read())
        series = await k.asked("requests", (0, 61), points=1)
        assert {line.name: line.values for line in series.lines}["ok"] == (61 * 9,)


async def test_a_day_that_comes_at_once_is_sealed_as_it_comes(tmp_path: Path) -> None:
    """Unsealed rows are read one by one, by each question: none waits for the next round of sealing."""
    path = tmp_path / "history.db"
    async with kept(path) as k:
        k.clock.ms = NOW_MS + DAY * MINUTE_MS
        await k.store.put(batch(*(row(minute) for minute in range(DAY))))
        with sqlite3.connect(path) as reader:
            (left,) = reader.execute("SELECT count(*) FROM staged").fetchone()
        assert left <= CHUNK_ROWS
        series = await k.asked("requests", (0, DAY), points=1)
        assert {line.name: line.values for line in series.lines}["ok"] == (9 * DAY,)


async def test_a_few_rows_that_come_late_wait_for_the_round(tmp_path: Path) -> None:
    """A chunk is made anew for what is added to it: not for each row."""
    path = tmp_path / "history.db"
    async with kept(path) as k:
        k.clock.ms = NOW_MS + DAY * MINUTE_MS
        for minute in range(10):
            await k.store.put(batch(row(minute), number=minute))
        with sqlite3.connect(path) as reader:
            assert reader.execute("SELECT count(*) FROM staged").fetchone() == (10,)
        assert await k.store.seal() == 1


async def test_unsealed_rows_with_a_damaged_one_among_them_add_up_as_sealed_ones(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    async with kept(path) as k:
        await k.put([row(minute, parts=(part(10 + minute),)) for minute in (0, 1, 4, 5)])
        with sqlite3.connect(path) as writer:
            writer.execute("UPDATE staged SET data = ? WHERE minute = ?", (b"\x01", NOW_MS + MINUTE_MS))
        series = await k.asked("requests", (0, 6))
        assert {line.name: line.values for line in series.lines}["ok"] == (9, None, None, None, 13, 14)
        assert "1 stored parts of this time are damaged" in series.problem
