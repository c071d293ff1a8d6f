"""Counters in shared memory, so that a scrape costs the data plane nothing and a crash loses no count.

One process writes a board and others read it. A board is an array of 8-byte floats: word 0 holds the number of words
in use, then records follow one another: `[bytes of key, number of values, key padded to whole words, values...]`.
A key is JSON, and may end with blanks so that a longer one fits in its place later.
A value is one aligned 8-byte store, so a reader never sees half of one.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Iterator
from typing import TypeAlias

BOARD_BYTES = 4 * 1024 * 1024
"""Only what is written of it is held in memory."""
_WORD = 8

Cell: TypeAlias = "memoryview[float]"
"""The values of one series, writable in place: `cell[0] += 1`."""

Key = tuple[str, tuple[str, ...]]
"""A metric's name and the values of its labels, in the order of its family."""


def new_board_fd(name: str) -> int:
    """Return the descriptor of an empty board that child processes may inherit."""
    fd = os.memfd_create(name, 0)
    os.ftruncate(fd, BOARD_BYTES)
    os.set_inheritable(fd, True)
    return fd


class SharedMetrics:
    """A board opened over an inherited descriptor; series written by an earlier process go on where they stood.

    Only one process may add series. Others may hold cells of series that were there when they opened it.
    """

    def __init__(self, fd: int) -> None:
        self._words = memoryview(mmap.mmap(fd, BOARD_BYTES)).cast("d")
        self._cells: dict[Key, Cell] = {}
        self._keys: dict[Key, memoryview[int]] = {}
        for key, place, cell in self._records():
            self._keys[key], self._cells[key] = place, cell

    def cell(self, name: str, labels: tuple[str, ...] = (), size: int = 1, room: int = 0) -> Cell:
        """Return the values of one series, made on first use; on a full board a scratch cell that is never read.

        `room` is how many bytes its key may have after a `rename`.
        """
        key = (name, labels)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = self._append(key, size, room)
        return cell

    def series(self) -> list[Key]:
        """Return the key of every series that this process knows."""
        return list(self._cells)

    def rename(self, old: Key, new: Key) -> None:
        """Restart a series under another key, in the place that it has; a key that does not fit is not renamed.

        A reader sees the old series, none, or the new one: while the key changes it begins with no JSON.
        """
        cell, place = self._cells.pop(old), self._keys.pop(old, None)
        raw = json.dumps(new).encode()
        if place is None or new in self._cells:
            return
        place[0] = 0
        for index in range(len(cell)):
            cell[index] = 0.0
        if len(raw) > len(place):
            return
        place[1 : len(raw)] = memoryview(raw)[1:]
        place[len(raw) :] = memoryview(b" " * (len(place) - len(raw)))
        place[0] = raw[0]
        self._keys[new], self._cells[new] = place, cell

    def read(self) -> list[tuple[Key, list[float]]]:
        """Return every series as it stands now."""
        return [(key, [float(value) for value in cell]) for key, _, cell in self._records()]

    def _used(self) -> int:
        return max(1, int(self._words[0]))

    def _append(self, key: Key, size: int, room: int) -> Cell:
        raw = json.dumps(key).encode()
        raw = raw.ljust(room)
        start = self._used()
        values = start + 2 + -(-len(raw) // _WORD)
        if values + size > len(self._words):
            return memoryview(bytearray(size * _WORD)).cast("d")
        self._words[start], self._words[start + 1] = len(raw), size
        self._words[start + 2 : values].cast("B")[: len(raw)] = raw
        self._words[0] = values + size
        self._keys[key] = self._words[start + 2 : values].cast("B")[: len(raw)]
        return self._words[values : values + size]

    def _records(self) -> Iterator[tuple[Key, memoryview[int], Cell]]:
        position, end = 1, self._used()
        while position < end:
            length, size = int(self._words[position]), int(self._words[position + 1])
            values = position + 2 + -(-length // _WORD)
            place = self._words[position + 2 : values].cast("B")[:length]
            try:
                name, labels = json.loads(place.tobytes())
            except ValueError:
                pass  # it is being renamed
            else:
                yield (name, tuple(labels)), place, self._words[values : values + size]
            position = values + size
