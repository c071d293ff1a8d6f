"""A record as a few bytes, for rows that wait to be sealed: pairs of variable-length integers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from modelward.hub.history.record import FIELDS, Record

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
    numbers, number, shift = [], 0, 0
    for byte in data:
        number |= (byte & 127) << shift
        if byte & 128:
            shift += 7
        else:
            numbers.append(number)
            number = shift = 0
    column = 0
    try:
        for gap, value in zip(numbers[::2], numbers[1::2], strict=True):
            column += gap
            found[labels[column // _FIELDS], FIELDS[column % _FIELDS]] = value
    except (KeyError, IndexError) as error:
        raise ValueError(f"not a row of this history: {error!r}") from error
    return found


def labels_in(data: bytes, labels: Mapping[int, str]) -> set[str]:
    """Return the labels that a row uses."""
    return {text for text, _ in unpacked(data, labels)}
