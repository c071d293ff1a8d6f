"""What of the database goes into objects of the store: read in one state of it, of one part of a namespace."""

from __future__ import annotations

from collections import defaultdict

from modelward.hub.history.bundle import SealedDay, StoredChunk, shard_of
from modelward.hub.history.chunk import Chunk, chunk_to_bytes
from modelward.hub.history.database import LATE_MS, HistoryDatabase, labels_from
from modelward.hub.history.packing import unpacked
from modelward.hub.history.record import Record
from modelward.hub.history.tiers import BY_NUMBER, DAY_MS, FINEST

_MEMBERS = "SELECT e.id, e.name, e.labels FROM endpoints e JOIN namespaces n ON n.id = e.namespace WHERE n.name = ?"


def _members(database: HistoryDatabase, namespace: str, shard: int) -> list[tuple[int, str, str]]:
    rows = database.connection.execute(_MEMBERS, (namespace,))
    return [row for row in rows if shard_of(row[1]) == shard]


def _day_of(namespace: str, shard: int, tier: int, start_ms: int) -> SealedDay:
    return SealedDay(namespace, BY_NUMBER[tier], start_ms // DAY_MS * DAY_MS, shard)


def _is_over(day: SealedDay, now_ms: int) -> bool:
    """Return whether nothing can be added any more to what a day began."""
    return day.over_ms + LATE_MS <= now_ms


def running(database: HistoryDatabase, namespace: str, shard: int, now_ms: int) -> list[StoredChunk]:
    """Return the chunks that may still change, but for those of minutes, and the rows that are not sealed."""
    found = []
    with database.transaction() as connection:
        for number, name, labels in _members(database, namespace, shard):
            endpoint = f"{namespace}/{name}"
            chunks = connection.execute(
                "SELECT tier, start, data FROM chunks WHERE endpoint = ? AND tier != ?", (number, FINEST.number)
            )
            found += [
                StoredChunk(endpoint, tier, start, data)
                for tier, start, data in chunks
                if not _is_over(_day_of(namespace, shard, tier, start), now_ms)
            ]
            rows = connection.execute("SELECT minute, data FROM staged WHERE endpoint = ?", (number,)).fetchall()
            found += _staged(endpoint, rows, labels_from(labels))
    return found


def _staged(endpoint: str, rows: list[tuple[int, bytes]], labels: dict[int, str]) -> list[StoredChunk]:
    by_start: dict[int, dict[int, Record]] = defaultdict(dict)
    for minute_ms, data in rows:
        start_ms = FINEST.start_of(minute_ms)
        try:
            by_start[start_ms][(minute_ms - start_ms) // FINEST.step_ms] = unpacked(data, labels)
        except ValueError:
            continue  # it counts as damaged when it is sealed
    found = []
    for start_ms, records in by_start.items():
        chunk = Chunk(of=endpoint)
        chunk.add(records)
        found.append(StoredChunk(endpoint, FINEST.number, start_ms, chunk_to_bytes(chunk), staged=True))
    return found


def days(database: HistoryDatabase, namespace: str, shard: int, now_ms: int) -> list[SealedDay]:
    """Return the days of which something is kept, and nothing can be added to any more."""
    found = set()
    for number, _, _ in _members(database, namespace, shard):
        rows = database.connection.execute(
            "SELECT tier, start FROM chunks WHERE endpoint = ? AND tier != ?", (number, FINEST.number)
        )
        found |= {_day_of(namespace, shard, tier, start) for tier, start in rows}
    return sorted((day for day in found if _is_over(day, now_ms)), key=lambda day: day.path)


def of_day(database: HistoryDatabase, day: SealedDay) -> list[StoredChunk]:
    """Return the chunks that a day began."""
    found = []
    for number, name, _ in _members(database, day.namespace, day.shard):
        rows = database.connection.execute(
            "SELECT start, data FROM chunks WHERE endpoint = ? AND tier = ? AND start >= ? AND start < ?",
            (number, day.tier.number, day.day_ms, day.day_ms + DAY_MS),
        )
        found += [StoredChunk(f"{day.namespace}/{name}", day.tier.number, start, data) for start, data in rows]
    return found
