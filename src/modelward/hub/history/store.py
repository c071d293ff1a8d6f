"""History as the rest of the hub uses it: off the event loop, and never in the way of exchanges.

One thread writes, another reads. What keeps history from being used is said in the log, in metrics and to whoever
asks; everything else of the hub goes on.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from modelward.api.evaluation import WindowResult
from modelward.api.history import HistoryBatch, HistoryHealth
from modelward.api.series import HistoryQuery, HistorySeries, ObjectivePeriod
from modelward.desired.runs import is_scheduled
from modelward.hub.errors import HubError, busy
from modelward.hub.history import answers, retention
from modelward.hub.history.access import RETRY_S, HistoryAccess
from modelward.hub.history.database import HistoryDatabase, Taken
from modelward.hub.history.file import network_file_system
from modelward.hub.history.late_rows import LateRows
from modelward.hub.history.place import HistoryPlace, HistoryState
from modelward.hub.history.prometheus import PrometheusHistory
from modelward.hub.history.totals import HistoryTotals, totals
from modelward.hub.turns import Turns

log = logging.getLogger(__name__)
_WAITING = 200
"""Writes that wait for their turn; more are refused, and put again by the operator."""
_QUESTIONS = 20
"""Questions to one namespace's history that wait for their turn."""
_SEALED_AT_ONCE = 10
T = TypeVar("T")


