"""What a question reads of an endpoint: chunks of one tier, and the rows that are not sealed yet."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modelward.api.history import MINUTE_MS
from modelward.hub.history.chunk import Chunk, ChunkDamagedError, chunk_from_bytes
from modelward.hub.history.database import labels_from, window_from
from modelward.hub.history.packing import Unpacker
from modelward.hub.history.record import Column, Record
from modelward.hub.history.tiers import Tier


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows of one step: the row at place p begins at `start_ms + p * step_ms`."""

    start_ms: int
    step_ms: int
    rows: Chunk


@dataclass(frozen=True, slots=True)
class HeldRows:
    """What there is of an endpoint in a time; `damaged` chunks or rows could not be read."""

    segments: tuple[Segment, ...]
    damaged: int = 0


def held(
    connection: sqlite3.Connection,
    endpoint: tuple[str, str],
    tier: Tier,
    span: tuple[int, int],
    wanted: Callable[[Column], bool],
) -> HeldRows:
    """Read what an endpoint has in a time, in one state of the database."""
    connection.execute("BEGIN")
    try:
        found = connection.execute(
            "SELECT e.id, e.labels FROM endpoints e JOIN namespaces n ON n.id = e.namespace "
            "WHERE n.name = ? AND e.name = ?",
            endpoint,
        ).fetchone()
        if found is None:
            return HeldRows(())
        chunks, damaged = _chunks(connection, found[0], tier, span, wanted)
        staged, torn = _staged(connection, found[0], labels_from(found[1]), span, wanted)
    finally:
        connection.execute("ROLLBACK")
    return HeldRows((*chunks, *staged), damaged + torn)


def _chunks(
    connection: sqlite3.Connection,
    number: int,
    tier: Tier,
    span: tuple[int, int],
    wanted: Callable[[Column], bool],
) -> tuple[list[Segment], int]:
    rows = connection.execute(
        "SELECT start, data FROM chunks WHERE endpoint = ? AND tier = ? AND start > ? AND start < ?",
        (number, tier.number, span[0] - tier.span_ms, span[1]),
    )
    segments, damaged = [], 0
    for start_ms, data in rows:
        try:
            segments.append(Segment(int(start_ms), tier.step_ms, chunk_from_bytes(data, wanted)))
        except ChunkDamagedError:
            damaged += 1
    return segments, damaged


def _staged(
    connection: sqlite3.Connection,
    number: int,
    labels: dict[int, str],
    span: tuple[int, int],
    wanted: Callable[[Column], bool],
) -> tuple[list[Segment], int]:
    """Read staged rows: they begin at the time asked for, also where a tier's row begins before it."""
    where = (number, span[0] // MINUTE_MS * MINUTE_MS, span[1])
    rows: list[tuple[int, list[tuple[Column, int]]]] = []
    damaged, unpacker = 0, Unpacker(labels, wanted)
    for minute_ms, data in connection.execute(
        "SELECT minute, data FROM staged WHERE endpoint = ? AND minute >= ? AND minute < ? ORDER BY minute", where
    ):
        try:
            rows.append((int(minute_ms), unpacker.read(data)))
        except ValueError:
            damaged += 1
    segments = [_columns(rows)] if rows else []
    if wanted(("c", "samples")):
        windows = connection.execute(
            "SELECT to_ms, data FROM windows WHERE endpoint = ? AND to_ms > ? AND to_ms <= ?", where
        )
        segments += [
            _segment((int(to_ms) - 1) // MINUTE_MS * MINUTE_MS, window_from(data), wanted) for to_ms, data in windows
        ]
    return segments, damaged


def _columns(rows: Sequence[tuple[int, list[tuple[Column, int]]]]) -> Segment:
    """Return rows of minutes, in their order, as one segment: what is added up at once costs less than row by row."""
    first_ms = rows[0][0]
    columns: dict[Column, list[int]] = {}
    for place, (_, row) in enumerate(rows):
        for column, value in row:
            values = columns.get(column)
            if values is None:
                values = columns[column] = [0] * len(rows)
            values[place] = value
    return Segment(first_ms, MINUTE_MS, Chunk([(at_ms - first_ms) // MINUTE_MS for at_ms, _ in rows], columns))


def _segment(at_ms: int, record: Record, wanted: Callable[[Column], bool]) -> Segment:
    columns = {column: [value] for column, value in record.items() if wanted(column)}
    return Segment(at_ms, MINUTE_MS, Chunk([0], columns))


def endpoints_of(connection: sqlite3.Connection, namespace: str) -> list[str]:
    """Return the endpoints of a namespace that have a history."""
    rows = connection.execute(
        "SELECT e.name FROM endpoints e JOIN namespaces n ON n.id = e.namespace WHERE n.name = ? ORDER BY e.name",
        (namespace,),
    )
    return [str(name) for (name,) in rows]
