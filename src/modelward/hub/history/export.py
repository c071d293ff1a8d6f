"""Copies history to the object store, and reads it back, the newest first, where the database was lost.

Of an object store SQLite is an index: the pod's own disk goes with the pod. What is running is copied each hour, so at
most an hour is lost; its minutes are kept as rows of five minutes and coarser, but for those that are not sealed yet.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from modelward.hub.history import gathering
from modelward.hub.history.bundle import (
    PREFIX,
    SHARDS,
    SealedDay,
    StoredChunk,
    bundle_from_bytes,
    bundle_to_bytes,
    running_of,
    running_path,
    sealed_day,
)
from modelward.hub.history.chunk import ChunkDamagedError, chunk_from_bytes
from modelward.hub.history.database import HistoryDatabase
from modelward.hub.history.store import HistoryStore
from modelward.hub.history.tiers import BY_NUMBER
from modelward.hub.layout import is_endpoint
from modelward.hub.objects import ObjectStore

log = logging.getLogger(__name__)
_UNREADABLE = (ValueError, KeyError, TypeError)


@dataclass(slots=True)
class HistoryExport:
    """Writes and reads bundles of one history; `known` are the objects that the store has."""

    store: HistoryStore
    objects: ObjectStore
    known: dict[str, int] = field(default_factory=dict)

    async def restore(self) -> int:
        """Take over what a new database has not, newest first; return how many chunks. Once done it is never again."""
        self.known = {path: size async for path, size in self.objects.paths(PREFIX)}
        taken = 0
        if await self.store.work(lambda database: _is_restored(database, PREFIX)):
            return taken
        for path in sorted(self.known, key=_newest_first):
            if running_of(path) or sealed_day(path) is not None:
                taken += await self._taken(path)
        await self.store.work(_finish)
        log.info("history restored objects=%d chunks=%d", len(self.known), taken)
        return taken

    async def _taken(self, path: str) -> int:
        try:
            return await self._take(path)
        except _UNREADABLE as error:
            log.error("history object not read path=%r cause=%r", path, str(error))
            return 0

    async def _take(self, path: str) -> int:
        if await self.store.work(lambda database: _is_restored(database, path)):
            return 0
        data = await self.objects.get(path)
        if data is None:
            return 0
        chunks = await asyncio.to_thread(lambda: list(bundle_from_bytes(data)))
        now_ms = self.store.clock_ms()
        return await self.store.work(lambda database: _restored(database, path, chunks, now_ms))

    async def export(self) -> None:
        """Copy the days that are over, and what is running; delete objects whose time is over."""
        now_ms, store = self.store.clock_ms(), self.store
        if not await store.work(lambda database: _is_restored(database, PREFIX)):
            return  # it would write less over more
        for namespace in await store.used():
            for shard in range(SHARDS):
                await self._export(namespace, shard, now_ms)
        await self._delete_old(now_ms)

    async def _export(self, namespace: str, shard: int, now_ms: int) -> None:
        for day in await self.store.work(lambda database: gathering.days(database, namespace, shard, now_ms)):
            if day.path not in self.known:
                found = await self.store.work(partial(gathering.of_day, day=day))
                await self._put(day.path, found)
        # Last, because it lacks what days have taken over: where it breaks off these chunks are there twice, not never.
        running = await self.store.work(lambda database: gathering.running(database, namespace, shard, now_ms))
        await self._put(running_path(namespace, shard), running)

    async def _put(self, path: str, chunks: list[StoredChunk]) -> None:
        if chunks:
            data = bundle_to_bytes(chunks)
            await self.objects.put(path, data)
            self.known[path] = len(data)
        elif path in self.known:
            await self._delete([path])

    async def purge(self, namespace: str) -> None:
        """Delete all objects of a namespace."""
        await self._delete([path for path in self.known if path.startswith(f"{PREFIX}{namespace}/")])

    async def _delete_old(self, now_ms: int) -> None:
        days = {path: day for path in self.known if (day := sealed_day(path)) is not None}
        bounds = self.store.place.bounds if self.store.place else None
        keep = bounds.keep_ms if bounds else {}
        gone = [
            path
            for path, day in days.items()
            if day.over_ms < now_ms - min(day.tier.keep_ms, keep.get(day.namespace, day.tier.keep_ms))
        ]
        if bounds is not None:
            left = {path: day for path, day in days.items() if path not in gone}
            gone += _surplus(left, self.known, bounds.total_bytes)
        await self._delete(gone)

    async def _delete(self, paths: list[str]) -> None:
        await self.objects.delete(paths)
        for path in paths:
            self.known.pop(path, None)


def export_of(store: HistoryStore, url: str) -> HistoryExport | None:
    """Return what copies a history to an object store; None where there is none."""
    if not url or store.place is None:
        return None
    export = HistoryExport(store, ObjectStore(url))
    store.purged = export.purge
    return export


def _newest_first(path: str) -> tuple[int, int]:
    day = sealed_day(path)
    return (1, -day.day_ms) if day else (0, 0)


def _surplus(days: dict[str, SealedDay], sizes: dict[str, int], most: int) -> list[str]:
    """Return the oldest objects of each namespace beyond what one may have."""
    used: dict[str, int] = defaultdict(int)
    gone = []
    for path in sorted(days, key=lambda path: -days[path].day_ms):
        used[days[path].namespace] += sizes[path]
        if used[days[path].namespace] > most:
            gone.append(path)
    return gone


def _finish(database: HistoryDatabase) -> None:
    with database.transaction() as connection:
        connection.execute("DELETE FROM restored WHERE path LIKE ?", (f"{PREFIX}%",))
        connection.execute("INSERT INTO restored VALUES (?)", (PREFIX,))


def _is_restored(database: HistoryDatabase, path: str) -> bool:
    rows = database.connection.execute("SELECT 1 FROM restored WHERE path = ?", (path,))
    return rows.fetchone() is not None


def _restored(database: HistoryDatabase, path: str, chunks: Iterable[StoredChunk], now_ms: int) -> int:
    """Add chunks that were not taken over yet, in one transaction that says so."""
    taken = 0
    with database.transaction() as connection:
        connection.execute("INSERT OR IGNORE INTO restored VALUES (?)", (path,))
        for one in chunks:
            key = f"{PREFIX}{one.endpoint}/{one.tier}-{one.start_ms}{'-staged' if one.staged else ''}"
            tier = BY_NUMBER.get(one.tier)
            if tier is None or not is_endpoint(one.endpoint):
                continue
            if not connection.execute("INSERT OR IGNORE INTO restored VALUES (?)", (key,)).rowcount:
                continue
            try:
                records = chunk_from_bytes(one.data).records()
            except ChunkDamagedError as error:
                log.error("history object damaged path=%r cause=%r", path, str(error))
                continue
            own = database.endpoint(*one.endpoint.split("/", 1))
            at = [(one.start_ms + place * tier.step_ms, record) for place, record in records.items()]
            if one.staged:
                for at_ms, record in at:
                    database.stage(own, at_ms, record)
            else:
                database.add(own, tier, one.start_ms, at, now_ms)
            taken += 1
    return taken
