"""Lines of JSON from files, folders and pipes, plain or in zstd frames, in bounded memory and with their numbers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

import orjson
import zstandard

STANDARD_INPUT = Path("-")
MAX_LINE_BYTES = 16 << 20
"""Sixteen times what the hub takes; a longer line is skipped and told."""
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
"""The first bytes of every zstd frame (RFC 8878, 3.1.1)."""
_ZSTD_WINDOW_BYTES = 1 << 27
_STEP_BYTES = 64 << 10
_ZSTD_STEP_BYTES = 4 << 10
"""Little at a time: 4 bytes of zstd can stand for 128 KiB."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SUFFIXES = (".jsonl", ".ndjson", ".zst")
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that could not be read and why; with line 0, what is missing of the file as a whole."""

    file: str
    line: int
    error: str


def json_line_files(path: Path) -> list[Path]:
    """Return the files to read: itself, or what lies in a folder and below, by path. ValueError where nothing does."""
    if not path.is_dir():
        return [path]
    found = sorted(one for one in path.rglob("*") if one.suffix in _SUFFIXES and one.is_file())
    if not found:
        raise ValueError(f"no {', '.join(_SUFFIXES)} file in {path}")
    return found


@dataclass(slots=True)
class JsonLines(Generic[T]):
    """The rows of some files in order, each read by `parse`; what it cannot read goes to `bad`, and reading goes on.

    `parse` raises one of the usual errors on decoded JSON that is no row. Whether a file is compressed is seen by its
    first bytes. OSError where one cannot be opened. `position_bytes` is how far it is, of `size_bytes` on disk.
    """

    files: Sequence[Path]
    parse: Callable[[Any], T]
    bad: Callable[[BadLine], None]
    rows: int = 0
    _done_bytes: int = 0
    _open: BinaryIO | None = None

    def __iter__(self) -> Iterator[T]:
        """Yield each row."""
        for path in self.files:
            with _opened(path) as raw:
                self._open = raw
                yield from self._of_file(str(path), raw)
                self._done_bytes, self._open = self.position_bytes, None

    @property
    def size_bytes(self) -> int | None:
        """All files together; None where one is a pipe."""
        known = [one.stat().st_size if one.is_file() else None for one in self.files]
        return None if None in known else sum(size or 0 for size in known)

    @property
    def position_bytes(self) -> int:
        """How many of them were read."""
        reading = self._open
        return self._done_bytes + (reading.tell() if reading is not None and reading.seekable() else 0)

    def _of_file(self, name: str, raw: BinaryIO) -> Iterator[T]:
        try:
            for number, line in enumerate(_lines(_pieces(raw)), start=1):
                if line is None:
                    self.bad(BadLine(name, number, f"a line of more than {MAX_LINE_BYTES} bytes"))
                elif stripped := line.removeprefix(_BYTE_ORDER_MARK).strip():
                    yield from self._row(name, number, stripped)
        except (zstandard.ZstdError, EOFError) as error:
            self.bad(BadLine(name, 0, f"damaged; what follows is lost ({error})"))

    def _row(self, name: str, number: int, line: bytes) -> Iterator[T]:
        try:
            row = self.parse(orjson.loads(line))
        except orjson.JSONDecodeError as error:
            self.bad(BadLine(name, number, f"no JSON: {error.msg} at byte {error.pos + 1} of the line"))
        except _UNREADABLE as error:
            self.bad(BadLine(name, number, str(error)))
        else:
            self.rows += 1
            yield row


def _opened(path: Path) -> AbstractContextManager[Any]:
    return nullcontext(sys.stdin.buffer) if path == STANDARD_INPUT else path.open("rb")


def _pieces(raw: BinaryIO) -> Iterator[bytes]:
    """Yield the content as it comes, decompressed where it is; `raw` has read1, so that a pipe is not waited for."""
    first = raw.read(len(_ZSTD_MAGIC))
    if first == _ZSTD_MAGIC:
        yield from _decompressed(raw, first)
        return
    yield first
    while piece := raw.read1(_STEP_BYTES):  # type: ignore[attr-defined]
        yield piece


def _decompressed(raw: BinaryIO, rest: bytes) -> Iterator[bytes]:
    while piece := rest or raw.read(_ZSTD_STEP_BYTES):
        frame, rest = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj(), b""
        while not frame.eof and piece:
            yield frame.decompress(piece)
            rest = frame.unused_data
            piece = b"" if frame.eof else raw.read(_ZSTD_STEP_BYTES)
        if not frame.eof:
            raise EOFError("the file ends within a zstd frame")


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes | None]:
    """Yield each line without its newline, and None for one that is too long."""
    rest, overlong = b"", False
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield None if overlong or len(line) > MAX_LINE_BYTES else line
            overlong = False
        if len(rest) > MAX_LINE_BYTES:
            rest, overlong = b"", True
    if rest or overlong:
        yield None if overlong else rest
