"""What history needs in the background: to be opened, sealed, and kept within its bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import orjson

from modelward.api.evaluation import WindowResult, result_from_json
from modelward.hub.clock_watch import ClockWatch
from modelward.hub.errors import HubError
from modelward.hub.history.database import LATE_MS, HistoryDatabase
from modelward.hub.history.export import HistoryExport
from modelward.hub.history.store import HistoryStore
from modelward.hub.results import ResultStore


@dataclass(slots=True)
class HistoryUpkeep:
    """Opens the history when the hub serves already, and takes in the results that it may have missed."""

    store: HistoryStore
    results: ResultStore
    export: HistoryExport | None = None
    _clock: ClockWatch = field(init=False)
    _begun: bool = False
    _restored: bool = False

    def __post_init__(self) -> None:
        self._clock = ClockWatch(self.store.clock_ms)

    async def begin(self) -> None:
        """Open the database; a hub that was killed may have stored results that history does not know."""
        if self.store.state == "Opening":
            await self.store.open()
        if not self._begun:
            await self._take_in()
        if not self._restored and self.export is not None and self.store.state == "Ready":
            with self._copying():
                await self.export.restore()
            self._restored = True

    async def _take_in(self) -> None:
        if self.store.state == "Ready":
            self._clock.begin(await self.store.work(_newest_ms))
        after = ""
        while self.store.state == "Ready":
            rows, following = await self.results.page(self.store.clock_ms() - LATE_MS, after)
            await self.store.put_windows(await asyncio.to_thread(_results, rows))
            self._begun = following in ("", after)
            if self._begun:
                return
            after = following

    async def copy(self) -> None:
        """Copy to the object store what is running, and the days that are over."""
        if self.export is not None and self.store.state == "Ready":
            with self._copying():
                await self.export.export()

    @contextmanager
    def _copying(self) -> Iterator[None]:
        """Keep why the copy is not whole, until it is again."""
        try:
            yield
        except HubError as error:
            self.store.copy_problem = str(error)
            raise
        self.store.copy_problem = ""

    async def seal(self) -> None:
        """Seal what is due."""
        if self.store.state in ("Ready", "Full", "Unusable"):
            await self.store.seal()

    async def tidy(self) -> None:
        """Delete what is too old, but not on the word of a clock in doubt."""
        if self._clock.steady() and self.store.state == "Ready":
            await self.store.tidy()


def _newest_ms(database: HistoryDatabase) -> int:
    """Return the newest minute that waits to be sealed; 0 where there is none."""
    (found,) = database.connection.execute("SELECT coalesce(max(minute), 0) FROM staged").fetchone()
    return int(found)


def _results(rows: list[bytes]) -> list[WindowResult]:
    found = []
    for row in rows:
        try:
            found.append(result_from_json(orjson.loads(row)))
        except ValueError:
            continue
    return found