@dataclass(slots=True)
class HistoryStore:
    """One database and its two threads.

    `damaged` is told of each part that cannot be read, `trimmed` how many bytes went beyond a share, `told` each state.
    """

    place: HistoryPlace | None
    clock_ms: Callable[[], int]
    damaged: Callable[[str], None] = lambda _: None
    trimmed: Callable[[int], None] = lambda _: None
    told: Callable[[HistoryState], None] = lambda _: None
    network: Callable[[Path], str] = network_file_system
    purged: Callable[[str], Awaitable[None]] | None = None
    """Deletes what lies elsewhere of a namespace."""
    prometheus: PrometheusHistory | None = None
    """Answers in the place of the database what it has."""
    copy_problem: str = ""
    """Why the copy in an object store is not whole; empty where it is, or where there is to be none."""
    _access: HistoryAccess = field(init=False)
    _writing: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "history-writer"))
    _reading: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "history-reader"))
    _turns: Turns = field(default_factory=lambda: Turns(1, 1, _QUESTIONS))
    _late: LateRows = field(default_factory=LateRows)
    _waiting: int = 0
    _notes: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._access = HistoryAccess(self.place, self.clock_ms, self.damaged, self.told, self.network)

    @property
    def state(self) -> HistoryState:
        """In which state the database is."""
        return self._access.state

    @property
    def problem(self) -> str:
        """What is wrong with it, in words; empty where nothing is."""
        return self._access.problem

    @property
    def health(self) -> HistoryHealth:
        """How it is, as the operator is told."""
        return HistoryHealth(self.state, not self.copy_problem)

    async def open(self) -> None:
        """Open or make the database; whatever keeps it from that is said, and raises nothing."""
        await self._run(self._writing, self._access.open)

    async def close(self) -> None:
        """End both threads, after what was begun; what is staged stays staged."""
        for task in self._notes:
            task.cancel()
        await asyncio.to_thread(self._writing.shutdown, wait=True)
        await asyncio.to_thread(self._reading.shutdown, wait=True)
        self._access.close()

    async def put(self, batch: HistoryBatch) -> Taken:
        """Stage a batch; HubError 503 or 507 while history cannot take it. Again is no harm."""
        return await self._write(lambda database: self._put(database, batch))

    def note(self, result: WindowResult) -> None:
        """Stage what a check found in a window, when there is time."""
        if self._waiting < _WAITING and self.state == "Ready":
            task = asyncio.get_running_loop().create_task(self._noted(result))
            self._notes.add(task)
            task.add_done_callback(self._notes.discard)

    async def _noted(self, result: WindowResult) -> None:
        try:
            await self.put_windows([result])
        except HubError as error:  # the hub has the result itself, and stages it again at its next start
            where = f"{result.namespace}/{result.endpoint}"
            log.warning("history window not kept endpoint=%s cause=%r", where, str(error))

    async def put_windows(self, results: Sequence[WindowResult]) -> None:
        """Stage what checks found in windows; what a person asked for would count twice. Again is no harm."""
        scheduled = [one for one in results if is_scheduled(one.run)]

        def put(database: HistoryDatabase) -> None:
            for one in scheduled:
                database.put_window(one, self.clock_ms())

        await self._write(put)

    async def answer(self, endpoint: tuple[str, str], query: HistoryQuery) -> HistorySeries:
        """Return the lines of a metric, Prometheus' where one is set and has it; HubError 503 where that fails."""
        told = await self.prometheus.answer(endpoint, query, self.clock_ms()) if self.prometheus else None
        if told is not None:
            return told
        found = await self.read(endpoint, lambda reader: answers.answer(reader, endpoint, query, self.clock_ms()))
        return replace(found, problem="; ".join(filter(None, (self._told(), found.problem))))

    async def period(self, endpoint: tuple[str, str], from_ms: int, to_ms: int) -> ObjectivePeriod:
        """Return what objectives count over a time; HubError 503 while history cannot be read."""
        asked = partial(answers.period, endpoint=endpoint, from_ms=from_ms, to_ms=to_ms, now_ms=self.clock_ms())
        found = await self.read(endpoint, asked)
        return replace(found, problem="; ".join(filter(None, (self._told(), found.problem))))

    async def totals(self, endpoint: tuple[str, str], from_ms: int, to_ms: int) -> HistoryTotals:
        """Return all requests of a time by revision and model; HubError 503 while history cannot be read."""
        return await self.read(endpoint, lambda reader: totals(reader, endpoint, from_ms, to_ms, self.clock_ms()))

    async def seal(self) -> int:
        """Seal what is due, a few endpoints at a time; return how many endpoints that were."""
        due = await self._write(lambda database: database.due(self.clock_ms()))
        for start in range(0, len(due), _SEALED_AT_ONCE):
            some = due[start : start + _SEALED_AT_ONCE]
            await self._write(lambda database, some=some: self._sealed(database, some))  # type: ignore[misc]
        return len(due)

    async def tidy(self) -> None:
        """Delete what is too old, and what is beyond a share."""
        await self._write(self._tidied)

    async def purge(self, namespace: str) -> None:
        """Delete all of a namespace; where that cannot be done, it is said: there are counts in it, and no text."""
        try:
            await self._write(lambda database: retention.purge(database, namespace))
            if self.purged is not None:
                await self.purged(namespace)
        except HubError as error:
            if self.state != "Off":
                log.error("history not purged namespace=%s cause=%r", namespace, str(error))

    async def work(self, work: Callable[[HistoryDatabase], T]) -> T:
        """Do something in the writer's thread; HubError 503 or 507 while the database cannot be used."""
        return await self._write(work)

    async def used(self) -> dict[str, int]:
        """Return the bytes that each namespace holds."""
        return await self._write(lambda database: {one.name: one.bytes for one in retention.spaces(database)})

    def _put(self, database: HistoryDatabase, batch: HistoryBatch) -> Taken:
        taken = database.put(batch, self.clock_ms())
        if taken.new:
            self._late.add(batch, self.clock_ms())
        self._trim(database)
        if due := self._late.taken(_SEALED_AT_ONCE):
            self._sealed(database, due)
        return taken

    def _sealed(self, database: HistoryDatabase, some: list[tuple[str, str]]) -> None:
        database.seal(some, self.clock_ms())
        self._late.forget(some)
        self._trim(database)

    def _tidied(self, database: HistoryDatabase) -> None:
        if self.place is not None:
            retention.drop_old(database, self.place.bounds, self.clock_ms())
        self._trim(database)

    def _trim(self, database: HistoryDatabase) -> None:
        if self.place is None:
            return
        for namespace, size in retention.trim(database, self.place.bounds).items():
            self.trimmed(size)
            log.warning("history share exceeded namespace=%s deleted_bytes=%d", namespace, size)

    def _told(self) -> str:
        return self.problem if self.state != "Ready" else ""

    async def _write(self, work: Callable[[HistoryDatabase], T]) -> T:
        if self._waiting >= _WAITING:
            raise busy("the history has much to write; put it again")
        self._waiting += 1
        try:
            return await self._run(self._writing, lambda: self._access.write(work))
        finally:
            self._waiting -= 1

    async def read(self, endpoint: tuple[str, str], work: Callable[[sqlite3.Connection], T]) -> T:
        """Read something in the reader's thread; HubError 503 while history cannot be read."""
        executor = self._reading if self._access.has_file else self._writing
        async with self._turns.of(endpoint[0]):
            return await self._run(executor, lambda: self._access.read(work, self._suspected))

    def _suspected(self) -> None:
        self._writing.submit(self._access.check)

    async def _run(self, executor: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, work)
        except RuntimeError as error:
            raise HubError(503, "HistoryUnavailable", f"the hub is stopping: {error}", RETRY_S) from error
