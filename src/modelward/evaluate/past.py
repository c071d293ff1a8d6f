"""What an evaluator of windows is compared with: the first exchanges of a revision, read again from the hub.

Nothing is kept for it but two times in the result. So nothing new ages: a reference is there as long as its exchanges
are, and what is erased or over `keepFor` is gone from it at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from modelward.api.evaluation import WindowResult
from modelward.api.exchange import Exchange, ended_ms
from modelward.api.run_plan import MAX_SAMPLES
from modelward.api.window_answer import WindowTest

FEWEST = 200
"""Exchanges of a reference at least; below, chance alone moves shares by more than most limits allow."""
DAY_MS = 86_400_000


class PastTraffic(Protocol):
    """Earlier exchanges of the endpoint, and what was answered last; the Job owns it."""

    async def window(self, from_ms: int, to_ms: int) -> Sequence[Exchange]:
        """Return a fair sample of the exchanges that ended in [from, to): all, or about MAX_SAMPLES of them."""
        ...

    async def last(self) -> WindowResult | None:
        """Return the newest earlier result of the same evaluation by the same version of its evaluator."""
        ...


@dataclass(frozen=True, slots=True)
class Reference:
    """What a window is compared with, of [from_ms, to_ms); not `complete` while there is too little for a test."""

    exchanges: tuple[Exchange, ...]
    from_ms: int
    to_ms: int
    complete: bool


async def of_period(past: PastTraffic, from_ms: int, to_ms: int) -> Reference:
    """Return the reference of a period that a person approved, whatever the revision was."""
    rows = tuple(await past.window(from_ms, to_ms))
    return Reference(rows, from_ms, to_ms, len(rows) >= FEWEST)


async def of_revision(
    past: PastTraffic, revision: str, until_ms: int, last: WindowTest | None, size: int = MAX_SAMPLES
) -> Reference:
    """Return about the first `size` exchanges of a revision that are still kept and ended before `until_ms`.

    Where the last test had a reference of which enough is left, it stays the same. It is complete with `size`
    exchanges, or after a day with FEWEST of them.
    """
    if last and last.reference_to_ms and last.reference_to_ms <= until_ms:
        kept = _own(await past.window(last.reference_from_ms, last.reference_to_ms), revision)
        if len(kept) >= FEWEST:
            return Reference(kept, last.reference_from_ms, last.reference_to_ms, complete=True)
    return await _first(past, revision, until_ms, size)


async def _first(past: PastTraffic, revision: str, until_ms: int, size: int) -> Reference:
    """Search; a range that holds more than one answer is halved, so all reads together cost about two of the first."""
    sample = await past.window(0, until_ms)
    rows = _own(sample, revision)
    if not rows:
        return Reference((), 0, 0, complete=False)
    begin_ms, end_ms, many = _ended(rows[0]), until_ms, len(sample) >= MAX_SAMPLES
    while len(sample) >= MAX_SAMPLES and end_ms - begin_ms > 1:
        end_ms = begin_ms + (end_ms - begin_ms) // 2
        sample = await past.window(begin_ms, end_ms)
        rows = _own(sample, revision) or rows
    if len(rows) > size:
        rows = rows[:size]
        end_ms = _ended(rows[-1]) + 1
    enough = len(rows) >= min(size, MAX_SAMPLES) or many or until_ms - begin_ms >= DAY_MS
    return Reference(rows, begin_ms, end_ms, complete=enough and len(rows) >= min(size, FEWEST))


def _own(rows: Sequence[Exchange], revision: str) -> tuple[Exchange, ...]:
    return tuple(sorted((one for one in rows if one.revision == revision), key=lambda one: (_ended(one), one.id)))


def _ended(exchange: Exchange) -> int:
    return ended_ms(exchange.time_ms, exchange.timings.duration_ms)
