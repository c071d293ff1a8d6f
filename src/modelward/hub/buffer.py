"""Group commit: what several collectors post within a second becomes a few objects, and 202 still means stored."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import zstandard

from modelward.hub.errors import HubError, busy, store_unavailable
from modelward.hub.ingest import Record
from modelward.hub.layout import ExchangeObject, hour_of
from modelward.hub.settings import Limits

log = logging.getLogger(__name__)
PARALLEL_PUTS = 8
LEVEL = 6


@dataclass(slots=True)
class _Waiting:
    records: Sequence[Record]
    stored: asyncio.Future[None]


@dataclass(slots=True)
class WriteBuffer:
    """Holds what is not stored yet, bounded by `limits.buffer_bytes`.

    `put` stores one object; `noted` is told of each one that was stored.
    """

    put: Callable[[str, bytes], Awaitable[None]]
    noted: Callable[[ExchangeObject], None]
    limits: Limits
    _waiting: list[_Waiting] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: bool = False
    bytes_held: int = 0

    async def store(self, records: Sequence[Record]) -> None:
        """Return when all the records are in the store; HubError when they are not, or the buffer is full.

        After an error some of them may be stored all the same: senders repeat the batch, and readers drop twins.
        """
        if not records:
            return
        size = sum(len(record.line) for record in records)
        if self.bytes_held + size > self.limits.buffer_bytes:
            raise busy("the hub's store is slower than what arrives; send again later")
        self.bytes_held += size
        waiting = _Waiting(records, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._closing or self.bytes_held >= self.limits.flush_bytes:
            self._wake.set()
        try:
            await waiting.stored
        finally:
            self.bytes_held -= size

    async def run(self) -> None:
        """Flush every interval, or as soon as enough is held, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self.limits.flush_interval_s):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            await self.flush()

    def hurry(self) -> None:
        """Flush at once from now on: the hub is about to stop, and callers wait for their answer."""
        self._closing = True
        self._wake.set()

    async def flush(self) -> None:
        """Write all that is held and answer those who wait."""
        taken, self._waiting = self._waiting, []
        if not taken:
            return
        error = await self._write([record for waiting in taken for record in waiting.records])
        for waiting in taken:
            if waiting.stored.done():
                continue
            if error:
                waiting.stored.set_exception(error)
            else:
                waiting.stored.set_result(None)

    async def _write(self, records: list[Record]) -> HubError | None:
        groups: dict[tuple[str, str], list[Record]] = defaultdict(list)
        for record in records:
            groups[record.endpoint, hour_of(record.time_ms)].append(record)
        gate = asyncio.Semaphore(PARALLEL_PUTS)
        puts = [self._put(endpoint, hour, group, gate) for (endpoint, hour), group in groups.items()]
        errors = [error for error in await asyncio.gather(*puts) if error]
        if errors:
            log.error(
                "flush failed objects=%d of=%d code=%s cause=%s", len(errors), len(puts), errors[0].code, errors[0]
            )
        return errors[0] if errors else None

    async def _put(self, endpoint: str, hour: str, group: list[Record], gate: asyncio.Semaphore) -> HubError | None:
        group.sort(key=lambda record: record.time_ms)
        item = ExchangeObject(endpoint, hour, group[0].time_ms, group[-1].time_ms, len(group), uuid.uuid4().hex)
        async with gate:
            try:
                await self.put(item.path, await asyncio.to_thread(compress, [record.line for record in group]))
            except HubError as error:
                return error
            except Exception as error:  # noqa: BLE001  # whoever waits must get an answer, and the loop must live on
                return store_unavailable(type(error).__name__)
        self.noted(item)
        return None


def compress(lines: Sequence[bytes]) -> bytes:
    """Return the lines as one zstd frame of ndjson with a checksum; frames may be joined to one file."""
    return zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(b"".join(line + b"\n" for line in lines))
