"""One fair sample of an endpoint's exchanges in a window, however many there are, in bounded memory.

When a window holds more than may be returned, a uniform sample is kept: those with the smallest keyed hashes of id
and time (bottom-k), so that asking twice gives the same. Their inclusion probability is multiplied by the share kept,
which keeps weighted rates unbiased; the oldest alone would show only the beginning of the window.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

import orjson

from modelward.api.exchange import Exchange, ended_ms, exchange_from_json, real_number, whole_number
from modelward.api.sampling import sample_rank
from modelward.hub.rules import Rule, limited
from modelward.hub.stored import StoredLines

RANKS = 500_000
"""So many exchanges are known when they come again; in larger windows twins of later ones count twice in the total."""


@dataclass(order=True, slots=True)
class _Kept:
    rank: int
    time_ms: int
    line: bytes = field(compare=False)


@dataclass(slots=True)
class WindowSample:
    """Collects lines of exchanges that ended in [from_ms, to_ms), at most `limit` of them and `max_bytes`.

    Twins count once.
    """

    from_ms: int
    to_ms: int
    limit: int
    max_bytes: int
    seen: int = 0
    _ranks: set[int] = field(default_factory=set)
    _heap: list[_Kept] = field(default_factory=list)
    _bytes: int = 0

    def add(self, lines: StoredLines) -> None:
        """Consider the lines of one object; what cannot be read is counted there and left out."""
        for line in lines:
            row = lines.row(line)
            if row is None:
                continue
            time_ms = whole_number(row["time_ms"])
            if self.from_ms <= ended_ms(time_ms, real_number(row["timings"]["duration_ms"])) < self.to_ms:
                self._consider(sample_rank(str(row["id"]), time_ms), time_ms, line)

    def _consider(self, rank: int, time_ms: int, line: bytes) -> None:
        if rank in self._ranks:
            return
        if len(self._ranks) < RANKS:
            self._ranks.add(rank)
        self.seen += 1
        heapq.heappush(self._heap, _Kept(-rank, time_ms, line))
        self._bytes += len(line)
        while len(self._heap) > self.limit or (self._bytes > self.max_bytes and len(self._heap) > 1):
            self._bytes -= len(heapq.heappop(self._heap).line)

    def exchanges(self, rule: Rule, now_ms: int) -> Iterator[Exchange]:
        """Yield what the rule leaves, oldest first."""
        share = len(self._heap) / self.seen if self.seen else 1.0
        for kept in sorted(self._heap, key=lambda k: (k.time_ms, k.rank)):
            exchange = readable(kept.line)
            if exchange and (exchange := limited(exchange, rule, now_ms)):
                yield replace(exchange, inclusion=exchange.inclusion * share) if share < 1 else exchange


def find(lines: StoredLines, ids: Collection[str]) -> Exchange | None:
    """Return the exchange that has one of the ids from a stored object, or None."""
    needles = [orjson.dumps(one) for one in ids]
    for line in lines:
        found = any(needle in line for needle in needles)
        if found and (exchange := readable(line)) and exchange.id in ids:
            return exchange
    return None


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """When an exchange began and ended, and its conversation."""

    time_ms: int
    ended_ms: int
    conversation: str


def locate(lines: StoredLines, ids: Collection[str]) -> dict[str, Whereabouts]:
    """Return the whereabouts of exchanges in a stored object that have one of the ids."""
    found = {}
    for line in lines:
        row = lines.row(line)
        if row is not None and row["id"] in ids:
            time_ms = whole_number(row["time_ms"])
            end_ms = ended_ms(time_ms, real_number(row["timings"]["duration_ms"]))
            found[str(row["id"])] = Whereabouts(time_ms, end_ms, str(row.get("conversation", "")))
    return found


def readable(line: bytes) -> Exchange | None:
    """Return the exchange of a stored line, or None when it is none."""
    try:
        return exchange_from_json(orjson.loads(line))
    except (ValueError, RecursionError):
        return None
