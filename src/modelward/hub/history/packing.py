"""A record as a few bytes, for rows that wait to be sealed: pairs of variable-length integers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate

from modelward.hub.history.record import FIELDS, Column, Record

_PLACES = {field: place for place, field in enumerate(FIELDS)}
_FIELDS = 128
"""Room for fields in a column's number; the rest of it is the label's."""


def packed(record: Record, label_number: Callable[[str], int]) -> bytes:
    """Return a record's bytes; `label_number` gives each label a small number by which it is known again."""
    numbers: dict[str, int] = {}
    pairs = []
    for (text, field), value in record.items():
        first = numbers.get(text)
        if first is None:
            first = numbers[text] = label_number(text) * _FIELDS
        pairs.append((first + _PLACES[field], value))
    pairs.sort()
    found, before = bytearray(), 0
    for column, value in pairs:
        gap, rest, before = column - before, value, column
        while gap > 127:
            found.append(gap & 127 | 128)
            gap >>= 7
        found.append(gap)
        while rest > 127:
            found.append(rest & 127 | 128)
            rest >>= 7
        found.append(rest)
    return bytes(found)


def unpacked(data: bytes, labels: Mapping[int, str]) -> Record:
    """Return the record of some bytes; ValueError where they are none, or name a label that is not known."""
    found: Record = {}
    for number, value in _pairs(data):
        found[_column(number, labels)] = value
    return found


class Unpacker:
    """Reads many rows of one endpoint into columns: what a question does not want is never looked up again."""

    def __init__(self, labels: Mapping[int, str], wanted: Callable[[Column], bool]) -> None:
        """Read rows whose labels are these."""
        self._labels, self._wanted = labels, wanted
        self._columns: dict[int, Column | None] = {}

    def read(self, data: bytes) -> list[tuple[Column, int]]:
        """Return what is wanted of a row; ValueError as `unpacked`."""
        columns, found = self._columns, list[tuple[Column, int]]()
        for number, value in _pairs(data):
            if number not in columns:
                column = _column(number, self._labels)
                columns[number] = column if self._wanted(column) else None
            if (known := columns[number]) is not None:
                found.append((known, value))
        return found


def _pairs(data: bytes) -> Iterator[tuple[int, int]]:
    """Return the numbers of columns, and their values; ValueError where there is a half one."""
    numbers, number, shift = list[int](), 0, 0
    for byte in data:
        if byte < 128:
            numbers.append(number | byte << shift if shift else byte)
            number = shift = 0
        else:
            number |= (byte & 127) << shift
            shift += 7
    return zip(accumulate(numbers[::2]), numbers[1::2], strict=True)


def _column(number: int, labels: Mapping[int, str]) -> Column:
    try:
        return labels[number // _FIELDS], FIELDS[number % _FIELDS]
    except (KeyError, IndexError) as error:
        raise ValueError(f"not a row of this history: {error!r}") from error


def labels_in(data: bytes, labels: Mapping[int, str]) -> set[str]:
    """Return the labels that a row uses."""
    return {text for text, _ in unpacked(data, labels)}
