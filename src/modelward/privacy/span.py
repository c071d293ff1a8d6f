"""A stretch of text that must not be kept, and what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple


class Span(NamedTuple):
    """Characters `start` to `end` of a text hold one value of this kind; a tuple, because texts may hold thousands."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Detector:
    """Finds values, which it may call by `kinds`, in time linear in a text's length: it sees what strangers wrote."""

    find: Callable[[str], Iterator[Span]]
    kinds: tuple[str, ...]
