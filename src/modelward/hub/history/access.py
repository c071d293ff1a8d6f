"""The database behind one history, and in which state it is: opened, or set aside and made anew where it is damaged.

What keeps it from being used (a newer database, a full disk, a damaged file) is a state with a problem in words, and an
error for whoever asks; it raises nothing else, and each write tries again.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from modelward.hub.errors import HubError
from modelward.hub.history import salvage
from modelward.hub.history.database import HistoryDatabase
from modelward.hub.history.file import NewerHistoryError, check, is_damage, is_full, opened, reading
from modelward.hub.history.place import HistoryPlace, HistoryState
from modelward.hub.history.retention import HistoryBounds

log = logging.getLogger(__name__)
RETRY_S = 60
T = TypeVar("T")


@dataclass(slots=True)
class HistoryAccess:
    """One database and its two connections; `write` is called by one thread, `read` by another.

    `damaged` is told of each part that cannot be read, `told` each state. `network` names the network file system of a
    path, empty for a local one.
    """

    place: HistoryPlace | None
    clock_ms: Callable[[], int]
    damaged: Callable[[str], None]
    told: Callable[[HistoryState], None]
    network: Callable[[Path], str]
    state: HistoryState = "Opening"
    problem: str = "it is being opened"
    _database: HistoryDatabase | None = None
    _reader: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open or make the database; whatever keeps it from that is said, and raises nothing."""
        if self.place is None:
            self._say("Off", "the hub keeps no history: it is off (history.enabled)")
            return
        path = self.place.path
        kind = self.network(path.parent) if path is not None else ""
        try:
            self._begin(path, "TRUNCATE" if kind else "WAL")
        except NewerHistoryError as error:
            self._say("Newer", f"{error}; it is left untouched: install the newer hub again, or move the file away")
            return
        except sqlite3.Error as error:
            self._failed(error)
            return
        told = f"on a network file system ({kind}): without a write-ahead log, so writes are slower" if kind else ""
        self._say("Ready", told)

    def _begin(self, path: Path | None, journal: str) -> None:
        bounds = self.place.bounds if self.place else HistoryBounds(1, 1)
        try:
            connection = opened(path, bounds.total_bytes, journal)
        except sqlite3.DatabaseError as error:
            if path is None or not is_damage(error):
                raise
            self._set_aside(path, error)
            connection = opened(path, bounds.total_bytes, journal)
        self._database = HistoryDatabase(connection, self._found_damaged)
        self._reader = reading(path) if path is not None else connection
        if path is not None:
            salvage.resume(self._database, path, self.clock_ms())

    def _set_aside(self, path: Path, error: Exception) -> None:
        self.close()
        aside = salvage.set_aside(path, self.clock_ms())
        self._found_damaged(f"{path}: {error}; set aside as {aside.name}, what is whole of it is taken over")

    def _found_damaged(self, what: str) -> None:
        self.damaged(what)
        log.error("history damaged what=%r", what)

    def close(self) -> None:
        """Close both connections."""
        for connection in {
            id(one): one for one in (self._reader, self._database and self._database.connection) if one
        }.values():
            connection.close()
        self._reader = self._database = None

    def _say(self, state: HistoryState, problem: str = "") -> None:
        if (state, problem) != (self.state, self.problem):
            level = logging.INFO if state in ("Ready", "Off") else logging.ERROR
            log.log(level, "history state=%s problem=%r", state, problem)
        self.state, self.problem = state, problem
        self.told(state)

    def write(self, work: Callable[[HistoryDatabase], T]) -> T:
        """Do it, on a new file where a damaged one had to be set aside; HubError 503 or 507 where it cannot be."""
        if self._database is None and self.state in ("Full", "Unusable"):
            self.open()
        for last in (False, True):
            if self._database is None:
                raise self._unavailable()
            try:
                done = work(self._database)
            except sqlite3.Error as error:
                if not last and is_damage(error) and self.place is not None and self.place.path is not None:
                    self._set_aside(self.place.path, error)
                    self.open()
                    continue
                self._failed(error)
                raise self._unavailable() from error
            if self.state in ("Full", "Unusable"):
                self._say("Ready")
            return done
        raise self._unavailable()

    def _failed(self, error: sqlite3.Error) -> None:
        if is_full(error):
            self._say("Full", f"the disk of the history is full, so it takes nothing: {error}")
        else:
            self._say("Unusable", f"the history cannot be used: {error}")

    @property
    def has_file(self) -> bool:
        """Whether it lies in a file, so that it can be read beside its writer."""
        return self.place is not None and self.place.path is not None

    def _unavailable(self) -> HubError:
        status = 507 if self.state == "Full" else 503
        code = {"Off": "HistoryOff", "Newer": "HistoryNewer"}.get(self.state, "HistoryUnavailable")
        return HubError(404 if self.state == "Off" else status, code, self.problem, RETRY_S)

    def check(self) -> None:
        """Read every page, so that damage that a reader has met is found, and the file set aside."""
        self.write(lambda database: check(database.connection))

    def read(self, work: Callable[[sqlite3.Connection], T], met_damage: Callable[[], object]) -> T:
        """Read something; HubError 503 where it cannot be, and `met_damage` is called where the file may be damaged."""
        reader = self._reader
        if reader is None:
            raise self._unavailable()
        try:
            return work(reader)
        except sqlite3.Error as error:
            if is_damage(error):
                met_damage()
            text = f"the history cannot be read now: {error}"
            raise HubError(503, "HistoryUnavailable", text, RETRY_S) from error
