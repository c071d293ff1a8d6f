"""A stretch of text that must not be kept, and what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple


class Span(NamedTuple):
    """Characters `start` to `end` of a text hold one value of this kind; a tuple, because texts may hold thousands."""

    kind: str
    start: int
    end: int


Detector = Callable[[str], Iterator[Span]]
"""Finds one kind of value in time linear in the length of the text: it sees what strangers wrote."""
