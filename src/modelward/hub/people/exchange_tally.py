"""Counts of captured exchanges of a time, by code, revision, model and caller: only numbers, with bounded effort."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass

from modelward.api.exchange import Exchange, ended_ms
from modelward.hub.layout import ExchangeObject
from modelward.hub.people.exchange_api import HourlyScores
from modelward.hub.people.flip import AskedFlip
from modelward.hub.people.tally import CauseGroup, CountedSpan, RequestTally, span_of
from modelward.hub.rules import Rule, limited
from modelward.hub.scores import ScoreStore
from modelward.hub.store import ExchangeStore
from modelward.hub.stored import StoredLines
from modelward.hub.window import readable

TALLY_S = 1.0
TALLY_BYTES = 32 << 20
"""Bytes of lines, after decompression, that one time may cost."""
_LONG_MS = 600_000
_VALUE = 253


@dataclass(slots=True)
class _Reading:
    """What was read of one time so far."""

    flip: AskedFlip
    rule: Rule
    now_ms: int
    span: tuple[int, int]
    hours: HourlyScores
    callers: bool
    size: int = 0

    def rows(self, lines: StoredLines, seen: set[tuple[int, str]]) -> list[tuple[list[CauseGroup], RequestTally]]:
        """Return what counts of an object's lines; what may not be shown does not count, and twins count once."""
        return [row for one in self._shown(lines, seen) if (row := self._row(one))]

    def _shown(self, lines: StoredLines, seen: set[tuple[int, str]]) -> Iterator[Exchange]:
        for line in lines:
            self.size += len(line)
            exchange = readable(line)
            if exchange is None or (exchange.time_ms, exchange.id) in seen:
                continue
            end_ms = ended_ms(exchange.time_ms, exchange.timings.duration_ms)
            if self.span[0] <= end_ms < self.span[1] and limited(exchange, self.rule, self.now_ms):
                seen.add((exchange.time_ms, exchange.id))
                yield exchange
            if self.size > TALLY_BYTES:
                return

    def _row(self, one: Exchange) -> tuple[list[CauseGroup], RequestTally] | None:
        bad = self._bad(one)
        if bad is None:
            return None
        named: list[CauseGroup] = [("Revision", one.revision), ("Model", one.model)]
        named += [("Caller", one.caller)] if self.callers else []
        named += [("Code", str(one.status))] if bad and self.flip.scored is None and not self.flip.bad.latency else []
        weight = 1 / one.inclusion
        tally = RequestTally(1, int(bad), weight, weight * weight, weight if bad else 0.0)
        return [(kind, value[:_VALUE]) for kind, value in named if value], tally

    def _bad(self, one: Exchange) -> bool | None:
        if self.flip.scored is None:
            return self.flip.bad.of_exchange(one)
        kept = self.hours.of(one.time_ms, one.id).get(self.flip.scored)
        return kept.flagged if kept else None


@dataclass(frozen=True, slots=True)
class ExchangeTally:
    """Reads and counts; exchanges that the namespace's rules hide or that were erased are not counted."""

    store: ExchangeStore
    scores: ScoreStore

    async def of(self, endpoint: str, flip: AskedFlip, span: tuple[int, int], *, callers: bool) -> CountedSpan:
        """Return what was counted, newest first as far as the effort goes: the time then begins where it ended."""
        hours = HourlyScores(self.scores, endpoint, (flip.scored,) if flip.scored else ())
        reading = _Reading(flip, self.store.rules.of(endpoint), self.store.clock_ms(), span, hours, callers)
        rest, seen, rows = list[ExchangeObject](), set[tuple[int, str]](), list[tuple[list[CauseGroup], RequestTally]]()
        ends, from_ms = time.monotonic() + TALLY_S, span[0]
        async with aclosing(self.store.newest_first(endpoint, *span, rest)) as objects:
            async for item, data in objects:
                if flip.scored:
                    await hours.read(max(0, max(item.first_ms, span[0]) - _LONG_MS), min(item.last_ms, span[1]))
                rows += await asyncio.to_thread(reading.rows, StoredLines(data), seen)
                if rest and (reading.size > TALLY_BYTES or time.monotonic() > ends):
                    from_ms = max(from_ms, min(rest[0].last_ms, span[1]))
                    break
        return span_of(from_ms, span[1], rows)
