"""Values in tables whose heading says what a column holds: `| SSN |` above, and digits without a word below."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial

from modelward.privacy.birth_dates import is_a_date
from modelward.privacy.kinds import DATE_OF_BIRTH, NATIONAL_ID, PASSWORD, PHONE, US_SSN
from modelward.privacy.label_words import BIRTH_WORD, NATIONAL_WORD, PHONE_WORD, SSN_WORD
from modelward.privacy.labels import Labels, labels_of
from modelward.privacy.passwords import is_secret_cell, names_a_password, password_words
from modelward.privacy.span import Span

_BETWEEN_CELLS = ("|", "\t", ";", ",")
_MOST_COLUMNS, _LONGEST_HEADING = 64, 400
_NOT_DIGITS = re.compile(r"[ ()./+-]+")
_WORD_WITH_DIGITS = re.compile(r"[A-Za-z0-9]{6,18}")
_CODE = re.compile(r"[A-Z0-9-]*[0-9][A-Z0-9-]*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
Judge = Callable[[str], str]
"""Says what kind a cell is of, "" if none."""


def column_values(text: str) -> Iterator[Span]:
    """Find values in columns under a heading that names a number of people, a phone or a password."""
    words = iter(sorted([*labels_of(text).personal, *password_words(text)]))
    word = next(words, None)
    if word is None:
        return
    judges: dict[int, Judge] = {}
    separator, columns, position = "", 0, 0
    for line in text.split("\n"):
        end = position + len(line)
        cells = line.split(separator) if judges else []
        if judges and len(cells) == columns:
            yield from _judged(cells, judges, position)
        elif word is not None and word < end:
            separator, columns, judges = _heading(line)
        else:
            judges = {}
        while word is not None and word < end:
            word = next(words, None)
        position = end + 1


def _judged(cells: list[str], judges: dict[int, Judge], position: int) -> Iterator[Span]:
    for index, cell in enumerate(cells):
        value = cell.strip(" \"'\r`")
        if value and (judge := judges.get(index)) and (kind := judge(value)):
            start = position + cell.index(value)
            yield Span(kind, start, start + len(value))
        position += len(cell) + 1


def _heading(line: str) -> tuple[str, int, dict[int, Judge]]:
    """Return what separates the cells of a heading, how many there are, and a judge for each column that it names."""
    if 3 <= len(line) <= _LONGEST_HEADING:
        for separator in _BETWEEN_CELLS:
            cells = line.split(separator)
            if 1 < len(cells) <= _MOST_COLUMNS:
                named = sum(1 for cell in cells if cell.strip()) > 1
                judges = {i: judge for i, cell in enumerate(cells) if (judge := judge_of(cell))} if named else {}
                return separator, len(cells), judges
    return "", 0, {}


@lru_cache(maxsize=512)
def judge_of(heading: str) -> Judge | None:
    """Return what judges the cells under a heading, or beside the name of a column."""
    heading = heading.strip(" \"'\r`*")
    if not heading or len(heading) > 40 or any(map(str.isdigit, heading)) or ":" in heading or "=" in heading:
        return None
    if names_a_password(_CAMEL.sub("_", heading)):
        return lambda cell: PASSWORD if is_secret_cell(cell) else ""
    kind = Labels(heading + ": ").of(len(heading) + 2, len(heading) + 2)
    if kind == BIRTH_WORD:
        return lambda cell: DATE_OF_BIRTH if is_a_date(cell) else ""
    return partial(_number, kind) if kind in (PHONE_WORD, SSN_WORD, NATIONAL_WORD) else None


def _number(word: str, cell: str) -> str:
    digits = _NOT_DIGITS.sub("", cell)
    if not digits.isascii() or _DATE.fullmatch(cell):
        return ""
    if word == NATIONAL_WORD and not digits.isdigit():
        mixed = _WORD_WITH_DIGITS.fullmatch(digits) and (
            sum(map(str.isdigit, digits)) > 3 or (cell.isupper() and _CODE.fullmatch(cell))
        )
        return NATIONAL_ID if mixed else ""
    if not digits.isdigit():
        return ""
    if word == PHONE_WORD:
        return PHONE if 7 <= len(digits) <= 15 else ""
    if word == SSN_WORD:
        return US_SSN if len(digits) == 9 else ""
    return NATIONAL_ID if 6 <= len(digits) <= 18 else ""
