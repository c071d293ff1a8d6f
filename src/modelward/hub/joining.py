"""Making one object of several, after each was read to its end: what is damaged is cut down to what can be read."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from modelward.hub.buffer import compress
from modelward.hub.layout import ExchangeObject
from modelward.hub.store import ExchangeStore
from modelward.hub.stored import ExaminedLines, examine

MAX_JOINED_BYTES = 16 << 20


@dataclass(slots=True)
class _Joined:
    """What the joined object is made of; `parts` are its originals, `damaged` those of them that lost something."""

    parts: list[ExchangeObject] = field(default_factory=list)
    damaged: list[ExchangeObject] = field(default_factory=list)
    data: bytearray = field(default_factory=bytearray)
    count: int = 0

    def add(self, item: ExchangeObject, data: bytes, reading: ExaminedLines) -> None:
        self.parts.append(item)
        self.count += reading.count
        if reading.lost:
            self.damaged.append(item)
        self.data += compress(reading.lines) if reading.lines else b"" if reading.lost else data


async def join(store: ExchangeStore, group: Sequence[ExchangeObject]) -> int:
    """Write the joined object, then delete its parts; between the two every exchange is there twice, and reads once.

    Damaged parts are set aside instead, and what can still be read of them is in the joined object. A group of one is
    rewritten only if it is damaged. Return how many objects were joined.
    """
    joined = await _read(store, group)
    if len(joined.parts) < 2 and not joined.damaged:
        return 0
    if joined.count:
        first, last = min(p.first_ms for p in joined.parts), max(p.last_ms for p in joined.parts)
        whole = replace(joined.parts[0], first_ms=first, last_ms=last, count=joined.count, unique=uuid.uuid4().hex)
        await store.put(whole, bytes(joined.data))
    store.index.remove(joined.parts)
    for item in joined.damaged:
        await store.damage.set_aside(item.path)
        store.damage.suspects.discard(item.path)
    await store.objects.delete([item.path for item in joined.parts if item not in joined.damaged])
    return len(joined.parts)


async def _read(store: ExchangeStore, group: Sequence[ExchangeObject]) -> _Joined:
    joined = _Joined()
    for item in group:
        data = await store.objects.get(item.path)
        if data is None:
            store.index.remove([item])
        elif not joined.parts or len(joined.data) + len(data) <= MAX_JOINED_BYTES:
            reading = await asyncio.to_thread(examine, data)
            if reading.lost:
                store.damage.found("object", item.path)
            await asyncio.to_thread(joined.add, item, data, reading)
    return joined
