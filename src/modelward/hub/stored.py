"""ExaminedLines stored objects of exchanges, of which a power cut or a bad disk may have spoilt a part."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import zstandard

from modelward.api.exchange import real_number, whole_number
from modelward.hub.ingest import MAX_WINDOW_BYTES

MAGIC = b"\x28\xb5\x2f\xfd"
"""The first bytes of every zstd frame (RFC 8878, 3.1.1)."""
_STEP_BYTES = 32 << 10
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(slots=True)
class StoredLines:
    """The lines of one object: zstd frames of ndjson, decompressed piece by piece.

    A frame that is truncated or not zstd costs itself: reading goes on at the next one, and `damaged` is true after.
    """

    data: bytes
    damaged: bool = False
    bad_rows: int = 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield each line without its newline."""
        start = 0
        while start < len(self.data):
            start = yield from self._frame(start)

    def row(self, line: bytes) -> dict[str, Any] | None:
        """Return a line as JSON object with id and time; None, and counted, when it is none."""
        try:
            row = orjson.loads(line)
            str(row["id"]), whole_number(row["time_ms"]), real_number(row["timings"]["duration_ms"])
        except _UNREADABLE:
            self.bad_rows += 1
            return None
        return row if isinstance(row, dict) else None

    def _frame(self, start: int) -> Generator[bytes, None, int]:
        """Yield the lines of the frame that begins here; return where the next one begins."""
        reader = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj()
        rest, position = b"", start
        try:
            while not reader.eof and position < len(self.data):
                piece = reader.decompress(self.data[position : position + _STEP_BYTES])
                position = min(len(self.data), position + _STEP_BYTES)
                *whole, rest = (rest + piece).split(b"\n")
                yield from filter(None, whole)
        except zstandard.ZstdError:
            return self._after_damage(start)
        if not reader.eof:
            return self._after_damage(start)
        return position - len(reader.unused_data)

    def _after_damage(self, start: int) -> int:
        self.damaged = True
        following = self.data.find(MAGIC, start + 1)
        return len(self.data) if following < 0 else following


@dataclass(frozen=True, slots=True)
class ExaminedLines:
    """What an object held: `lines` only where something of it was lost, to be rewritten."""

    count: int
    lost: bool
    lines: tuple[bytes, ...] = ()


def examine(data: bytes) -> ExaminedLines:
    """Read an object to its end, row by row, before what it holds is joined with others or its file deleted."""
    stored = StoredLines(data)
    lines = tuple(line for line in stored if stored.row(line) is not None)
    lost = stored.damaged or stored.bad_rows > 0 or not lines
    return ExaminedLines(len(lines), lost, lines if lost else ())
