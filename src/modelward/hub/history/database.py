"""The tables of history and every change of them: each a transaction, so that a crash loses none and doubles none.

Rows come in staged, by minute. Sealing adds them to the chunks of every tier and takes them from the staged ones in one
step; a row that comes late is added to the chunk that is there. So a minute is either staged or in its chunks.
All of it runs in one thread; times are Unix ms.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import orjson

from modelward.api.evaluation import WindowResult
from modelward.api.history import MINUTE_MS, HistoryBatch, HistoryRow
from modelward.hub.history.chunk import Chunk, ChunkDamagedError, chunk_from_bytes, chunk_to_bytes
from modelward.hub.history.packing import labels_in, packed, unpacked
from modelward.hub.history.record import Record, merged, record_of, record_of_window
from modelward.hub.history.tiers import DAY_MS, HOUR_MS, TIERS, Tier, sealed_before_ms

LATE_MS = 26 * HOUR_MS
"""A row or a window older than this is refused: no operator waits so long, and what is as old is settled."""
FUTURE_MS = 5 * MINUTE_MS
_BATCHES_KEPT_MS = 2 * DAY_MS
ROW_BYTES = 64
"""What a row costs beside its data."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch: whether it is new, and how many of its rows were left out for their time."""

    new: bool
    rejected: int = 0


@dataclass(slots=True)
class KnownEndpoint:
    """An endpoint's number, its namespace's, and the labels by which its staged rows name what they count."""

    number: int
    namespace: int
    labels: dict[int, str]
    name: str = ""
    """`namespace/name`."""
    _numbers: dict[str, int] = field(init=False)
    grown: bool = False

    def __post_init__(self) -> None:
        self._numbers = {text: number for number, text in self.labels.items()}

    def label_number(self, text: str) -> int:
        """Return a label's number; a new label gets the next."""
        number = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = max(self.labels, default=-1) + 1
            self.labels[number] = text
            self.grown = True
        return number


