"""Group commit: what several collectors post within a second becomes a few objects, and 202 still means stored."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

import zstandard

from modelward.hub.errors import HubError, busy, store_unavailable
from modelward.hub.ingest import Record
from modelward.hub.layout import ExchangeObject, hour_of, namespace_of
from modelward.hub.settings import Limits
from modelward.hub.turns import Turns

log = logging.getLogger(__name__)
PARALLEL_PUTS = 8
PARALLEL_PUTS_OF_ONE = 3
LEVEL = 6
Put = Callable[[ExchangeObject, bytes], Awaitable[None]]
"""Stores one object and takes note of it."""


@dataclass(slots=True)
class _Waiting:
    records: Sequence[Record]
    stored: asyncio.Future[None]


@dataclass(slots=True)
class _Namespace:
    """What one namespace waits for; its flushes follow each other, and no other namespace waits for them."""

    waiting: list[_Waiting] = field(default_factory=list)
    bytes_held: int = 0
    flushing: asyncio.Task[None] | None = None


@dataclass(slots=True)
class WriteBuffer:
    """Holds what is not stored yet, bounded by `limits.buffer_bytes`, a quarter of it for one namespace."""

    put: Put
    limits: Limits
    _namespaces: dict[str, _Namespace] = field(default_factory=lambda: defaultdict(_Namespace))
    _turns: Turns = field(default_factory=lambda: Turns(PARALLEL_PUTS, PARALLEL_PUTS_OF_ONE))
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: bool = False
    bytes_held: int = 0

    async def store(self, records: Sequence[Record]) -> None:
        """Return when all the records are in the store; HubError when they are not, or the buffer is full.

        After an error some of them may be stored all the same: senders repeat the batch, and readers drop twins.
        """
        by_namespace: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            by_namespace[namespace_of(record.endpoint)].append(record)
        if len(by_namespace) == 1:
            await self._store(*by_namespace.popitem())
            return
        results = await asyncio.gather(
            *(self._store(namespace, own) for namespace, own in by_namespace.items()), return_exceptions=True
        )
        for result in results:
            if result is not None:
                raise result

    async def _store(self, namespace: str, records: Sequence[Record]) -> None:
        size = sum(len(record.line) for record in records)
        held = self._namespaces[namespace]
        limit = self.limits.buffer_bytes
        # An empty buffer takes whatever passed the limits of a batch, however small the share is.
        if self.bytes_held + size > limit or (held.bytes_held and held.bytes_held + size > limit // 4):
            raise busy("the hub's store is slower than what arrives; send again later")
        waiting = _Waiting(records, asyncio.get_running_loop().create_future())
        held.waiting.append(waiting)
        held.bytes_held += size
        self.bytes_held += size
        if self._closing or self.bytes_held >= self.limits.flush_bytes:
            self._wake.set()
        try:
            await waiting.stored
        finally:
            held.bytes_held -= size
            self.bytes_held -= size
            if not held.bytes_held and self._namespaces.get(namespace) is held and not held.waiting:
                del self._namespaces[namespace]

    async def run(self) -> None:
        """Begin a flush every interval, or as soon as enough is held, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self.limits.flush_interval_s):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            self._begin()

    def hurry(self) -> None:
        """Flush at once from now on: the hub is about to stop, and callers wait for their answer."""
        self._closing = True
        self._wake.set()

    async def flush(self) -> None:
        """Return when all that is held now is written, and those who wait are answered."""
        tasks = [asyncio.create_task(self._drain(held)) for held in self._namespaces.values()]
        if tasks:
            await asyncio.wait(tasks)

    async def _drain(self, held: _Namespace) -> None:
        if held.flushing is not None:
            await asyncio.wait([held.flushing])
        if held.waiting:
            await asyncio.wait([self._begin_one(held)])

    def _begin(self) -> None:
        for held in self._namespaces.values():
            if held.waiting:
                self._begin_one(held)

    def _begin_one(self, held: _Namespace) -> asyncio.Task[None]:
        """Let a namespace be flushed, unless it is; return the flush."""
        if held.flushing is None or held.flushing.done():
            held.flushing = asyncio.create_task(self._flush(held))
        return held.flushing

    async def _flush(self, held: _Namespace) -> None:
        taken, held.waiting = held.waiting, []
        error = await self._write([record for waiting in taken for record in waiting.records])
        for waiting in taken:
            if waiting.stored.done():
                continue
            if error:
                waiting.stored.set_exception(error)
            else:
                waiting.stored.set_result(None)
        if held.waiting and (self._closing or held.bytes_held >= self.limits.flush_bytes):
            self._wake.set()

    async def _write(self, records: list[Record]) -> HubError | None:
        groups: dict[tuple[str, str], list[Record]] = defaultdict(list)
        for record in records:
            groups[record.endpoint, hour_of(record.time_ms)].append(record)
        puts = [self._put(endpoint, hour, group) for (endpoint, hour), group in groups.items()]
        errors = [error for error in await asyncio.gather(*puts) if error]
        if errors:
            log.error(
                "flush failed objects=%d of=%d code=%s cause=%r", len(errors), len(puts), errors[0].code, str(errors[0])
            )
        return errors[0] if errors else None

    async def _put(self, endpoint: str, hour: str, group: list[Record]) -> HubError | None:
        group.sort(key=lambda record: record.time_ms)
        item = ExchangeObject(endpoint, hour, group[0].time_ms, group[-1].time_ms, len(group), uuid.uuid4().hex)
        async with self._turns.of(item.namespace):
            try:
                await self.put(item, await asyncio.to_thread(compress, [record.line for record in group]))
            except HubError as error:
                return error
            except Exception as error:  # noqa: BLE001  # whoever waits must get an answer, and the loop must live on
                return store_unavailable(type(error).__name__)
        return None


def compress(lines: Iterable[bytes]) -> bytes:
    """Return the lines as one zstd frame of ndjson with a checksum; frames may be joined to one file."""
    writer = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compressobj()
    pieces = [writer.compress(line + b"\n") for line in lines]
    return b"".join([*pieces, writer.flush()])
