"""History as objects of the store: what one day began, by namespace and tier, and what is still running.

history-days/{namespace}/{tier}-{yyyymmdd}-{shard}.zst  chunks that began on that day, and change no more
history-days/{namespace}/running-{shard}.zst            chunks that may change, and rows that are not sealed
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from modelward.hub.history.tiers import BY_NUMBER, DAY_MS, Tier

PREFIX = "history-days/"
SHARDS = 8
"""Parts of a namespace, each of some endpoints, so that no object gets too large to be made at once."""
_FORM = 1
_DAY = re.compile(rf"{PREFIX}([a-z0-9-]{{1,63}})/(\d)-(\d{{8}})-(\d)\.zst")
_RUNNING = re.compile(rf"{PREFIX}([a-z0-9-]{{1,63}})/running-\d\.zst")


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk's bytes and where they belong; `staged` are rows of minutes that are not sealed yet."""

    endpoint: str
    tier: int
    start_ms: int
    data: bytes
    staged: bool = False


@dataclass(frozen=True, slots=True)
class SealedDay:
    """The chunks of a tier, of a part of a namespace, that began on a day (UTC)."""

    namespace: str
    tier: Tier
    day_ms: int
    shard: int

    @property
    def path(self) -> str:
        """Where they lie in the store."""
        day = datetime.fromtimestamp(self.day_ms / 1_000, UTC).strftime("%Y%m%d")
        return f"{PREFIX}{self.namespace}/{self.tier.number}-{day}-{self.shard}.zst"

    @property
    def over_ms(self) -> int:
        """When the last of them has ended."""
        return self.day_ms + DAY_MS + self.tier.span_ms


def sealed_day(path: str) -> SealedDay | None:
    """Read a path; None when it is none of a day."""
    match = _DAY.fullmatch(path)
    if match is None or int(match[2]) not in BY_NUMBER:
        return None
    try:
        begun = datetime.strptime(match[3], "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return SealedDay(match[1], BY_NUMBER[int(match[2])], int(begun.timestamp()) * 1_000, int(match[4]))


def running_path(namespace: str, shard: int) -> str:
    """Return where a part of what is running lies."""
    return f"{PREFIX}{namespace}/running-{shard}.zst"


def running_of(path: str) -> str:
    """Return the namespace of such a path; empty when it is none."""
    match = _RUNNING.fullmatch(path)
    return match[1] if match else ""


def shard_of(name: str) -> int:
    """Return the part in which an endpoint's running history is, always the same."""
    return zlib.crc32(name.encode()) % SHARDS


def bundle_to_bytes(chunks: Iterable[StoredChunk]) -> bytes:
    """Return the object's bytes: chunks are compressed already."""
    every = list(chunks)
    rows = [[one.endpoint, one.tier, one.start_ms, len(one.data), one.staged] for one in every]
    head = orjson.dumps({"form": _FORM, "chunks": rows})
    return b"".join((len(head).to_bytes(4, "little"), head, *(one.data for one in every)))


def bundle_from_bytes(data: bytes) -> Iterator[StoredChunk]:
    """Yield what an object holds; ValueError, KeyError or TypeError when it is none, or only a part of one."""
    place = 4 + int.from_bytes(data[:4], "little")
    head = orjson.loads(data[4:place])
    if head["form"] != _FORM:
        raise ValueError("of another form")
    for endpoint, tier, start_ms, size, staged in head["chunks"]:
        part = data[place : place + size]
        if len(part) != size:
            raise ValueError("it ends too early")
        place += size
        yield StoredChunk(str(endpoint), int(tier), int(start_ms), part, staged is True)
