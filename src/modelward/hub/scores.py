"""Scores of single exchanges: one object for each hour of a set, no longer kept than the exchanges themselves."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

import orjson
import zstandard

from modelward.api.kept_score import KeptScore, is_shown_set, kept_score_from_json, kept_score_to_json
from modelward.hub import layout
from modelward.hub.damage import Damage
from modelward.hub.erased import Erased
from modelward.hub.layout import HOUR_MS, ScoresKey, hour_of, hour_start_ms
from modelward.hub.objects import ObjectStore
from modelward.hub.rules import Rule

log = logging.getLogger(__name__)
WITH_TEXT = ("Redacted", "Full")
HOUR_SCORES = 20_000
"""Scores of one object; what comes beyond is left out."""
EXPLANATION_CHARACTERS = 1 << 20
"""Of the reasons of one object together; the scores beyond have none."""
ENDPOINT_SETS, SHOWN_SETS = 100, 200
NAMESPACE_BYTES, NAMESPACE_OBJECTS = 64 << 20, 20_000
"""Beyond either the oldest hours of the namespace go, first those that only people see, and are scored again if they
are needed."""
MAX_BYTES = 16 << 20
_UNREADABLE = (KeyError, TypeError, AttributeError, ValueError, OverflowError, zstandard.ZstdError)


@dataclass(slots=True)
class ScoreStore:
    """Scores by endpoint, set and hour; the newest score of an exchange in a set is the one that counts."""

    objects: ObjectStore
    damage: Damage
    rule_of: Callable[[str], Rule]
    clock_ms: Callable[[], int]
    _sizes: dict[ScoresKey, int] = field(default_factory=dict)
    _bare: set[ScoresKey] = field(default_factory=set)
    """Hours whose reasons were deleted, because text may not be kept: they need not be read again."""
    _writing: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def load(self) -> None:
        """Learn which there are."""
        found = {}
        async for path, size in self.objects.paths(layout.SCORES_PREFIX):
            if key := layout.scores_key(path):
                found[key] = size
        self._sizes = found

    def admits(self, endpoint: str, score_set: str) -> bool:
        """Return whether an endpoint may have this set."""
        shown = is_shown_set(score_set)
        sets = {key.score_set for key in self._sizes if key.endpoint == endpoint}
        sets = {one for one in sets if is_shown_set(one) == shown}
        return score_set in sets or len(sets) < (SHOWN_SETS if shown else ENDPOINT_SETS)

    def allows(self, endpoint: str, score: KeptScore) -> bool:
        """Return whether anything of the score's exchange may be kept, as far as is known of it."""
        rule = self.rule_of(endpoint)
        if rule.allowed(score.time_ms) == "None" or score.time_ms < rule.nothing_before_ms(self.clock_ms()):
            return False
        return not any(_erased(score, mark) or score.time_ms < mark.late_before_ms for mark in rule.erased)

    async def put(self, endpoint: str, score_set: str, scores: Iterable[KeptScore]) -> None:
        """Store scores; HubError when the store refuses. Again is no harm."""
        by_hour: dict[str, list[KeptScore]] = defaultdict(list)
        for score in scores:
            by_hour[hour_of(score.time_ms)].append(score)
        async with self._writing[layout.namespace_of(endpoint)]:
            for hour, came in by_hour.items():
                key, rows = ScoresKey(endpoint, score_set, hour), [self._shown(endpoint, one) for one in came]
                self._bare.discard(key)
                held = {one.id: one for one in await self._read(key)}
                room = HOUR_SCORES - len(held)
                new = [one for one in rows if one.id not in held][: max(0, room)]
                await self._write(key, {**held, **{one.id: one for one in rows if one.id in held or one in new}})
            await self._trim(layout.namespace_of(endpoint))

    async def find(self, endpoint: str, score_set: str, from_ms: int, to_ms: int) -> dict[str, KeptScore]:
        """Return the scores of the hours of [from, to] by their exchange, without what may no longer be shown."""
        first, last = hour_of(from_ms), hour_of(to_ms)
        keys = [
            key
            for key in self._sizes
            if key.endpoint == endpoint and key.score_set == score_set and first <= key.hour <= last
        ]
        found: dict[str, KeptScore] = {}
        for key in sorted(keys, key=lambda key: key.hour):
            rows = [one for one in await self._read(key) if self.allows(endpoint, one)]
            found |= {one.id: self._shown(endpoint, one) for one in rows}
        return found

    def _shown(self, endpoint: str, score: KeptScore) -> KeptScore:
        """Return a score with its reason only where text of its exchange may be kept."""
        if not score.explanation or self.rule_of(endpoint).allowed(score.time_ms) in WITH_TEXT:
            return score
        return replace(score, explanation="")

    async def of_hour(self, endpoint: str, score_set: str, hour: str) -> dict[str, KeptScore]:
        """Return the scores of one hour by their exchange, without what may no longer be shown."""
        found = await self._read(ScoresKey(endpoint, score_set, hour))
        return {one.id: self._shown(endpoint, one) for one in found if self.allows(endpoint, one)}

    async def erase(self, within: Callable[[str], bool], marks: Erased, ids: Collection[str]) -> None:
        """Delete the scores of exchanges that were erased."""
        gone = {*ids, *marks.exchanges}
        for key in [key for key in self._sizes if within(key.endpoint)]:
            async with self._writing[key.namespace]:
                rows = await self._read(key)
                left = {one.id: one for one in rows if one.id not in gone and not _erased(one, marks)}
                if len(left) < len(rows):
                    await self._write(key, left)

    async def drop_forbidden(self) -> None:
        """Delete the hours of which no rule lets anything be kept, and reasons where none lets text be kept."""
        now_ms = self.clock_ms()
        await self._drop([key for key in self._sizes if self._is_forbidden(key, now_ms)])
        for key in [key for key in self._sizes if key not in self._bare and self._is_wordless(key)]:
            async with self._writing[key.namespace]:
                rows = await self._read(key)
                left = {one.id: self._shown(key.endpoint, one) for one in rows}
                if any(one.explanation for one in rows if not left[one.id].explanation):
                    await self._write(key, left)
                self._bare.add(key)

    def _is_wordless(self, key: ScoresKey) -> bool:
        """Return whether text of some exchange of an hour may not be kept."""
        return self.rule_of(key.endpoint).allowed(hour_start_ms(key.hour)) not in WITH_TEXT

    def _is_forbidden(self, key: ScoresKey, now_ms: int) -> bool:
        rule, end_ms = self.rule_of(key.endpoint), hour_start_ms(key.hour) + HOUR_MS
        return rule.content == "None" or end_ms <= rule.nothing_before_ms(now_ms)

    async def _read(self, key: ScoresKey) -> list[KeptScore]:
        if key not in self._sizes:
            return []
        data = await self.objects.get(key.path)
        try:
            return await asyncio.to_thread(_rows, data) if data is not None else []
        except _UNREADABLE:  # they are scored again
            self.damage.found("scores", key.path)
            await self._drop([key])
            return []

    async def _write(self, key: ScoresKey, rows: dict[str, KeptScore]) -> None:
        if not rows:
            await self._drop([key])
            return
        data = await asyncio.to_thread(_packed, rows.values())
        await self.objects.put(key.path, data)
        self._sizes[key] = len(data)

    async def _trim(self, namespace: str) -> None:
        own = sorted((key for key in self._sizes if key.namespace == namespace), key=_worth)
        total, gone = sum(self._sizes[key] for key in own), list[ScoresKey]()
        for key in own:
            if total <= NAMESPACE_BYTES and len(own) - len(gone) <= NAMESPACE_OBJECTS:
                break
            gone.append(key)
            total -= self._sizes[key]
        await self._drop(gone)

    async def _drop(self, keys: list[ScoresKey]) -> None:
        await self.objects.delete([key.path for key in keys])
        for key in keys:
            self._sizes.pop(key, None)
            self._bare.discard(key)


