"""A run of digits as it stands in a text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

_GROUP = re.compile(r"[0-9]+")
_BETWEEN = re.compile(r"[^0-9]+")
_EXTENSION = re.compile(r"[ ]?(?:x|ext\.?)[ ]?[0-9]")
_DATE_SHAPES = frozenset(
    ((4, 2, 2), (2, 2, 4), (1, 2, 4), (2, 1, 4), (4, 2, 2, 2, 2), (4, 2, 2, 2, 2, 2), (2, 2, 4, 2, 2))
)


@dataclass(frozen=True)
class Run:
    """`digits` of the characters `start` to `end` of a text."""

    text: str
    start: int
    end: int
    digits: str

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The length of each group of digits."""
        return tuple(map(len, _GROUP.findall(self.text, self.start, self.end)))

    @cached_property
    def separators(self) -> list[str]:
        """What stands between the groups."""
        return _BETWEEN.findall(self.text, self.start, self.end)

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
        return self.shape in _DATE_SHAPES

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
                before.isalnum()
                or before in _PART_OF
                or (before in _JOINTS and start > 1 and text[start - 2].isalnum())
            ):
                return True
        if end == len(text):
            return False
        after, beyond = text[end], text[end + 1 : end + 2]
        if after.isalnum() or after in _UNITS:
            return not _EXTENSION.match(text, end)
        joined = beyond.isdigit() or (beyond.isalpha() and self.is_solid)  # "0711 12 34-Fax" is a number and a word
        return (after in _JOINTS and joined) or (after in ".:" and beyond.isdigit())


_PART_OF, _JOINTS, _UNITS = "_+$€£¥", "-/", "_%€@$"
