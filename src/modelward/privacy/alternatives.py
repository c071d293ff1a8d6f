"""Finding any of many words in a text: only where a word begins with the first letters of one are patterns tried.

A pattern of hundreds of words that is searched for at every character costs more than all other detectors together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

_BEGINNING = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+")
"""A word, or a part of one in camel case."""
_STEMS: set[str] = set()
"""The first two letters of every word that is searched for, so that a text is cut into words once for all."""


class Alternatives:
    """Words to search for, as patterns whose first two letters stand as they are or in brackets.

    `inside` lists words that are found within others too.
    """

    def __init__(self, words: Iterable[str], inside: Iterable[str]) -> None:
        branches: dict[str, list[str]] = {}
        for word in words:
            branches.setdefault(word[0], []).append(word[1:])
        self._stems = {
            f"{first}{letter}" for first, rests in branches.items() for rest in rests for letter in _second(rest)
        }
        self._inside = tuple(inside)
        self._pattern = re.compile("|".join(f"{first}(?:{'|'.join(rests)})" for first, rests in branches.items()))
        _STEMS.update(self._stems)

    def found_in(self, text: str) -> Iterator[re.Match[str]]:
        """Yield matches in the lowered text in order, none overlapping; of words that begin alike the first wins."""
        low, places = lowered(text), _beginnings(text)
        starts = {at for stem in self._stems if stem in places for at in places[stem]}
        starts.update(at for word in self._inside for at in _places(low, word))
        position = 0
        for start in sorted(starts):
            if start >= position and (found := self._pattern.match(low, start)):
                position = found.end()
                yield found


def _second(rest: str) -> str:
    return rest[1 : rest.index("]")] if rest[0] == "[" else rest[0]


@lru_cache(maxsize=1)
def _beginnings(text: str) -> dict[str, list[int]]:
    """Return where words begin that may be searched for, by their first two letters."""
    low, stems = lowered(text), _STEMS
    places: dict[str, list[int]] = {}
    for word in _BEGINNING.finditer(text):
        at = word.start()
        stem = low[at : at + 2]
        if stem in stems:
            places.setdefault(stem, []).append(at)
    return places


def _places(text: str, stem: str) -> Iterator[int]:
    at = text.find(stem)
    while at >= 0:
        yield at
        at = text.find(stem, at + len(stem))


def listed(words: str) -> list[str]:
    """Return the words of a text that has commas between them."""
    return [word.strip() for word in words.split(",") if word.strip()]


@lru_cache(maxsize=1)
def lowered(text: str) -> str:
    """Return the text in lower case and of the same length; a character whose lower case is longer stays."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
