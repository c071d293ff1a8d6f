"""Tables in plain characters, which a file or a pipe takes as a terminal does."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], *, numbers: bool = False) -> list[str]:
    """Return a line for each row, columns as wide as they must be; `numbers` puts all but the first to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_cells(row, widths, numbers=numbers)).rstrip() for row in rows]


def _cells(row: Sequence[str], widths: Sequence[int], *, numbers: bool) -> list[str]:
    return [
        cell.rjust(width) if numbers and index else cell.ljust(width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
