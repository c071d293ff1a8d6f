"""A row of each endpoint each minute: made a few at a time, so that nothing else waits for it, and sent as batches."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import orjson
import zstandard

from modelward.api.history import MINUTE_MS, BatchKey, row_to_json
from modelward.hub_client.client import HubClient
from modelward.operator.minutes.ledger import MinuteLedger
from modelward.operator.minutes.outbox import Outbox, PackedBatch
from modelward.operator.observe.objective_ledger import ObjectiveLedger
from modelward.operator.observe.observer import Observer

log = logging.getLogger(__name__)
AFTER_MS = 3_000
"""How long after its end a minute is counted: readings that were under way have come."""
_AT_ONCE_S = 0.002
_BATCH_ROWS, _BATCH_BYTES = 1_500, 4 << 20
_MOST_MINUTES = 5
"""Minutes that are counted one by one after a pause; the readings of longer ones go to the last."""
_SEND_EVERY_S = 5.0


@dataclass(slots=True)
class MinuteRecorder:
    """Counts and sends while this process leads; each life of it, and each clock that was set back, is an epoch."""

    ledger: MinuteLedger
    observer: Observer
    objectives: ObjectiveLedger
    hub: Callable[[], HubClient | None]
    clock_ms: Callable[[], int]
    outbox: Outbox = field(default_factory=Outbox)
    _epoch: str = field(default_factory=lambda: uuid.uuid4().hex)
    _counted_ms: int = 0
    """The end of the minute that was counted last."""

    async def run(self) -> None:
        """Go on until cancelled; whatever goes wrong with a minute, the next one is counted."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send())
            while True:
                await asyncio.sleep(self.pause_s())
                try:
                    await self.count_due()
                except Exception:
                    log.exception("history=minute_not_counted")

    def pause_s(self) -> float:
        """Return the seconds until the next minute is due."""
        return (MINUTE_MS - (self.clock_ms() - AFTER_MS) % MINUTE_MS) / 1_000

    async def count_due(self) -> None:
        """Count the minutes that are over."""
        end_ms = (self.clock_ms() - AFTER_MS) // MINUTE_MS * MINUTE_MS
        if end_ms < self._counted_ms:  # the clock was set back: these minutes come once more, and must add up
            self._epoch, self._counted_ms = uuid.uuid4().hex, end_ms - MINUTE_MS
        first_ms = max(self._counted_ms or end_ms - MINUTE_MS, end_ms - _MOST_MINUTES * MINUTE_MS)
        for minute_ms in range(first_ms, end_ms, MINUTE_MS):
            self._counted_ms = minute_ms + MINUTE_MS
            await self._count(minute_ms)

    async def _count(self, minute_ms: int) -> None:
        lines: list[bytes] = []
        part, size, begun_s = 0, 0, time.monotonic()
        for endpoint in self.ledger.endpoints():
            seen, objectives = self.observer.of(endpoint), self.objectives.of(endpoint)
            row = self.ledger.row(endpoint, minute_ms, seen, objectives)
            if row is not None:
                lines.append(orjson.dumps(row_to_json(row)))
                size += len(lines[-1])
            if len(lines) >= _BATCH_ROWS or size >= _BATCH_BYTES:
                await self._pack(BatchKey(self._epoch, minute_ms, part), lines)
                lines, part, size = [], part + 1, 0
            if time.monotonic() - begun_s > _AT_ONCE_S:
                await asyncio.sleep(0)
                begun_s = time.monotonic()
        if lines:
            await self._pack(BatchKey(self._epoch, minute_ms, part), lines)

    async def _pack(self, key: BatchKey, lines: Sequence[bytes]) -> None:
        body = await asyncio.to_thread(lambda: zstandard.compress(b"\n".join(lines), 3))
        self.outbox.add(PackedBatch(key, body, len(lines)))

    async def _send(self) -> None:
        while True:
            await self.outbox.send(self.hub())
            await asyncio.sleep(_SEND_EVERY_S)
