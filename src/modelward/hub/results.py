"""The results of evaluations: one small object per window, kept in memory too because the operator asks often."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace

import orjson

from modelward.api.evaluation import WindowResult, result_from_json, result_to_json
from modelward.hub import layout
from modelward.hub.damage import Damage
from modelward.hub.errors import HubError, bad_request
from modelward.hub.layout import ResultKey
from modelward.hub.objects import ObjectStore
from modelward.hub.result_form import bounded, without_moved
from modelward.hub.result_shares import Page, ResultLimits, ResultShares, page_of

log = logging.getLogger(__name__)
CACHED_BYTES = 32 << 20
PARALLEL_GETS = 8
AHEAD_MS = 25 * layout.HOUR_MS
"""How far in the future a window may end: what was judged before a clock was set back by a day is not lost."""


@dataclass(slots=True)
class ResultStore:
    """Results by key; writing one again replaces it, so a repeated run does no harm."""

    objects: ObjectStore
    damage: Damage
    clock_ms: Callable[[], int]
    born_ms: Callable[[str], int] = lambda _: 0
    """When the endpoint was made that has a name (`namespace/name`) now: older results are another one's."""
    _back: dict[ResultKey, int] = field(default_factory=dict)
    """When the endpoint was created that was evaluated for a time before that: such a result is its own."""
    limits: ResultLimits = field(default_factory=ResultLimits)
    _shares: ResultShares = field(init=False)
    _cache: OrderedDict[ResultKey, bytes] = field(default_factory=OrderedDict)
    _cached_bytes: int = 0

    def __post_init__(self) -> None:
        self._shares = ResultShares(self.limits)

    async def load(self) -> None:
        """Learn which results there are."""
        shares = ResultShares(self.limits)
        async for path, size in self.objects.paths("results/"):
            if key := layout.result_key(path):
                shares.add(key, size)
        self._shares = shares

    async def put(self, result: WindowResult) -> None:
        """Store a result under its key; the oldest of its endpoint or namespace make way where there are too many.

        Only the newest of an evaluation keeps the names of what moved, because older ones are not shown.
        """
        key = key_of(result)
        if key.to_ms > self.clock_ms() + AHEAD_MS:
            raise bad_request("the window ends more than a day in the future")
        others = (
            [one for one, _ in self._shares.of(key.endpoint) if _of_one_evaluation(one, key)] if result.tests else []
        )
        if any(one.to_ms > key.to_ms for one in others):
            result = without_moved(result)
        await self._store(key, bounded(result))
        if key.to_ms < (born_ms := self.born_ms(key.endpoint)):
            self._back[key] = born_ms
        await self._drop(self._shares.surplus(key))
        older = [one for one in others if one.to_ms <= key.to_ms]
        await self._unname(sorted(older, key=lambda one: one.to_ms)[-1:])

    async def forget_moved(self, expired: Callable[[ResultKey], bool]) -> None:
        """Take what moved out of the newest results of evaluations where that is expired; older ones have it no more.

        Names of topics and words are made of texts, and must not outlive them.
        """
        newest: dict[tuple[str, str, str], ResultKey] = {}
        for key in self._shares.all_keys():
            name = (key.endpoint, key.policy, key.evaluation)
            if name not in newest or key.to_ms > newest[name].to_ms:
                newest[name] = key
        await self._unname([key for key in newest.values() if expired(key)])

    async def _unname(self, keys: list[ResultKey]) -> None:
        for key in keys:
            for data in await self._read([key]):
                result = result_from_json(orjson.loads(data))
                if any(test.moved for test in result.tests):
                    await self._store(key, without_moved(result))

    async def _store(self, key: ResultKey, result: WindowResult) -> None:
        data = orjson.dumps(result_to_json(result))
        await self.objects.put(key.path, data)
        self._shares.add(key, len(data))
        self._remember(key, data)

    async def since(self, since_ms: int, endpoint: str | None = None) -> list[bytes]:
        """Return the JSON of the results whose window ends at or after `since_ms`, oldest first.

        For readers that take no pages: what is too much for one answer is left out, of the largest namespaces first.
        """
        return await self._read(self._shares.fair(self._wanted(since_ms, endpoint)))

    async def page(self, since_ms: int, after: str, endpoint: str | None = None) -> tuple[list[bytes], str]:
        """Return the next page of the same, and the mark after which the one after it begins; empty at the end."""
        page: Page = page_of(self._wanted(since_ms, endpoint), after, self.limits.page_bytes)
        return await self._read(page.keys), page.following

    async def of_policy(self, endpoint: str, policy: str, since_ms: int) -> list[bytes]:
        """Return the JSON of the results of one policy's evaluations of an endpoint since a time, oldest first."""
        return await self._read([key for key, _ in self._wanted(since_ms, endpoint) if key.policy == policy])

    @property
    def cut_ms(self) -> Mapping[str, int]:
        """Where the newest window ended whose result made way for others of its namespace, since the start."""
        return self._shares.cut_ms

    def newest_ms(self, until_ms: int) -> int:
        """Return where the newest window ended, up to a time; 0 where there is none."""
        return max((key.to_ms for key in self._shares.all_keys() if key.to_ms <= until_ms), default=0)

    async def drop_before(self, before_ms: int) -> int:
        """Delete the results of windows that ended before, of endpoints that are gone, or that end absurdly late.

        Return how many.
        """
        last_ms = self.clock_ms() + AHEAD_MS
        keys = self._shares.all_keys()
        old = [key for key in keys if not (before_ms <= key.to_ms <= last_ms and self._own(key))]
        await self._drop(old)
        self._back = {key: born_ms for key, born_ms in self._back.items() if self.born_ms(key.endpoint) == born_ms}
        return len(old)

    async def drop_examples(self, concerned: Callable[[ResultKey], bool], ids: Container[str] | None) -> int:
        """Take examples out of results by their ids, or all (None); return how many. The counts stay.

        What tests name as moved goes too: topics and words are made of many texts, and no longer of all of these.
        """
        dropped = 0
        for key in [key for key in self._shares.all_keys() if concerned(key)]:
            [data] = await self._read([key]) or [b""]
            if not data:
                continue
            result = result_from_json(orjson.loads(data))
            left = {
                revision: tuple(row for row in rows if ids is not None and row.id not in ids)
                for revision, rows in result.examples.items()
            }
            fewer = sum(map(len, result.examples.values())) - sum(map(len, left.values()))
            if fewer or any(test.moved for test in result.tests):
                await self.put(without_moved(replace(result, examples=left)))
                dropped += fewer
        return dropped

    def _wanted(self, since_ms: int, endpoint: str | None) -> list[tuple[ResultKey, int]]:
        found = self._shares.of(endpoint)
        rows = ((key, size) for key, size in found if key.to_ms >= since_ms and self._own(key))
        return sorted(rows, key=lambda row: (row[0].to_ms, row[0].path))

    def _own(self, key: ResultKey) -> bool:
        """Return whether a result is of the endpoint that has its name now."""
        born_ms = self.born_ms(key.endpoint)
        return key.to_ms >= born_ms or self._back.get(key) == born_ms

    async def _read(self, keys: list[ResultKey]) -> list[bytes]:
        gate = asyncio.Semaphore(PARALLEL_GETS)
        found = await asyncio.gather(*(self._get(key, gate) for key in keys))
        return [data for data in found if data is not None]

    async def _get(self, key: ResultKey, gate: asyncio.Semaphore) -> bytes | None:
        if (data := self._cache.get(key)) is not None:
            return data
        async with gate:
            data = await self.objects.get(key.path)
        if data is None:
            return None
        if not _is_result(data, key):
            await self._set_aside(key)
            return None
        self._remember(key, data)
        return data

    async def _set_aside(self, key: ResultKey) -> None:
        """Take a damaged result out of every answer, which it would make unreadable as a whole."""
        self.damage.found("result", key.path)
        try:
            await self.damage.set_aside(key.path)
        except HubError as error:
            log.error("damaged result stays path=%r cause=%r", key.path, str(error))
        self._forget(key)

    async def _drop(self, keys: list[ResultKey]) -> None:
        await self.objects.delete([key.path for key in keys])
        for key in keys:
            self._forget(key)

    def _forget(self, key: ResultKey) -> None:
        self._shares.remove(key)
        self._cached_bytes -= len(self._cache.pop(key, b""))

    def _remember(self, key: ResultKey, data: bytes) -> None:
        self._cached_bytes += len(data) - len(self._cache.pop(key, b""))
        self._cache[key] = data
        while self._cached_bytes > CACHED_BYTES:
            _, dropped = self._cache.popitem(last=False)
            self._cached_bytes -= len(dropped)


def key_of(result: WindowResult) -> ResultKey:
    """Return the key that a result is kept under."""
    endpoint = f"{result.namespace}/{result.endpoint}"
    return ResultKey(endpoint, result.policy, result.evaluation, result.from_ms, result.to_ms)


def _of_one_evaluation(one: ResultKey, other: ResultKey) -> bool:
    return one != other and (one.policy, one.evaluation) == (other.policy, other.evaluation)


def _is_result(data: bytes, key: ResultKey) -> bool:
    try:
        return key_of(result_from_json(orjson.loads(data))) == key
    except (ValueError, RecursionError):
        return False