class HistoryDatabase:
    """Writes to one database; every method is one transaction, or a few of them."""

    def __init__(self, connection: sqlite3.Connection, damaged: Callable[[str], None] = lambda _: None) -> None:
        """Work on an open connection; `damaged` is told of each chunk that cannot be read."""
        self.connection = connection
        self._damaged = damaged
        self._known: dict[tuple[str, str], KnownEndpoint] = {}
        self._bytes: dict[int, int] = defaultdict(int)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit what is written within, or nothing of it."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
            for namespace, size in self._bytes.items():
                self.connection.execute("UPDATE namespaces SET bytes = bytes + ? WHERE id = ?", (size, namespace))
            self.connection.execute("COMMIT")
        except BaseException:
            self._known.clear()
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
        finally:
            self._bytes.clear()

    def put(self, batch: HistoryBatch, now_ms: int) -> Taken:
        """Stage the rows of a batch; one that was put before changes nothing."""
        key = batch.key
        with self.transaction() as connection:
            found = connection.execute(
                "INSERT OR IGNORE INTO batches VALUES (?, ?, ?, ?)", (key.epoch, key.minute_ms, key.part, now_ms)
            )
            if not found.rowcount:
                return Taken(new=False)
            good = [row for row in batch.rows if now_ms - LATE_MS < row.minute_ms <= now_ms + FUTURE_MS]
            for row in good:
                self._stage(row)
            return Taken(new=True, rejected=len(batch.rows) - len(good))

    def _stage(self, row: HistoryRow) -> None:
        endpoint, record = self.endpoint(row.namespace, row.endpoint), record_of(row)
        self.stage(endpoint, row.minute_ms, record)

    def stage(self, endpoint: KnownEndpoint, minute_ms: int, record: Record) -> None:
        """Add a record to a staged minute, within a transaction."""
        data, where = packed(record, endpoint.label_number), (endpoint.number, minute_ms)
        new = self.connection.execute("INSERT OR IGNORE INTO staged VALUES (?, ?, ?)", (*where, data)).rowcount
        self._bytes[endpoint.namespace] += len(data) + ROW_BYTES if new else self._merge(endpoint, minute_ms, record)
        if endpoint.grown:
            self._write_labels(endpoint)

    def _merge(self, endpoint: KnownEndpoint, minute_ms: int, record: Record) -> int:
        """Add a record to a minute that is there; return by how much that grew."""
        where = (endpoint.number, minute_ms)
        (held,) = self.connection.execute("SELECT data FROM staged WHERE endpoint = ? AND minute = ?", where).fetchone()
        data = packed(merged([self._unpacked(held, endpoint), record]), endpoint.label_number)
        self.connection.execute("UPDATE staged SET data = ? WHERE endpoint = ? AND minute = ?", (data, *where))
        return len(data) - len(held)

    def put_window(self, result: WindowResult, now_ms: int) -> bool:
        """Stage what a check found in a window, in the place of what it found there before; False where it is late."""
        record = record_of_window(result)
        if not now_ms - LATE_MS < result.to_ms <= now_ms + FUTURE_MS or not record:
            return False
        with self.transaction() as connection:
            endpoint = self.endpoint(result.namespace, result.endpoint)
            where = (endpoint.number, result.to_ms, result.policy, result.evaluation, result.from_ms)
            held = connection.execute(
                "SELECT length(data) FROM windows WHERE endpoint = ? AND to_ms = ? AND policy = ? AND evaluation = ? "
                "AND from_ms = ?",
                where,
            ).fetchone()
            data = chunk_to_bytes(_one_row(record))
            self._bytes[endpoint.namespace] += len(data) - (held[0] if held else -ROW_BYTES)
            values = (endpoint.number, result.policy, result.evaluation, result.from_ms, result.to_ms, data)
            connection.execute("INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?, ?, ?)", values)
        return True

    def endpoint(self, namespace: str, name: str) -> KnownEndpoint:
        """Return an endpoint, within a transaction; one that is new is made."""
        known = self._known.get((namespace, name))
        if known is None:
            self.connection.execute("INSERT OR IGNORE INTO namespaces (name) VALUES (?)", (namespace,))
            (space,) = self.connection.execute("SELECT id FROM namespaces WHERE name = ?", (namespace,)).fetchone()
            self.connection.execute("INSERT OR IGNORE INTO endpoints (namespace, name) VALUES (?, ?)", (space, name))
            number, labels = self.connection.execute(
                "SELECT id, labels FROM endpoints WHERE namespace = ? AND name = ?", (space, name)
            ).fetchone()
            known = KnownEndpoint(number, space, labels_from(labels), f"{namespace}/{name}")
            self._known[namespace, name] = known
        return known

    def due(self, now_ms: int) -> list[tuple[str, str]]:
        """Return the endpoints with rows or windows that are to be sealed."""
        cut_ms, settled_ms = sealed_before_ms(now_ms), now_ms - LATE_MS
        rows = self.connection.execute(
            "SELECT n.name, e.name FROM endpoints e JOIN namespaces n ON n.id = e.namespace WHERE EXISTS "
            "(SELECT 1 FROM staged s WHERE s.endpoint = e.id AND s.minute < ?) OR EXISTS "
            "(SELECT 1 FROM windows w WHERE w.endpoint = e.id AND w.to_ms <= ?)",
            (cut_ms, settled_ms),
        )
        return [(str(namespace), str(name)) for namespace, name in rows]

    def seal(self, endpoints: Iterable[tuple[str, str]], now_ms: int) -> None:
        """Move what is due of some endpoints into their chunks."""
        with self.transaction():
            for namespace, name in endpoints:
                self._seal(self.endpoint(namespace, name), now_ms)

    def _seal(self, endpoint: KnownEndpoint, now_ms: int) -> None:
        number, cut_ms, settled_ms = endpoint.number, sealed_before_ms(now_ms), now_ms - LATE_MS
        rows = self.connection.execute(
            "SELECT minute, data FROM staged WHERE endpoint = ? AND minute < ?", (number, cut_ms)
        ).fetchall()
        windows = self.connection.execute(
            "SELECT to_ms, data FROM windows WHERE endpoint = ? AND to_ms <= ?", (number, settled_ms)
        ).fetchall()
        records = [(int(at), self._unpacked(data, endpoint)) for at, data in rows]
        records += [(int(to_ms) - 1, window_from(data)) for to_ms, data in windows]
        for tier in TIERS:
            by_start: dict[int, list[tuple[int, Record]]] = defaultdict(list)
            for at_ms, record in records:
                by_start[tier.start_of(at_ms)].append((at_ms, record))
            for start_ms, some in by_start.items():
                self.add(endpoint, tier, start_ms, some, now_ms)
        self.connection.execute("DELETE FROM staged WHERE endpoint = ? AND minute < ?", (number, cut_ms))
        self.connection.execute("DELETE FROM windows WHERE endpoint = ? AND to_ms <= ?", (number, settled_ms))
        gone = sum(len(data) + ROW_BYTES for _, data in (*rows, *windows))
        self._bytes[endpoint.namespace] -= gone
        self._forget_labels(endpoint)

    def add(
        self, endpoint: KnownEndpoint, tier: Tier, start_ms: int, some: Iterable[tuple[int, Record]], now_ms: int
    ) -> None:
        """Add records to the chunk of a tier that begins at a time, within a transaction."""
        by_place: dict[int, list[Record]] = defaultdict(list)
        for at_ms, record in some:
            by_place[(at_ms - start_ms) // tier.step_ms].append(record)
        chunk = self.chunk(endpoint, tier, start_ms)
        chunk.of = endpoint.name
        chunk.add({place: merged(records) for place, records in by_place.items()})
        self.put_chunk(endpoint, tier, start_ms, chunk_to_bytes(chunk), now_ms)

    def chunk(self, endpoint: KnownEndpoint, tier: Tier, start_ms: int) -> Chunk:
        """Return a chunk; an empty one where there is none, or where what there is cannot be read."""
        held = self.connection.execute(
            "SELECT data FROM chunks WHERE endpoint = ? AND tier = ? AND start = ?",
            (endpoint.number, tier.number, start_ms),
        ).fetchone()
        try:
            return chunk_from_bytes(held[0]) if held else Chunk()
        except ChunkDamagedError as error:
            self._damaged(f"chunk of endpoint {endpoint.number}, tier {tier.name}, start {start_ms}: {error}")
            return Chunk()

    def put_chunk(self, endpoint: KnownEndpoint, tier: Tier, start_ms: int, data: bytes, now_ms: int) -> None:
        """Write a chunk in the place of what is there, within a transaction."""
        where = (endpoint.number, tier.number, start_ms)
        held = self.connection.execute(
            "SELECT length(data) FROM chunks WHERE endpoint = ? AND tier = ? AND start = ?", where
        ).fetchone()
        self._bytes[endpoint.namespace] += len(data) - (held[0] if held else -ROW_BYTES)
        self.connection.execute(
            "INSERT INTO chunks (endpoint, tier, start, changed, data) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (endpoint, tier, start) DO UPDATE SET changed = excluded.changed, data = excluded.data",
            (*where, now_ms, data),
        )

    def _unpacked(self, data: bytes, endpoint: KnownEndpoint) -> Record:
        try:
            return unpacked(data, endpoint.labels)
        except ValueError as error:
            self._damaged(f"row of endpoint {endpoint.number}: {error}")
            return {}

    def _write_labels(self, endpoint: KnownEndpoint) -> None:
        text = orjson.dumps(endpoint.labels, option=orjson.OPT_NON_STR_KEYS).decode()
        self.connection.execute("UPDATE endpoints SET labels = ? WHERE id = ?", (text, endpoint.number))
        endpoint.grown = False

    def _forget_labels(self, endpoint: KnownEndpoint) -> None:
        """Keep the labels that rows still use, and the newest one's number: numbers are not used again."""
        rows = self.connection.execute("SELECT data FROM staged WHERE endpoint = ?", (endpoint.number,)).fetchall()
        used: set[str] = set()
        for (data,) in rows:
            try:
                used |= labels_in(data, endpoint.labels)
            except ValueError:
                continue
        newest = max(endpoint.labels, default=-1)
        kept = {number: text for number, text in endpoint.labels.items() if text in used or number == newest}
        if len(kept) < len(endpoint.labels):
            self._known = {key: known for key, known in self._known.items() if known.number != endpoint.number}
            self._write_labels(KnownEndpoint(endpoint.number, endpoint.namespace, kept))

    def forget(self) -> None:
        """Look endpoints up again from now on."""
        self._known.clear()

    def count(self, namespace: int, size: int) -> None:
        """Note how much larger or smaller a namespace gets by this transaction."""
        self._bytes[namespace] += size

    def drop_batches(self, now_ms: int) -> None:
        """Forget batches that no operator puts again."""
        self.connection.execute("DELETE FROM batches WHERE at < ?", (now_ms - _BATCHES_KEPT_MS,))


def labels_from(text: str) -> dict[int, str]:
    """Read the labels of an endpoint; none where they cannot be read, so that its rows count as damaged."""
    try:
        return {int(number): str(name) for number, name in orjson.loads(text).items()}
    except (ValueError, AttributeError):
        return {}


def window_from(data: bytes) -> Record:
    """Read what a check found in a window; nothing where it cannot be read."""
    try:
        return chunk_from_bytes(data).records().get(0, {})
    except ChunkDamagedError:
        return {}


def _one_row(record: Record) -> Chunk:
    chunk = Chunk()
    chunk.add({0: record})
    return chunk
