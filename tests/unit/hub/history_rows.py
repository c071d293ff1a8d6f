"""Rows of history, and a store of them whose clock is a test's own."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from modelward.api.history import (
    BOUNDS,
    MINUTE_MS,
    BatchKey,
    HistoryBatch,
    HistoryPart,
    HistoryRow,
    LevelSpread,
    ObjectiveCount,
)
from modelward.api.series import HistoryMetric, HistoryQuery, HistorySeries
from modelward.hub.history.place import HistoryPlace
from modelward.hub.history.retention import HistoryBounds
from modelward.hub.history.store import HistoryStore

NOW_MS = 1_795_480_000_000 // 86_400_000 * 86_400_000
"""A midnight, at which rows of every step begin."""
ROOM = HistoryBounds(64 << 20, 64 << 20)


def buckets(*counts: int) -> tuple[int, ...]:
    """Return the buckets of a time to first token, of which the first are given."""
    return (*counts, *(0,) * (len(BOUNDS["ttft"]) + 1 - len(counts)))


def part(requests: int = 10, errors: int = 1, ttft: tuple[int, ...] = (), **more: Any) -> HistoryPart:
    """Return what passed of one revision and model."""
    outcomes = {"ok": requests - errors, "error": errors, "client_error": 0, "overload": 0, "cancelled": 0}
    base = HistoryPart("r1", "m", outcomes, {"ttft": ttft or buckets(requests)}, 100, 200, 300, "USD")  # type: ignore[arg-type]
    return replace(base, **more)


def row(minute: int = 0, endpoint: str = "retail/chat", **more: Any) -> HistoryRow:
    """Return the row of so many minutes after `NOW_MS`, watched all of it."""
    namespace, _, name = endpoint.partition("/")
    base = HistoryRow(
        namespace,
        name,
        NOW_MS + minute * MINUTE_MS,
        MINUTE_MS,
        (part(),),
        {"ready": LevelSpread(1, 2, 2, 2)},
        (ObjectiveCount("baseline", "errors", 10, 1),),
    )
    return replace(base, **more)


def batch(*rows: HistoryRow, epoch: str = "leader", number: int = 0) -> HistoryBatch:
    """Return rows as one batch, by the minute of the first."""
    return HistoryBatch(BatchKey(epoch, rows[0].minute_ms, number), rows)


@dataclass
class Clock:
    """A time that a test sets."""

    ms: int = NOW_MS

    def __call__(self) -> int:
        """Return it."""
        return self.ms


class Kept:
    """An open store and its clock."""

    def __init__(self, store: HistoryStore, clock: Clock) -> None:
        self.store, self.clock = store, clock

    async def put(self, rows: Iterable[HistoryRow], epoch: str = "leader") -> None:
        """Put each row as a batch of its own, at the end of its minute."""
        for number, one in enumerate(rows):
            self.clock.ms = max(self.clock.ms, one.minute_ms + MINUTE_MS)
            await self.store.put(batch(one, epoch=epoch, number=number))

    async def asked(self, metric: HistoryMetric, minutes: tuple[int, int], **more: Any) -> HistorySeries:
        """Ask for a metric over minutes after `NOW_MS`."""
        endpoint = more.pop("endpoint", ("retail", "chat"))
        span = (NOW_MS + minutes[0] * MINUTE_MS, NOW_MS + minutes[1] * MINUTE_MS)
        return await self.store.answer(endpoint, HistoryQuery(metric, *span, **more))


@contextlib.asynccontextmanager
async def kept(path: Path | None = None, bounds: HistoryBounds = ROOM, **more: Any) -> AsyncIterator[Kept]:
    """Open a store, and close it."""
    clock = more.pop("clock", None) or Clock()
    store = HistoryStore(HistoryPlace(path, bounds), clock, **more)
    await store.open()
    try:
        yield Kept(store, clock)
    finally:
        await store.close()
