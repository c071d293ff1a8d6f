"""Text with its masks set apart, so that a page can mark what was taken out."""

from __future__ import annotations

import re
from dataclasses import dataclass

MASK = re.compile(r"\[[A-Z][A-Z0-9_]{1,30}(?:[:#_-][A-Za-z0-9]{1,12})?\]")
"""How a mask stands in text."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text, or a mask in it."""

    text: str
    mask: bool = False


def pieces(text: str) -> tuple[Piece, ...]:
    """Return a text in pieces, masks apart; together they are the text."""
    found, at = [], 0
    for match in MASK.finditer(text):
        if match.start() > at:
            found.append(Piece(text[at : match.start()]))
        found.append(Piece(match[0], mask=True))
        at = match.end()
    if at < len(text):
        found.append(Piece(text[at:]))
    return tuple(found)
