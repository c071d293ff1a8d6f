"""A damaged database is set aside, and what is whole of it is taken over into the new one.

Reading stops at a page that is torn, so it is read from the front, and then from the back. Each part is taken over
once, in a transaction that also says so, however often the hub is killed in between.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelward.hub.history.bundle import PREFIX
from modelward.hub.history.chunk import ChunkDamagedError, chunk_from_bytes
from modelward.hub.history.database import HistoryDatabase, labels_from
from modelward.hub.history.packing import unpacked
from modelward.hub.history.tiers import BY_NUMBER, DAY_MS
from modelward.hub.layout import is_endpoint

log = logging.getLogger(__name__)
_MARK = ".damaged-"
_KEPT_MS = DAY_MS
_BESIDE = ("-wal", "-shm", "-journal")
_LAST_ID = 1 << 48


def set_aside(path: Path, now_ms: int) -> Path:
    """Move a database and what lies beside it out of the way; return where it is then."""
    aside = path.with_name(f"{path.name}{_MARK}{now_ms:013d}")
    for end in ("", *_BESIDE):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + end).rename(aside.with_name(aside.name + end))
    return aside


def resume(database: HistoryDatabase, path: Path, now_ms: int) -> None:
    """Take over what is whole of databases that were set aside, and delete those that were for a day."""
    for aside in sorted(path.parent.glob(f"{path.name}{_MARK}*")):
        when = aside.name.rpartition("-")[2]
        if not when.isdigit():
            continue
        if int(when) < now_ms - _KEPT_MS:
            for end in ("", *_BESIDE):
                aside.with_name(aside.name + end).unlink(missing_ok=True)
        elif not _is_done(database, aside.name):
            _take_over(database, aside, now_ms)


def _is_done(database: HistoryDatabase, name: str) -> bool:
    rows = database.connection.execute("SELECT 1 FROM restored WHERE path = ?", (name,))
    return rows.fetchone() is not None


def _take_over(database: HistoryDatabase, aside: Path, now_ms: int) -> None:
    number = 0
    for way in ("mode=rw", "mode=ro&immutable=1"):  # the second reads a file whose write-ahead log is torn as well
        with contextlib.suppress(sqlite3.Error), contextlib.closing(_opened(aside, way)) as old:
            names = _names(old)
            number += _take_rows(database, old, aside.name, names)
            number += _take_chunks(database, old, aside.name, now_ms)
    with database.transaction() as connection:
        connection.execute("INSERT OR IGNORE INTO restored VALUES (?)", (aside.name,))
        if number:  # what the object store has would count a second time
            connection.execute("INSERT OR IGNORE INTO restored VALUES (?)", (PREFIX,))
        connection.execute("DELETE FROM restored WHERE path LIKE ?", (f"{aside.name}/%",))
    log.warning("history salvaged from=%s parts=%d", aside.name, number)


def _opened(aside: Path, way: str) -> sqlite3.Connection:
    old = sqlite3.connect(f"file:{aside}?{way}", uri=True, isolation_level=None)
    old.execute("PRAGMA writable_schema = ON")  # else a file that is shorter than it says is not read at all
    old.text_factory = lambda data: data.decode("utf-8", "replace")
    return old


Names = dict[int, tuple[str, str, dict[int, str]]]


def _names(old: sqlite3.Connection) -> Names:
    """Return namespace, name and labels of each endpoint by its number."""
    spaces = {row[0]: str(row[1]) for row in _both_ways(old, "SELECT id, name FROM namespaces ORDER BY id {}")}
    rows = _both_ways(old, "SELECT id, namespace, name, labels FROM endpoints ORDER BY id {}")
    found = {row[0]: (spaces[row[1]], str(row[2]), labels_from(row[3])) for row in rows if row[1] in spaces}
    return {number: row for number, row in found.items() if is_endpoint(f"{row[0]}/{row[1]}")}


def _take_rows(database: HistoryDatabase, old: sqlite3.Connection, name: str, names: Names) -> int:
    """Stage what was staged; windows of checks the hub stages again by itself."""
    taken = 0
    for number, (namespace, own, labels) in names.items():
        question = f"SELECT minute, data FROM staged WHERE endpoint = {number:d} ORDER BY minute {{}}"  # noqa: S608
        for minute, data in _both_ways(old, question):
            with contextlib.suppress(ValueError, TypeError), database.transaction():
                if _first_time(database, f"{name}/r{number}-{minute}"):
                    database.stage(database.endpoint(namespace, own), int(minute), unpacked(data, labels))
                    taken += 1
    return taken


def _take_chunks(database: HistoryDatabase, old: sqlite3.Connection, name: str, now_ms: int) -> int:
    taken = 0
    for key, tier, start, data in _by_id(old):
        with contextlib.suppress(ChunkDamagedError, TypeError, KeyError), database.transaction():
            chunk = chunk_from_bytes(data)
            if is_endpoint(chunk.of) and _first_time(database, f"{name}/c{key}"):
                step_ms = BY_NUMBER[tier].step_ms
                some = [(start + place * step_ms, record) for place, record in chunk.records().items()]
                own = database.endpoint(*chunk.of.split("/", 1))
                database.add(own, BY_NUMBER[tier], start, some, now_ms)
                taken += 1
    return taken


def _by_id(old: sqlite3.Connection) -> Iterator[Any]:
    """Yield all chunks that can be read: behind a torn page it goes on where the next whole one begins."""
    question, after = "SELECT id, tier, start, data FROM chunks WHERE id > ?", -1
    while True:
        try:
            for row in old.execute(f"{question} ORDER BY id", (after,)):
                after = row[0]
                yield row
            return
        except sqlite3.Error:
            until = _next_whole(old, after)
        with contextlib.suppress(sqlite3.Error):
            yield from old.execute(f"{question} AND id < ? ORDER BY id DESC", (after, until))
        if until >= _LAST_ID:
            return
        after = until - 1


def _next_whole(old: sqlite3.Connection, after: int) -> int:
    """Return the first id that can be read in twice, four times, … the distance; the last of all where none can."""
    step = 1
    while after + step < _LAST_ID:
        with contextlib.suppress(sqlite3.Error):
            found = old.execute(
                "SELECT id, data FROM chunks WHERE id > ? ORDER BY id LIMIT 1", (after + step,)
            ).fetchone()
            return int(found[0]) if found else _LAST_ID
        step *= 2
    return _LAST_ID


def _first_time(database: HistoryDatabase, path: str) -> bool:
    return bool(database.connection.execute("INSERT OR IGNORE INTO restored VALUES (?)", (path,)).rowcount)


def _both_ways(old: sqlite3.Connection, question: str) -> Iterator[Any]:
    """Yield the rows that can be read from the front, then those from the back; the same row may come twice."""
    for direction in ("", "DESC"):
        try:
            yield from old.execute(question.format(direction))
            return  # all of it could be read
        except (sqlite3.Error, OverflowError):
            continue