def _worth(key: ScoresKey) -> tuple[bool, str]:
    """Return by what hours make way: those that people see before those that were paid for, the oldest first."""
    return not is_shown_set(key.score_set), key.hour


def _erased(score: KeptScore, mark: Erased) -> bool:
    if score.time_ms < mark.before_ms or score.id in mark.exchanges:
        return True
    return bool(score.conversation) and score.time_ms < mark.conversations.get(score.conversation, 0)


def _worded(rows: Iterable[KeptScore]) -> Iterator[KeptScore]:
    """Yield scores, without the reasons beyond what one object may hold of them."""
    room = EXPLANATION_CHARACTERS
    for row in rows:
        room -= len(row.explanation)
        yield row if room >= 0 else replace(row, explanation="")


def _packed(rows: Iterable[KeptScore]) -> bytes:
    rows = _worded(rows)
    lines = b"".join(orjson.dumps(kept_score_to_json(one)) + b"\n" for one in rows)
    return zstandard.ZstdCompressor(level=3, write_checksum=True).compress(lines)


def _rows(data: bytes) -> list[KeptScore]:
    text = zstandard.ZstdDecompressor().decompress(data, max_output_size=MAX_BYTES)
    return [kept_score_from_json(orjson.loads(line)) for line in text.splitlines()]
