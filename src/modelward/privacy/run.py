"""A run of digits as it stands in a text."""

from __future__ import annotations

import re
from typing import NamedTuple

_FIRST_UNSPACED = "\u2e80"
_GROUP = re.compile(r"[0-9]+")
_BETWEEN = re.compile(r"[^0-9]+")
_EXTENSION = re.compile(r"[ ]?(?:x|ext\.?)[ ]?[0-9]")
_YEAR_SHAPES = ((4, 4), (8,))
_YEARS = re.compile(r"(?:19|20)[0-9]{2}(?:(?:19|20)[0-9]{2}|(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]))")
"""From one year to another, or year, month and day."""
_DATE_SHAPES = frozenset(
    ((4, 2, 2), (2, 2, 4), (1, 2, 4), (2, 1, 4), (4, 2, 2, 2, 2), (4, 2, 2, 2, 2, 2), (2, 2, 4, 2, 2))
)


def is_of_a_word(character: str) -> bool:
    """Say whether a letter or digit would go on in a word; scripts that put no space between words do not."""
    return character.isalnum() and character < _FIRST_UNSPACED


def run_at(text: str, start: int, end: int, digits: str) -> Run:
    """Return the run between two places, whose digits are known."""
    solid = end - start == len(digits)
    return Run(text, start, end, digits, (len(digits),) if solid else tuple(map(len, _GROUP.findall(text, start, end))))


class Run(NamedTuple):
    """`digits` of the characters `start` to `end` of a text; `shape` is how many digits each group has."""

    text: str
    start: int
    end: int
    digits: str
    shape: tuple[int, ...]

    @property
    def separators(self) -> list[str]:
        """What stands between the groups."""
        return _BETWEEN.findall(self.text, self.start, self.end)

    @property
    def is_wrapped(self) -> bool:
        """Whether one line breaks in it."""
        return self.text.count("\n", self.start, self.end) == 1

    @property
    def same_separators(self) -> bool:
        """Whether one separator stands between all groups."""
        return len(set(self.separators)) == 1

    @property
    def is_solid(self) -> bool:
        """Whether no separator stands in it."""
        return self.end - self.start == len(self.digits)

    @property
    def is_date(self) -> bool:
        """Whether it is shaped like a date, perhaps with a time."""
        if self.shape in _YEAR_SHAPES:
            return _YEARS.fullmatch(self.digits) is not None
        return self.shape in _DATE_SHAPES

    @property
    def is_an_amount(self) -> bool:
        """Whether a unit or what is counted stands behind it."""
        return _COUNTED.match(self.text, self.end) is not None

    @property
    def before(self) -> str:
        """The character before it, "" at the beginning."""
        return self.text[self.start - 1 : self.start]

    @property
    def is_embedded(self) -> bool:
        """Whether it is part of a longer word, number, amount or path rather than a value of its own."""
        text, start, end = self.text, self.start, self.end
        if start:
            before = text[start - 1]
            if (
                is_of_a_word(before)
                or before in _PART_OF
                or (before in _JOINTS and start > 1 and text[start - 2].isalnum())
            ):
                return True
        if end == len(text):
            return False
        after, beyond = text[end], text[end + 1 : end + 2]
        if is_of_a_word(after) or after in _UNITS:
            return not _EXTENSION.match(text, end)
        joined = beyond.isdigit() or (beyond.isalpha() and self.is_solid)  # "0711 12 34-Fax" is a number and a word
        return (after in _JOINTS and joined) or (after in ".:" and beyond.isdigit())


_COUNTED = re.compile(
    r"[ ]?(?:[kmgt]?i?b(?:ytes?)?|bits?|[mnµu]?s(?:econds?)?|hz|items?|rows?|records?|files?|users?|people|inhabitants"
    r"|times|tokens?|requests?|euros?|dollars?|usd|eur|gbp|km|kg|stück|einwohner|personas|personnes)\b",
    re.IGNORECASE,
)
_PART_OF, _JOINTS, _UNITS = "_+$€£¥", "-/", "_%€@$"
