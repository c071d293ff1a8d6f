"""Takes single exchanges out of stored objects, or text out of exchanges; objects are never changed in place."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

import orjson

from modelward.api.exchange import Exchange, ended_ms, exchange_to_json
from modelward.hub.buffer import compress
from modelward.hub.errors import HubError
from modelward.hub.index import Index
from modelward.hub.layout import ExchangeObject
from modelward.hub.objects import ObjectStore
from modelward.hub.stored import StoredLines
from modelward.hub.window import readable

Keep = Callable[[Exchange], Exchange | None]
"""Returns what stays of an exchange: itself, less of it, or None."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What stays of an object; `changed` is False where that is all of it. `dropped` are the ids of what does not."""

    lines: tuple[bytes, ...]
    first_ms: int
    last_ms: int
    dropped: tuple[str, ...]
    changed: bool


def rewritten(data: bytes, keep: Keep) -> Rewritten:
    """Decide each line of an object. What cannot be read is left out: its text is unknown."""
    lines: list[bytes] = []
    times: list[int] = []
    dropped: list[str] = []
    changed = False
    stored = StoredLines(data)
    for line in stored:
        if (exchange := readable(line)) is None:
            changed = True
            continue
        kept = keep(exchange)
        changed = changed or kept is not exchange
        if kept is None:
            dropped.append(exchange.id)
            continue
        lines.append(line if kept is exchange else orjson.dumps(exchange_to_json(kept)))
        times.append(ended_ms(kept.time_ms, kept.timings.duration_ms))
    changed = changed or stored.damaged
    return Rewritten(tuple(lines), min(times, default=0), max(times, default=0), tuple(dropped), changed)


async def rewrite(objects: ObjectStore, index: Index, item: ExchangeObject, keep: Keep) -> tuple[str, ...]:
    """Put what stays in the object's place; return the ids of what is gone."""
    data = await objects.get(item.path)
    if data is None:
        index.remove([item])
        return ()
    found = await asyncio.to_thread(rewritten, data, keep)
    if found.changed:
        await _replace(objects, index, item, found)
    return found.dropped


async def _replace(objects: ObjectStore, index: Index, item: ExchangeObject, found: Rewritten) -> None:
    if found.lines:
        data = await asyncio.to_thread(compress, found.lines)
        new = replace(
            item,
            first_ms=found.first_ms,
            last_ms=found.last_ms,
            count=len(found.lines),
            unique=uuid.uuid4().hex,
            size=len(data),
        )
        await _put(objects, item, new, data)
        index.add(new)
    index.remove([item])
    await objects.delete([item.path])


async def _put(objects: ObjectStore, item: ExchangeObject, new: ExchangeObject, data: bytes) -> None:
    try:
        await objects.put(new.path, data)
    except HubError as error:
        if error.code != "StoreFull":
            raise
        # There is no room for both; what must go goes first, and makes the room.
        await objects.delete([item.path])
        await objects.put(new.path, data)
