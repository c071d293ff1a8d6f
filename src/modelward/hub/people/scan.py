"""Finding exchanges by a filter, newest first, within what one question may cost; a cursor goes on."""

from __future__ import annotations

import asyncio
import heapq
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from modelward.api.exchange import Exchange, ended_ms, real_number, whole_number
from modelward.api.exchange_page import Stopped
from modelward.hub.layout import ExchangeObject
from modelward.hub.rules import Rule, limited
from modelward.hub.stored import StoredLines
from modelward.hub.window import readable

SCAN_S = 2.0
SCAN_BYTES = 64 << 20
"""Bytes of lines, after decompression."""
_PLAIN = re.compile(r"[a-z0-9 .,;:_@'-]+")
"""Words whose bytes stand in a stored line as they are: JSON escapes none of them."""
_LOWERED_TO_ASCII = ("\u212a".encode(), "\u0130".encode(), b"\\u")
"""The two letters outside of ASCII that lower case turns into letters of it, and how JSON may write any letter."""


@dataclass(frozen=True, slots=True)
class ExchangeFilter:
    """What to find of the exchanges that ended in [from_ms, to_ms); what is empty leaves all."""

    from_ms: int
    to_ms: int
    outcome: str = ""
    status: int | None = None
    slower_ms: int | None = None
    revision: str = ""
    caller: str = ""
    words: str = ""
    """Lower case, looked for in what the rule lets be shown."""
    ids: frozenset[str] = frozenset()

    def may_hold(self, line: bytes) -> bool:
        """Return whether a stored line may hold the words, by its bytes alone; where that is not sure, it may."""
        if not _PLAIN.fullmatch(self.words) or self.words.encode() in line.lower():
            return True
        return any(letter in line for letter in _LOWERED_TO_ASCII)

    def leaves_row(self, row: Mapping[str, Any]) -> bool:
        """Return whether a stored line may be among them, by what costs nothing to read."""
        if self.outcome and row.get("outcome") != self.outcome:
            return False
        if self.status is not None and row.get("status") != self.status:
            return False
        if self.revision and row.get("revision", "") != self.revision:
            return False
        if self.caller and row.get("caller", "") != self.caller:
            return False
        return not self.ids or row["id"] in self.ids

    def leaves(self, exchange: Exchange) -> bool:
        """Return whether an exchange, as it may be shown, is among them."""
        if self.slower_ms is not None and exchange.timings.duration_ms < self.slower_ms:
            return False
        if not self.words:
            return True
        return any(self.words in text.lower() for text in (exchange.response, *(m.text for m in exchange.messages)))


@dataclass(frozen=True, slots=True, order=True)
class ScanMark:
    """Where a page ended: what comes next ended before, or then with a smaller id."""

    ended_ms: int
    id: str = ""


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was found, newest first; `following` is where to go on, None at the end."""

    exchanges: tuple[Exchange, ...]
    following: ScanMark | None
    stopped: Stopped
    rows: int
    reached_ms: int | None


@dataclass(slots=True)
class ExchangeScan:
    """One question. Objects come newest first, by when their last exchange ended; they overlap a little.

    So an exchange is sure to be the next newest once no object that is not read yet can hold a newer one.
    """

    asked: ExchangeFilter
    rule: Rule
    now_ms: int
    limit: int
    before: ScanMark | None = None
    flagged: Callable[[int, str], bool] | None = None
    """By when an exchange began and its id."""
    rows: int = 0
    size: int = 0
    _heap: list[tuple[ScanMark, Exchange]] = field(default_factory=list)
    _seen: set[ScanMark] = field(default_factory=set)

    async def run(
        self,
        objects: AsyncIterator[tuple[ExchangeObject, bytes]],
        frontier: Callable[[], int | None],
        spent: Callable[[], bool],
        prepare: Callable[[ExchangeObject], Awaitable[None]],
    ) -> Scanned:
        """Read until the page is full, the budget spent or the end reached.

        `frontier` is when the newest exchange ended of what is not read yet, None where nothing is left.
        """
        async for item, data in objects:
            await prepare(item)
            await asyncio.to_thread(self._add, StoredLines(data))
            rest_ms = frontier()
            if rest_ms is None:
                break
            if len(self._heap) >= self.limit and self._heap[0][0].ended_ms > rest_ms:
                return self._page("PageFull", None)
            if (self.size > SCAN_BYTES or spent()) and (self.before is None or rest_ms + 1 < self.before.ended_ms):
                return self._page("Budget", rest_ms)
        return self._page("End", None)

    def _page(self, stopped: Stopped, rest_ms: int | None) -> Scanned:
        ordered = sorted(self._heap, key=lambda one: one[0], reverse=True)
        if rest_ms is not None:  # what ended before that may have newer ones among what is not read
            ordered = [one for one in ordered if one[0].ended_ms > rest_ms]
        following: ScanMark | None = None
        if rest_ms is not None:
            following = ScanMark(rest_ms + 1)
        elif len(self._seen) > len(ordered) or stopped == "PageFull":
            following = ordered[-1][0] if ordered else None
            stopped = "PageFull"
        reached_ms = following.ended_ms if following else self.asked.from_ms
        return Scanned(tuple(one for _, one in ordered), following, stopped, self.rows, reached_ms)

    def _add(self, lines: StoredLines) -> None:
        for line in lines:
            self.size += len(line)
            if not self.asked.may_hold(line):
                self.rows += 1
                continue
            row = lines.row(line)
            if row is None:
                continue
            self.rows += 1
            time_ms = whole_number(row["time_ms"])
            end_ms = ended_ms(time_ms, real_number(row["timings"]["duration_ms"]))
            mark = ScanMark(end_ms, str(row["id"]))
            if not self.asked.from_ms <= end_ms < self.asked.to_ms or (self.before and mark >= self.before):
                continue
            if mark in self._seen or not self.asked.leaves_row(row):
                continue
            if self.flagged is not None and not self.flagged(time_ms, mark.id):
                continue
            exchange = readable(line)
            shown = limited(exchange, self.rule, self.now_ms) if exchange else None
            if shown is None or not self.asked.leaves(shown):
                continue
            self._seen.add(mark)
            heapq.heappush(self._heap, (mark, replace(shown, endpoint="")))
            if len(self._heap) > self.limit:
                heapq.heappop(self._heap)
