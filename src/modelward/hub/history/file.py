"""The database's file: which version it has, whether it lies on a network, how it is opened and made.

A file of a newer version is found out from its bytes alone: opening it by SQLite would already change what lies beside.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

VERSION = 1
_APPLICATION = 0x4D574448
_MAGIC = b"SQLite format 3\0"
_VERSION_AT, _WAL_HEAD, _FRAME_HEAD = 60, 32, 24
MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = ("nfs", "cifs", "smb", "9p", "ceph", "gluster", "lustre", "afs", "beegfs", "gpfs", "ocfs2", "gfs2", "fuse.")
"""File systems whose shared memory or locks a write-ahead log cannot rely on; `fuse.` are most clouds' volumes."""
_TABLES = """
CREATE TABLE namespaces (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL DEFAULT 0);
CREATE TABLE endpoints (
    id INTEGER PRIMARY KEY, namespace INTEGER NOT NULL, name TEXT NOT NULL, labels TEXT NOT NULL DEFAULT '{}',
    UNIQUE (namespace, name)
);
CREATE TABLE staged (
    endpoint INTEGER NOT NULL, minute INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (endpoint, minute)
) WITHOUT ROWID;
CREATE TABLE windows (
    endpoint INTEGER NOT NULL, policy TEXT NOT NULL, evaluation TEXT NOT NULL, from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (endpoint, to_ms, policy, evaluation, from_ms)
) WITHOUT ROWID;
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY, endpoint INTEGER NOT NULL, tier INTEGER NOT NULL, start INTEGER NOT NULL,
    changed INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (endpoint, tier, start)
);
CREATE TABLE batches (
    epoch TEXT NOT NULL, minute INTEGER NOT NULL, part INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (epoch, minute, part)
) WITHOUT ROWID;
CREATE TABLE restored (path TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class NewerHistoryError(Exception):
    """The file is of a version that only a newer hub reads."""


def network_file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """Return the type of the network file system that holds a path; empty where it is a local one, or unknown."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = -1, ""
    for line in lines:
        left, _, right = line.partition(" - ")
        point, found = left.split(" ")[4:5], right.split(" ")[0]
        where = point[0].replace("\\040", " ") if point else ""
        if where and path.resolve().is_relative_to(where) and len(where) >= best:
            best, kind = len(where), found
    return kind if kind.startswith(_NETWORK) else ""


def version_of(path: Path) -> int:
    """Return the version that a database's file says, its write-ahead log included; 0 where it says none."""
    return max([0, *_versions(path)])


def _versions(path: Path) -> Iterator[int]:
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError:
        return
    if not head.startswith(_MAGIC):
        return
    yield _number(head, _VERSION_AT)
    try:
        with path.with_name(path.name + "-wal").open("rb") as log:
            page_bytes = _number(log.read(_WAL_HEAD), 8)
            while page_bytes and len(frame := log.read(_FRAME_HEAD + page_bytes)) == _FRAME_HEAD + page_bytes:
                page = frame[_FRAME_HEAD:]
                if _number(frame, 0) == 1 and page.startswith(_MAGIC):
                    yield _number(page, _VERSION_AT)
    except OSError:
        return


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def opened(path: Path | None, most_bytes: int, journal: str = "WAL") -> sqlite3.Connection:
    """Open a database for writing, and make it where there is none; in memory for None.

    NewerHistoryError for one of a newer version, which stays as it is; sqlite3.Error for what is none.
    """
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if (found := version_of(path)) > VERSION:
            raise NewerHistoryError(f"{path} is of version {found}, this hub reads up to {VERSION}")
    connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False, timeout=10)
    try:
        _prepare(connection, most_bytes, journal)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, most_bytes: int, journal: str) -> None:
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.execute("PRAGMA synchronous = FULL")  # one batch a minute can wait for the disk
    connection.execute("PRAGMA cache_size = -8192")
    if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
        pragmas = f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {VERSION};"
        connection.executescript(f"BEGIN; {_TABLES} {pragmas} COMMIT;")
    page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {max(64, most_bytes // page_bytes)}")
    connection.execute("SELECT count(*) FROM namespaces").fetchone()


def reading(path: Path) -> sqlite3.Connection:
    """Open a database beside its writer, for reading only."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("PRAGMA query_only = 1")
    connection.execute("PRAGMA cache_size = -8192")
    return connection


def check(connection: sqlite3.Connection) -> None:
    """Read every page, so that a writer finds the damage that a reader has met; sqlite3.DatabaseError says where."""
    found = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found and found[0] != "ok":
        raise sqlite3.DatabaseError(f"malformed: {found[0]}")


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether an error says that the file is damaged, or no database."""
    return any(sign in str(error) for sign in ("malformed", "not a database", "corrupt", "no such table"))


def is_full(error: sqlite3.Error) -> bool:
    """Return whether an error says that there is no room."""
    return any(sign in str(error) for sign in ("full", "No space left"))
