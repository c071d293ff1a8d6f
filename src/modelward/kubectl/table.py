"""Text for a terminal: columns that line up, ages, and colour where a person reads and not a pipe."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta

COLOURS = {
    "Unhealthy": 31, "Failed": 31, "Critical": 31, "Firing": 31, "False": 31,
    "Degraded": 33, "Warning": 33, "Held": 33,
    "Unknown": 35, "Pending": 35,
    "Healthy": 32, "Passed": 32, "True": 32, "Resolved": 32,
}  # fmt: skip
_STEPS = ((86_400, "d"), (3_600, "h"), (60, "m"))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under their heads; the last column is as wide as it needs to be."""
    every = [tuple(heads), *(tuple(plain(cell) or "-" for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    lines = []
    for number, row in enumerate(every):
        cells = [_padded(cell, width, head=number == 0) for cell, width in zip(row[:-1], widths, strict=False)]
        lines.append("  ".join([*cells, row[-1]]).rstrip())
    return "\n".join(lines)


def coloured(word: str, text: str = "") -> str:
    """Return a text in the colour of a state, or as it is where the output is no terminal."""
    code = COLOURS.get(word)
    shown = text or word
    return f"\033[{code}m{shown}\033[0m" if code and _terminal() else shown


def bold(text: str) -> str:
    """Return a heading."""
    return f"\033[1m{text}\033[0m" if _terminal() else text


def plain(text: object) -> str:
    """Return a text on one line without anything that a terminal would act on."""
    return "".join(" " if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp") else one for one in str(text))


def block(text: str, indent: str = "    ") -> str:
    """Return a text of several lines, indented and without anything that a terminal would act on."""
    return "\n".join(indent + plain(line) for line in text.splitlines() or [""])


def age(time: str, now: datetime) -> str:
    """Return how long ago an RFC 3339 time was, such as 12m; empty where there is none."""
    try:
        then = datetime.fromisoformat(time)
    except ValueError:
        return ""
    return span(now - then)


def span(passed: timedelta) -> str:
    """Return a time as kubectl shows ages."""
    seconds = max(0, int(passed.total_seconds()))
    return next((f"{seconds // size}{unit}" for size, unit in _STEPS if seconds >= size), f"{seconds}s")


def _padded(cell: str, width: int, *, head: bool) -> str:
    return cell.ljust(width) if head else coloured(cell) + " " * (width - len(cell))


def _terminal() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
