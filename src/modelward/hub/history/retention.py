"""What of history goes, and when: what is too old, what is beyond a namespace's share, all of a namespace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from modelward.hub.history.database import ROW_BYTES, HistoryDatabase
from modelward.hub.history.tiers import TIERS

MIB = 1 << 20
_TRIM_PERCENT = 98
_FILLED_PERCENT = 80
"""How much of the file is data when it is full: pages are not filled to the last byte."""
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class HistoryBounds:
    """How much history there may be, in bytes of the file, of all namespaces and of one, and for how long.

    `keep_ms` are namespaces that keep it for a shorter time than the tiers do.
    """

    total_bytes: int
    namespace_bytes: int
    keep_ms: Mapping[str, int] = field(default_factory=dict)

    @property
    def data_bytes(self) -> int:
        """How many bytes of data all namespaces may hold."""
        return self.total_bytes * _FILLED_PERCENT // 100


@dataclass(frozen=True, slots=True)
class Space:
    """A namespace and the bytes of data that it holds."""

    number: int
    name: str
    bytes: int


def spaces(database: HistoryDatabase) -> list[Space]:
    """Return all namespaces."""
    return [Space(*row) for row in database.connection.execute("SELECT id, name, bytes FROM namespaces ORDER BY name")]


def drop_old(database: HistoryDatabase, bounds: HistoryBounds, now_ms: int) -> int:
    """Delete chunks whose time is over, in every tier and namespace; return how many."""
    gone = 0
    for space in spaces(database):
        for tier in TIERS:
            keep_ms = min(tier.keep_ms, bounds.keep_ms.get(space.name, tier.keep_ms))
            until_ms = now_ms - keep_ms - tier.span_ms
            with database.transaction() as connection:
                rows = connection.execute(
                    "SELECT c.id, length(c.data) FROM chunks c JOIN endpoints e ON e.id = c.endpoint "
                    "WHERE e.namespace = ? AND c.tier = ? AND c.start <= ?",
                    (space.number, tier.number, until_ms),
                ).fetchall()
                _delete(database, space, rows)
            gone += len(rows)
    with database.transaction() as connection:
        database.drop_batches(now_ms)
        connection.execute(
            "DELETE FROM endpoints WHERE NOT EXISTS (SELECT 1 FROM chunks WHERE endpoint = endpoints.id) "
            "AND NOT EXISTS (SELECT 1 FROM staged WHERE endpoint = endpoints.id) AND NOT EXISTS "
            "(SELECT 1 FROM windows WHERE endpoint = endpoints.id)"
        )
        connection.execute(
            "DELETE FROM namespaces WHERE NOT EXISTS (SELECT 1 FROM endpoints WHERE namespace = namespaces.id)"
        )
        database.forget()
    database.connection.execute("PRAGMA incremental_vacuum(2000)").fetchall()
    return gone


def trim(database: HistoryDatabase, bounds: HistoryBounds) -> dict[str, int]:
    """Delete the oldest of each namespace that holds more than its share; return how much went of whom.

    Where all together hold too much, the largest make way, down to the size at which all fit: who holds less than an
    equal part never loses anything for others.
    """
    known = spaces(database)
    level = min(bounds.namespace_bytes, _level([space.bytes for space in known], bounds.data_bytes))
    return {
        space.name: _shrink(database, space, space.bytes - level * _TRIM_PERCENT // 100)
        for space in known
        if space.bytes > level
    }


def _level(sizes: list[int], total: int) -> int:
    """Return the most that each may hold so that all fit: what small ones leave is shared by the large ones."""
    left = total
    for number, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - number)
        if size > share:
            return share
        left -= size
    return total


def _shrink(database: HistoryDatabase, space: Space, surplus: int) -> int:
    gone = 0
    while gone < surplus:
        with database.transaction() as connection:
            rows = connection.execute(
                "SELECT c.id, length(c.data) FROM chunks c JOIN endpoints e ON e.id = c.endpoint "
                "WHERE e.namespace = ? ORDER BY c.start, c.tier LIMIT ?",
                (space.number, _AT_ONCE),
            ).fetchall()
            some = list(_enough(rows, surplus - gone))
            went = _delete(database, space, some) if some else _delete_rows(database, space)
        if not went:
            return gone
        gone += went
    return gone


def _enough(rows: list[tuple[int, int]], surplus: int) -> Iterator[tuple[int, int]]:
    for number, size in rows:
        if surplus <= 0:
            return
        yield number, size
        surplus -= size + ROW_BYTES


def _delete(database: HistoryDatabase, space: Space, rows: list[tuple[int, int]]) -> int:
    database.connection.executemany("DELETE FROM chunks WHERE id = ?", [(number,) for number, _ in rows])
    size = sum(length + ROW_BYTES for _, length in rows)
    database.count(space.number, -size)
    return size


def _delete_rows(database: HistoryDatabase, space: Space) -> int:
    """Delete the oldest staged rows, where a share has no room even for those; within a transaction."""
    connection, size = database.connection, 0
    rows = connection.execute(
        "SELECT s.endpoint, s.minute, length(s.data) FROM staged s JOIN endpoints e ON e.id = s.endpoint "
        "WHERE e.namespace = ? ORDER BY s.minute LIMIT ?",
        (space.number, _AT_ONCE),
    ).fetchall()
    for endpoint, minute, length in rows:
        connection.execute("DELETE FROM staged WHERE endpoint = ? AND minute = ?", (endpoint, minute))
        size += length + ROW_BYTES
    if not rows:
        found = "SELECT id FROM endpoints WHERE namespace = ?"
        (size,) = connection.execute(
            f"SELECT coalesce(sum(length(data) + {ROW_BYTES}), 0) FROM windows WHERE endpoint IN ({found})",  # noqa: S608
            (space.number,),
        ).fetchone()
        connection.execute(f"DELETE FROM windows WHERE endpoint IN ({found})", (space.number,))  # noqa: S608
    database.count(space.number, -size)
    return size


def purge(database: HistoryDatabase, namespace: str) -> None:
    """Delete all of a namespace."""
    with database.transaction() as connection:
        found = connection.execute("SELECT id FROM namespaces WHERE name = ?", (namespace,)).fetchone()
        if found:
            numbers = "SELECT id FROM endpoints WHERE namespace = ?"
            for table in ("chunks", "staged", "windows"):
                connection.execute(f"DELETE FROM {table} WHERE endpoint IN ({numbers})", found)  # noqa: S608
            connection.execute("DELETE FROM endpoints WHERE namespace = ?", found)
            connection.execute("DELETE FROM namespaces WHERE id = ?", found)
        database.forget()
