"""What a year of history takes: bytes a row, the time of questions, and CPU of taking rows in, as JSON.

    python bench/history/measure.py [--long] > bench/history/results.json

Rows are made up: two revisions, a log-normal time to first token, two objectives, traffic by the hour. One endpoint's
400 days are made by the store's own code; the others are copies of its chunks, so that the database has the size that
it would have. `--long` has 5,000 endpoints beside 300. Questions are asked of the store, each of an endpoint that is
chosen by chance.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from modelward.api.history import (
    BOUNDS,
    MINUTE_MS,
    BatchKey,
    HistoryBatch,
    HistoryPart,
    HistoryRow,
    LevelSpread,
    ObjectiveCount,
)  # fmt: skip
from modelward.api.series import HistoryMetric, HistoryQuery
from modelward.hub.history.database import HistoryDatabase
from modelward.hub.history.file import opened
from modelward.hub.history.place import HistoryPlace
from modelward.hub.history.record import Record, merged, record_of
from modelward.hub.history.retention import HistoryBounds
from modelward.hub.history.store import HistoryStore
from modelward.hub.history.tiers import DAY_MS, TIERS
from modelward.metrics.histogram import Histogram
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot
from modelward.operator.minutes.ledger import MinuteLedger
from modelward.operator.minutes.rows import MinuteFacts
from modelward.operator.observe.observer import Observation

NOW_MS = 1_795_478_400_000
ASKED: tuple[HistoryMetric, ...] = ("requests", "ttft", "objectives")
QUESTIONS = 40


def buckets(dice: random.Random, name: str, count: int) -> tuple[int, ...]:
    """Return latencies of so many requests per bucket."""
    bounds = BOUNDS[name]  # type: ignore[index]
    counts = [0] * (len(bounds) + 1)
    middle = {"ttft": 0.3, "tpot": 0.02, "duration": 4.0}[name]
    for _ in range(count):
        value = dice.lognormvariate(math.log(middle), 0.6)
        counts[next((place for place, bound in enumerate(bounds) if value <= bound), len(bounds))] += 1
    return tuple(counts)


def row(dice: random.Random, at_ms: int, endpoint: str) -> HistoryRow:
    """Return a minute of one endpoint: some 60 requests by day, few by night."""
    hour = at_ms // 3_600_000 % 24
    count = dice.randint(0, 8) if hour < 7 else dice.randint(30, 90)
    parts = []
    for revision, share in (("7c9f5d6b8", 3), ("5b8d7f9c4", 1)):
        own = count * share // 4
        outcomes = {"ok": own - own // 50, "error": own // 50, "client_error": 0, "overload": 0, "cancelled": own // 90}
        latencies = {name: buckets(dice, name, own) for name in BOUNDS}
        parts.append(HistoryPart(revision, "llama-3", outcomes, latencies, own * 400, own * 180, own * 10**9, "USD"))  # type: ignore[arg-type]
    spread = LevelSpread(4, 8, 1, 3)
    levels = {"ready": LevelSpread(1, 2, 2, 2), "queue": spread, "in_flight": spread, "kv": LevelSpread(4, 10**6, 0, 9)}
    objectives = tuple(ObjectiveCount("baseline", name, count, count // 50) for name in ("errors", "first-token"))
    namespace, _, name = endpoint.partition("/")
    return HistoryRow(namespace, name, at_ms, 60_000, tuple(parts), levels, objectives)  # type: ignore[arg-type]


def year(database: HistoryDatabase) -> None:
    """Write one endpoint's chunks of all tiers: minutes are drawn for two days, and coarser rows from some of them."""
    dice = random.Random(1)
    drawn = [record_of(row(dice, NOW_MS - n * 7 * MINUTE_MS, "n0/e0")) for n in range(500)]
    for tier in TIERS:
        weight = max(1, tier.step_ms // MINUTE_MS)
        for start in range(tier.start_of(NOW_MS - tier.keep_ms), NOW_MS, tier.span_ms):
            times = range(start, min(start + tier.span_ms, NOW_MS), tier.step_ms)
            rows = [(at, scaled(merged(dice.sample(drawn, min(weight, 3))), max(1, weight // 3))) for at in times]
            with database.transaction():
                database.add(database.endpoint("n0", "e0"), tier, start, rows, NOW_MS)


def scaled(record: Record, by: int) -> Record:
    """Return the record of a coarser row: sums as of so many."""
    return {column: value if column[1].endswith((".min", ".max")) else value * by for column, value in record.items()}


def copied(connection: sqlite3.Connection, endpoints: int) -> None:
    """Give the other endpoints, ten namespaces of them, the first one's chunks, an endpoint after the other."""
    for number in range(1, endpoints):
        space = f"n{number % 10}"
        connection.execute("INSERT OR IGNORE INTO namespaces (name) VALUES (?)", (space,))
        connection.execute(
            "INSERT INTO endpoints (namespace, name) SELECT id, ? FROM namespaces WHERE name = ?", (f"e{number}", space)
        )
        connection.execute(
            "INSERT INTO chunks (endpoint, tier, start, changed, data) SELECT (SELECT max(id) FROM endpoints), tier, "
            "start, changed, data FROM chunks WHERE endpoint = 1"
        )


def bytes_a_row(connection: sqlite3.Connection) -> Mapping[str, float]:
    """Return what a sealed row takes in each tier."""
    found = {}
    for tier in TIERS:
        question = "SELECT sum(length(data)) FROM chunks WHERE endpoint = 1 AND tier = ?"
        (size,) = connection.execute(question, (tier.number,)).fetchone()
        found[tier.name] = round(size / (tier.keep_ms / tier.step_ms), 1)
    return found


async def questions(path: Path, endpoints: int) -> Mapping[str, object]:
    """Ask for a year of several metrics, by an endpoint that was not asked for before; milliseconds."""
    store = HistoryStore(HistoryPlace(path, HistoryBounds(64 << 30, 64 << 30)), lambda: NOW_MS)
    await store.open()
    dice, found = random.Random(2), dict[str, object]()
    for metric in ASKED:
        took = []
        for _ in range(QUESTIONS):
            number = dice.randrange(endpoints)
            begun = time.perf_counter()
            series = await store.answer(
                (f"n{number % 10}", f"e{number}"), HistoryQuery(metric, NOW_MS - 365 * DAY_MS, NOW_MS, "none", 1_000)
            )
            took.append((time.perf_counter() - begun) * 1_000)
            assert any(series.seen)
        late = sorted(took)[int(QUESTIONS * 0.95)]
        found[metric] = {"median_ms": round(statistics.median(took), 1), "p95_ms": round(late, 1)}
    await store.close()
    return found


def ingest(folder: Path) -> Mapping[str, float]:
    """Take in ten minutes of 5,000 endpoints, and seal a day of 20; CPU."""
    database = HistoryDatabase(opened(folder / "ingest.db", 1 << 30))
    dice = random.Random(3)
    drawn = [row(dice, NOW_MS, "n0/e0") for _ in range(50)]
    rows = [HistoryRow(f"n{n % 10}", f"e{n}", NOW_MS, 60_000, *_rest(drawn[n % 50])) for n in range(5_000)]
    took = []
    for minute in range(10):
        at_ms = NOW_MS + minute * MINUTE_MS
        now = tuple(HistoryRow(one.namespace, one.endpoint, at_ms, 60_000, *_rest(one)) for one in rows)
        batch = HistoryBatch(BatchKey("e", at_ms), now)
        begun = time.process_time()
        database.put(batch, at_ms)
        took.append((time.process_time() - begun) * 1_000)
    (staged,) = database.connection.execute("SELECT avg(length(data)) FROM staged").fetchone()
    later = NOW_MS + 4 * 3_600_000
    due = database.due(later)
    begun = time.process_time()
    database.seal(due[:500], later)
    sealed = (time.process_time() - begun) * 1_000 / 500
    database.connection.close()
    return {
        "cpu_ms_per_5000_rows": round(statistics.median(took), 1),
        "staged_bytes_a_row": round(staged, 1),
        "seal_cpu_ms_an_endpoint": round(sealed, 2),
    }


def _rest(one: HistoryRow) -> tuple[object, ...]:
    return one.parts, one.levels, one.objectives


def operator_row() -> Mapping[str, float]:
    """Make a minute's row of an endpoint with two pods and two models, as the leader does; CPU in milliseconds."""
    ledger, seen, took = MinuteLedger(), Observation(), []
    ledger.note("n0/e0", MinuteFacts({"a": "r1", "b": "r1"}, ready=2))
    for minute in range(60):
        for second in range(0, 60, 15):
            for pod in ("a", "b"):
                seen.history.add(page(pod, NOW_MS + minute * MINUTE_MS + second * 1_000, minute * 60 + second))
        begun = time.process_time()
        assert ledger.row("n0/e0", NOW_MS + (minute - 1) * MINUTE_MS, seen, {})
        took.append((time.process_time() - begun) * 1_000)
    return {"cpu_ms_an_endpoint_and_minute": round(statistics.median(took[5:]), 3)}


def page(pod: str, at_ms: int, count: float) -> Snapshot:
    """Return a reading of a collector's page."""
    counters, histograms = {}, {}
    for model in ("llama-3", "llama-3-lora"):
        for signal in (Signal.REQUESTS, Signal.INPUT_TOKENS, Signal.OUTPUT_TOKENS):
            counters[SignalKey(signal, model)] = count
        for signal in (Signal.ERRORS, Signal.CLIENT_ERRORS, Signal.OVERLOADS, Signal.CANCELLED):
            counters[SignalKey(signal, model)] = count // 50
        for signal, name in ((Signal.TTFT, "ttft"), (Signal.TPOT, "tpot"), (Signal.DURATION, "duration")):
            bounds = BOUNDS[name]  # type: ignore[index]
            grown = tuple(count * (place + 1) // len(bounds) for place in range(len(bounds)))
            histograms[SignalKey(signal, model)] = Histogram(bounds, grown, count, count)
    gauges = {SignalKey(Signal.ENGINE_WAITING): 2.0, SignalKey(Signal.ENGINE_KV_USAGE): 0.4}
    return Snapshot(pod, at_ms, "collector", gauges, counters, histograms)


def main() -> None:
    """Measure, and print."""
    found: dict[str, object] = {"operator": operator_row()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found["ingest"] = ingest(folder)
        for endpoints in (300, 5_000) if "--long" in sys.argv else (300,):
            path = folder / f"{endpoints}.db"
            database = HistoryDatabase(opened(path, 64 << 30))
            year(database)
            with database.transaction() as connection:
                copied(connection, endpoints)
            sizes = bytes_a_row(database.connection)
            database.connection.close()
            found[f"endpoints_{endpoints}"] = {
                "bytes_a_row": sizes,
                "database_mb": round(path.stat().st_size / 1e6),
                "year": asyncio.run(questions(path, endpoints)),
            }
    found["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
