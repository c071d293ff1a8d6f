"""What a question reads of an endpoint: chunks of one tier, and the rows that are not sealed yet."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from modelward.api.history import MINUTE_MS
from modelward.hub.history.chunk import Chunk, ChunkDamagedError, chunk_from_bytes
from modelward.hub.history.database import labels_from, window_from
from modelward.hub.history.packing import unpacked
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
    records: list[tuple[int, Record]] = []
    damaged = 0
    for minute_ms, data in connection.execute(
        "SELECT minute, data FROM staged WHERE endpoint = ? AND minute >= ? AND minute < ?", where
    ):
        try:
            records.append((int(minute_ms), unpacked(data, labels)))
        except ValueError:
            damaged += 1
    if wanted(("c", "samples")):
        rows = connection.execute(
            "SELECT to_ms, data FROM windows WHERE endpoint = ? AND to_ms > ? AND to_ms <= ?", where
        )
        records += [((int(to_ms) - 1) // MINUTE_MS * MINUTE_MS, window_from(data)) for to_ms, data in rows]
    return [_segment(at_ms, record, wanted) for at_ms, record in records], damaged


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
