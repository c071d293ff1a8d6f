"""Up to 168 rows of one tier as columns: what is written once, read as a whole, and compressed."""

from __future__ import annotations

import sys
from array import array
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import orjson
import zstandard

from modelward.api.collector_config import MOST_CALLERS
from modelward.api.history import OUTCOMES
from modelward.hub.history.record import (
    CALLER,
    ENDPOINT,
    PART,
    Column,
    Record,
    callers_beyond,
    combined,
    without_surplus,
)
from modelward.hub.history.tiers import CHUNK_ROWS

_FORM = 1
_LEVEL = 3
_MOST_BYTES = 32 << 20
MOST_PARTS = 16
"""Revisions and models that a chunk tells apart."""
MOST_LABELS = 450
"""Objectives and checks of a chunk; a policy that renames its own each minute loses the counts of the surplus."""
_UNREADABLE = (ValueError, KeyError, TypeError, IndexError, OverflowError, zstandard.ZstdError, EOFError)


class ChunkDamagedError(ValueError):
    """The bytes are no chunk."""


@dataclass(slots=True)
class Chunk:
    """Rows at places 0 to 167, in order; a column has a value for each row, and 0 where a row has none.

    `of` is the endpoint, `namespace/name`: so a chunk is whole even where the table of endpoints is not.
    """

    at: list[int] = field(default_factory=list)
    columns: dict[Column, list[int]] = field(default_factory=dict)
    of: str = ""

    def add(self, records: Mapping[int, Record]) -> None:
        """Add records to the rows at their places."""
        self._make_room(records)
        index = {place: number for number, place in enumerate(self.at)}
        for place, record in records.items():
            row = index[place]
            for column, value in record.items():
                values = self.columns.get(column)
                if values is None:
                    values = self.columns[column] = [0] * len(self.at)
                values[row] = combined(column[1], values[row], value)
        self._fold_surplus()

    def _make_room(self, records: Mapping[int, Record]) -> None:
        new = records.keys() - set(self.at)
        if not new:
            return
        places = sorted({*self.at, *new})
        old = {place: number for number, place in enumerate(self.at)}
        order = [old.get(place, -1) for place in places]
        for column, values in self.columns.items():
            self.columns[column] = [values[number] if number >= 0 else 0 for number in order]
        self.at = places

    def _fold_surplus(self) -> None:
        labels = {text for text, _ in self.columns}
        requests: dict[str, int] = defaultdict(int)
        for text in labels:
            if text.startswith(PART):
                requests[text] = sum(sum(self.columns.get((text, outcome), ())) for outcome in OUTCOMES)
        for text, rest in without_surplus(requests, MOST_PARTS).items():
            self._move(text, rest)
        callers = {text: self._use_of(text) for text in labels if text.startswith(CALLER)}
        for text, rest in callers_beyond(callers, MOST_CALLERS).items():
            self._move(text, rest)
        others = sorted(text for text in labels if text != ENDPOINT and not text.startswith((PART, CALLER)))
        for text in others[MOST_LABELS:]:
            self._move(text, "")

    def _use_of(self, text: str) -> tuple[int, int]:
        return sum(self.columns.get((text, "cost"), ())), sum(self.columns.get((text, "asked"), ()))

    def _move(self, text: str, to: str) -> None:
        for column in [column for column in self.columns if column[0] == text]:
            values = self.columns.pop(column)
            if not to or (column[1] == "cost" and not to.rpartition("\x1f")[2]):
                continue
            before = self.columns.get((to, column[1]))
            own = [combined(column[1], *pair) for pair in zip(before, values, strict=True)] if before else values
            self.columns[to, column[1]] = own

    def records(self) -> dict[int, Record]:
        """Return the rows by their places."""
        found: dict[int, Record] = {place: {} for place in self.at}
        for column, values in self.columns.items():
            for place, value in zip(self.at, values, strict=True):
                if value:
                    found[place][column] = value
        return found


def chunk_to_bytes(chunk: Chunk) -> bytes:
    """Return the bytes under which a chunk is kept."""
    columns = sorted(chunk.columns)
    labels = sorted({text for text, _ in columns})
    numbers = {text: number for number, text in enumerate(labels)}
    arrays = [array("I" if max(chunk.columns[column]) < 1 << 32 else "Q", chunk.columns[column]) for column in columns]
    if sys.byteorder == "big":
        for one in arrays:
            one.byteswap()
    named = [[numbers[text], name, one.itemsize] for (text, name), one in zip(columns, arrays, strict=True)]
    head = orjson.dumps({"form": _FORM, "of": chunk.of, "at": chunk.at, "labels": labels, "columns": named})
    body = len(head).to_bytes(4, "little") + head + b"".join(one.tobytes() for one in arrays)
    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(body)


def chunk_from_bytes(data: bytes, wanted: Callable[[Column], bool] = lambda _: True) -> Chunk:
    """Read a chunk, or the wanted columns of it; ChunkDamagedError when the bytes are none."""
    try:
        body = zstandard.ZstdDecompressor().decompress(data, max_output_size=_MOST_BYTES)
        return _chunk(memoryview(body), wanted)
    except _UNREADABLE as error:
        raise ChunkDamagedError(f"{type(error).__name__}: {error}") from error


def _chunk(body: memoryview, wanted: Callable[[Column], bool]) -> Chunk:
    place = 4 + int.from_bytes(body[:4], "little")
    head = orjson.loads(body[4:place])
    at, labels = head["at"], head["labels"]
    if head["form"] != _FORM or at != sorted(set(at)) or (at and not 0 <= at[0] <= at[-1] < CHUNK_ROWS):
        raise ValueError("not a chunk of this form")
    columns: dict[Column, list[int]] = {}
    for number, name, width in head["columns"]:
        column, size = (labels[number], name), width * len(at)
        if wanted(column):
            values = array("I" if width == 4 else "Q")
            values.frombytes(body[place : place + size])
            if sys.byteorder == "big":
                values.byteswap()
            columns[column] = values.tolist()
            if len(columns[column]) != len(at):
                raise ValueError("a column is too short")
        place += size
    if place != len(body):
        raise ValueError("not the length that its head says")
    return Chunk(at, columns, str(head["of"]))
