"""How much was asked of an endpoint in the last day, for the small charts of a list; worked out once in a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from modelward.api.series import HistoryQuery, HistorySeries
from modelward.api.views import FleetRow
from modelward.hub.errors import HubError
from modelward.hub.history.store import HistoryStore

SLOTS = 96
SLOT_MS = 900_000
KEPT = 10_000
"""Endpoints whose day is remembered: 96 numbers each."""
Asked: TypeAlias = tuple[int | None, ...]


@dataclass(slots=True)
class LastDay:
    """Adds to rows what was asked in each quarter of an hour; None where it was not watched."""

    history: HistoryStore
    clock_ms: Callable[[], int]
    _known: dict[tuple[str, str], tuple[int, Asked]] = field(default_factory=dict)

    async def added(self, rows: Sequence[FleetRow]) -> tuple[FleetRow, ...]:
        """Return the rows of one page with their day; as they were where there is no history."""
        end_ms = -(-self.clock_ms() // SLOT_MS) * SLOT_MS
        days = await asyncio.gather(*(self._of((row.namespace, row.name), end_ms) for row in rows))
        return tuple(row.model_copy(update={"asked": day}) for row, day in zip(rows, days, strict=True))

    async def _of(self, endpoint: tuple[str, str], end_ms: int) -> Asked:
        minute = self.clock_ms() // 60_000
        known = self._known.get(endpoint)
        if known and minute - known[0] < 5:
            return known[1]
        query = HistoryQuery("requests", end_ms - SLOTS * SLOT_MS, end_ms, points=SLOTS)
        try:
            day = asked(await self.history.answer(endpoint, query), query.from_ms)
        except HubError:
            return ()
        if len(self._known) >= KEPT:
            self._known.clear()
        self._known[endpoint] = minute, day
        return day


def asked(series: HistorySeries, from_ms: int) -> Asked:
    """Return the requests of each quarter of an hour; nothing where none was watched."""
    found: list[int | None] = [None] * SLOTS
    for index, (at_ms, seen) in enumerate(zip(series.at_ms, series.seen, strict=True)):
        slot = (at_ms - from_ms) // SLOT_MS
        if seen > 0 and 0 <= slot < SLOTS:
            found[slot] = (found[slot] or 0) + sum(line.values[index] or 0 for line in series.lines)
    return tuple(found) if any(one is not None for one in found) else ()
