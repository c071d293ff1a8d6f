"""The results of evaluations: one small object per window, kept in memory too because the operator asks often."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, field

import orjson

from modelward.api.evaluation import WindowResult, result_to_json
from modelward.hub import layout
from modelward.hub.layout import ResultKey
from modelward.hub.objects import ObjectStore

log = logging.getLogger(__name__)
CACHED = 20_000
"""Results held in memory, about 1 KB each."""
PARALLEL_GETS = 8
PER_ANSWER = 50_000


@dataclass(slots=True)
class ResultStore:
    """Results by key; writing one again replaces it, so a repeated run does no harm."""

    objects: ObjectStore
    _keys: dict[ResultKey, None] = field(default_factory=dict)
    _cache: OrderedDict[ResultKey, bytes] = field(default_factory=OrderedDict)

    async def load(self) -> None:
        """Learn which results there are."""
        self._keys = {key: None async for path, _ in self.objects.paths("results/") if (key := layout.result_key(path))}

    async def put(self, result: WindowResult) -> None:
        """Store a result under its key."""
        key = key_of(result)
        data = orjson.dumps(result_to_json(result))
        await self.objects.put(key.path, data)
        self._keys[key] = None
        self._remember(key, data)

    async def since(self, since_ms: int, endpoint: str | None = None) -> list[bytes]:
        """Return the JSON of the results whose window ends at or after `since_ms`, oldest first."""
        wanted = [k for k in self._keys if k.to_ms >= since_ms and endpoint in (None, k.endpoint)]
        wanted.sort(key=lambda k: (k.to_ms, k.path))
        gate = asyncio.Semaphore(PARALLEL_GETS)
        found = await asyncio.gather(*(self._get(key, gate) for key in wanted[-PER_ANSWER:]))
        return [data for data in found if data is not None]

    def newest_ms(self, until_ms: int) -> int:
        """Return where the newest window ended, up to a time; 0 where there is none."""
        return max((key.to_ms for key in self._keys if key.to_ms <= until_ms), default=0)

    async def drop_before(self, before_ms: int) -> int:
        """Delete the results of windows that ended before; return how many."""
        old = [key for key in self._keys if key.to_ms < before_ms]
        await self.objects.delete([key.path for key in old])
        for key in old:
            self._keys.pop(key, None)
            self._cache.pop(key, None)
        return len(old)

    async def _get(self, key: ResultKey, gate: asyncio.Semaphore) -> bytes | None:
        if (data := self._cache.get(key)) is not None:
            return data
        async with gate:
            data = await self.objects.get(key.path)
        if data is not None:
            self._remember(key, data)
        return data

    def _remember(self, key: ResultKey, data: bytes) -> None:
        self._cache[key] = data
        self._cache.move_to_end(key)
        while len(self._cache) > CACHED:
            self._cache.popitem(last=False)


def key_of(result: WindowResult) -> ResultKey:
    """Return the key that a result is kept under."""
    endpoint = f"{result.namespace}/{result.endpoint}"
    return ResultKey(endpoint, result.policy, result.evaluation, result.from_ms, result.to_ms)
