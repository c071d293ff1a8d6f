"""Runs of digits with separators, and what they are by their shape, their check digits and the words beside them.

A run is judged whole; if it is nothing it is cut at its widest separators and the parts are judged. So a phone number
is found in a table of numbers, and a line of four-digit numbers is none. Each level is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from modelward.privacy import national_numbers, phones
from modelward.privacy.checksums import luhn_valid
from modelward.privacy.kinds import CARD, NATIONAL_ID, PHONE, US_SSN
from modelward.privacy.label_words import CARD_WORD, NATIONAL_WORD, OTHER_WORD, PHONE_WORD, SSN_WORD
from modelward.privacy.labels import labels_of
from modelward.privacy.national_checks import us_individual_taxpayer, us_social_security
from modelward.privacy.run import Run, run_at
from modelward.privacy.span import Span

_RUN = re.compile(r"[0-9]+(?:[ \t\r\n./()_-]{1,3}[0-9]+)*")
_CUTS = tuple(
    map(re.compile, (r"[^0-9]*[\r\n][^0-9]*", r"[^0-9]*(?:\t|  )[^0-9]*", r"[^0-9]* [^0-9]*", r"[^0-9]*[_/][^0-9]*"))
)
_SEPARATORS = str.maketrans("", "", " \t\r\n./()_-")
_LETTER_TAIL = re.compile(r"[ ]?[A-Z][ ]?[0-9]{3}(?![0-9A-Za-z])")
_FEWEST, _MOST = 6, 19
_LEAST = {PHONE_WORD: 7, SSN_WORD: 9, NATIONAL_WORD: 6, CARD_WORD: 12}
"""The fewest digits that a value has which such a word announces."""
_PHONE_DIGITS, _NATIONAL_DIGITS, _CARD_DIGITS = range(7, 16), range(6, 19), range(12, 20)
Word = Callable[[int, int], str]


def identifying_numbers(text: str) -> Iterator[Span]:
    """Find social security and national numbers, local phones, and cards that a word announces."""

    def word(start: int, end: int) -> str:
        return labels_of(text).of(start, end)

    for found in _RUN.finditer(text):
        if found.end() - found.start() >= _FEWEST and not phones.is_international(text, *found.span()):
            yield from _judged(text, found.start(), found.end(), word, 0)


def _judged(text: str, start: int, end: int, word: Word, level: int) -> Iterator[Span]:
    piece = text[start:end]
    digits = piece.translate(_SEPARATORS)
    if len(digits) < _FEWEST:
        return
    if len(digits) <= _MOST and (kind := _kind(run := run_at(text, start, end, digits), word)):
        yield phones.whole(run) if kind == PHONE else Span(kind, start, _tail(run) if kind == NATIONAL_ID else end)
    elif len(digits) < len(piece):
        yield from _cut(text, start, end, word, level)


def _tail(run: Run) -> int:
    """Return where a national number ends that goes on with a letter and digits, as German pension numbers do."""
    found = _LETTER_TAIL.match(run.text, run.end)
    return found.end() if found else run.end


def _cut(text: str, start: int, end: int, word: Word, level: int) -> Iterator[Span]:
    """Judge the parts between the widest separators that the run has."""
    for number in range(level, len(_CUTS)):
        first = start
        for found in _CUTS[number].finditer(text, start, end):
            if found.start() - first >= _FEWEST:
                yield from _judged(text, first, found.start(), word, number + 1)
            first = found.end()
        if first != start:
            if end - first >= _FEWEST:
                yield from _judged(text, first, end, word, number + 1)
            return


def _kind(run: Run, word: Word) -> str:
    """Say what a run is, "" if nothing."""
    if run.is_embedded:
        return ""
    label = word(run.start, run.end)
    if label and label != OTHER_WORD and (kind := _announced(run, label)):
        return kind
    doubted = label == OTHER_WORD or run.is_an_amount
    if run.shape == (3, 2, 4) and (kind := _social_security(run, doubted)):
        return kind
    if phones.is_north_american(run, doubted=doubted) or (
        run.digits[0] == "0" and phones.is_local(run, doubted=doubted)
    ):
        return PHONE
    if national_numbers.is_known(run, doubted=doubted or (run.is_wrapped and label != NATIONAL_WORD)):
        return NATIONAL_ID
    return PHONE if phones.is_local(run, doubted=doubted) else ""


def _announced(run: Run, label: str) -> str:
    """Judge a run that a word announces: its length must fit, its shape need not."""
    size = len(run.digits)
    if (
        run.is_date
        or run.is_an_amount
        or any("\t" in separator for separator in run.separators)
        or not _is_one(run, label)
    ):
        return ""
    if label == SSN_WORD and size == 9:
        return US_SSN
    if label == CARD_WORD and size in _CARD_DIGITS and luhn_valid(run.digits):
        return CARD
    if label == PHONE_WORD and size in _PHONE_DIGITS:
        return PHONE
    return NATIONAL_ID if label in (NATIONAL_WORD, SSN_WORD) and size in _NATIONAL_DIGITS else ""


def _is_one(run: Run, label: str) -> bool:
    """Say whether no line breaks in a run, or one that wraps a value: what stands before it is too short to be one."""
    lines = run.text[run.start : run.end].splitlines()
    return len(lines) == 1 or (len(lines) == 2 and len(lines[0].translate(_SEPARATORS)) < _LEAST.get(label, 0))


def _social_security(run: Run, doubted: bool) -> str:
    if not run.same_separators or (run.separators[0] != "-" and (doubted or run.separators[0] not in (" ", "."))):
        return ""
    if us_social_security(run.digits):
        return US_SSN
    return NATIONAL_ID if us_individual_taxpayer(run.digits) else ""
