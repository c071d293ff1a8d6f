"""National numbers of people that hold letters: identity, tax and insurance numbers, and passports after a word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelward.privacy.checksums import weighted
from modelward.privacy.kinds import NATIONAL_ID
from modelward.privacy.label_words import NATIONAL_WORD, SSN_WORD
from modelward.privacy.labels import labels_of
from modelward.privacy.national_checks import NationalCheck, chile, china, france_social, is_date
from modelward.privacy.run import is_of_a_word
from modelward.privacy.span import Span

_FROM_DIGIT = re.compile(r"[0-9][A-Za-z0-9]{3,}+")
_JOINTS = ("-", ".")
_MOST_LETTERS_FIRST, _WORD_SIZES = 6, range(6, 25)
_WRITTEN = (
    re.compile(
        r"[A-Z](?:"
        r"[A-Z][ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[A-D](?![A-Za-z0-9])"  # Britain
        r"|[ -]?[0-9]{1,2}[.]?[0-9]{3}[.]?[0-9]{3}[ -]?[A-Za-z](?![A-Za-z0-9])"  # Spain
        r"|[A-Z]?[0-9]{6}\([0-9A]\)"  # Hong Kong
        r"|[A-Z]{2}[ -]?[A-Z]{3}[ -][0-9]{2}[A-Z][0-9]{2}[ -]?[A-Z][0-9]{3}[A-Z](?![A-Za-z0-9])"  # Italy
        r")"
    ),
    re.compile(
        r"[0-9](?:"
        r"[0-9][ ][0-9]{6}[ ][A-Z][ ][0-9]{3}(?![A-Za-z0-9])"  # Germany
        r"|[0-9]?[.]?[0-9]{3}[.]?[0-9]{3}[ -]?[A-Za-z](?![A-Za-z0-9])"  # Spain, Chile
        r"|[0-9]{5}[-+A-FU-Y][0-9]{3}[0-9A-Y](?![A-Za-z0-9])"  # Finland
        r"|[A-Z][A-Z0-9][0-9]-[A-Z][A-Z0-9][0-9]-[A-Z]{2}[0-9]{2}(?![A-Za-z0-9])"  # United States, Medicare
        r")"
    ),
)
_BETWEEN = str.maketrans("", "", " .-+")
_SPANISH = "TRWAGMYFPDXBNJZSQVHLCKE"
_FINNISH = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22,
    25, 24, 23), strict=True))  # fmt: skip
_TAIWANESE = "ABCDEFGHJKLMNPQRSTUVXYWZIO"


def _italy(word: str) -> bool:
    values = sum(_ODD[c] for c in word[0:15:2]) + sum(int(c) if c.isdigit() else ord(c) - 65 for c in word[1:14:2])
    return chr(65 + values % 26) == word[15]


def _spain(word: str) -> bool:
    number = word[:-1].translate(str.maketrans("XYZKLM", "012000"))
    return _SPANISH[int(number) % 23] == word[-1]


def _finland(word: str) -> bool:
    return is_date(word[4:6], word[2:4], word[:2]) and _FINNISH[int(word[:6] + word[-4:-1]) % 31] == word[-1]


def _germany_pension(word: str) -> bool:
    letter = ord(word[8]) - 64
    digits = word[:8] + f"{letter:02d}" + word[9:11]
    sums = sum(
        sum(map(int, str(int(d) * w))) for d, w in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True)
    )
    return 1 <= int(word[4:6]) <= 12 and sums % 10 == int(word[11])


def _france_corsica(word: str) -> bool:
    digits = word.replace("2A", "19").replace("2B", "18")
    return len(digits) == 15 and digits.isdigit() and france_social(digits)


def _ireland(word: str) -> bool:
    total = weighted(word[:7], range(8, 1, -1)) + (9 * (ord(word[8]) - 64) if len(word) > 8 and word[8] != "W" else 0)
    return "WABCDEFGHIJKLMNOPQRSTUV"[total % 23] == word[7]


def _taiwan(word: str) -> bool:
    place = _TAIWANESE.index(word[0]) + 10
    return (place // 10 + place % 10 * 9 + weighted(word[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def _singapore(word: str) -> bool:
    shift = {"T": 4, "G": 4, "M": 3}.get(word[0], 0)
    total = (weighted(word[1:8], (2, 7, 6, 5, 4, 3, 2)) + shift) % 11
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK", "M": "KLJNPQRTUWX"}
    return letters[word[0]][total] == word[8]


def _hong_kong(word: str) -> bool:
    word = word.replace("(", "").replace(")", "")
    prefix = [36] if len(word) == 8 else []
    values = prefix + [int(c) if c.isdigit() else ord(c) - 55 for c in word]
    return sum(value * weight for value, weight in zip(values, range(9, 0, -1), strict=True)) % 11 == 0


def _mexico(word: str) -> bool:
    return is_date(word[4:6], word[6:8], word[8:10])


def _always(_word: str) -> bool:
    return True


_DIGIT_FIRST = ("[0-9]", "[1-")
_FORMS: tuple[tuple[range, re.Pattern[str], NationalCheck], ...] = tuple(
    (sizes, re.compile(pattern), check)
    for sizes, pattern, check in (
        (range(9, 10), r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]", _always),  # Britain
        (range(16, 17), r"[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]", _italy),
        (range(9, 10), r"[0-9]{8}[A-Z]", _spain),
        (range(9, 10), r"[XYZKLM][0-9]{7}[A-Z]", _spain),
        (range(10, 11), r"[A-Z]{3}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z]", _always),  # India
        (range(18, 19), r"[A-Z][AEIOUX][A-Z]{2}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]", _mexico),
        (range(13, 14), r"[A-Z][AEIOUX][A-Z]{2}[0-9]{6}[0-9A-Z]{3}", _mexico),
        (range(10, 12), r"[0-9]{6}[A-FU-Y]?[0-9]{3}[0-9A-Y]", _finland),
        (range(18, 19), r"[0-9]{17}X", china),
        (range(10, 11), r"[A-Z][1289][0-9]{8}", _taiwan),
        (range(9, 10), r"[STFGM][0-9]{7}[A-Z]", _singapore),
        (range(10, 12), r"[A-Z]{1,2}[0-9]{6}\([0-9A]\)", _hong_kong),
        (range(12, 13), r"[0-9]{8}[A-Z][0-9]{3}", _germany_pension),
        (range(15, 16), r"[1-478][0-9]{4}2[AB][0-9]{8}", _france_corsica),
        (range(8, 10), r"[0-9]{7}[A-W][A-IW]?", _ireland),
        (range(8, 10), r"[0-9]{7,8}K", chile),
        (
            range(11, 12),
            r"[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9][0-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9][0-9][AC-HJKMNP-RT-Y]{2}[0-9]{2}",
            _always,
        ),
    )
)
_BY_BEGINNING = {
    (size, digit): [
        (pattern, check)
        for sizes, pattern, check in _FORMS
        if size in sizes and pattern.pattern.startswith(_DIGIT_FIRST) is digit
    ]
    for size in range(8, 19)
    for digit in (True, False)
}
"""The forms by length and by whether a digit comes first."""
_MIN_DIGITS_ANNOUNCED = 4


def identifying_words(text: str) -> Iterator[Span]:
    """Find national numbers with letters in them."""
    for start, end in _words_with_digits(text):
        word = text[start:end]
        if _is_known(word) or _is_announced(text, start, end):
            yield Span(NATIONAL_ID, start, end)
    for pattern in _WRITTEN:
        for found in pattern.finditer(text):
            before = text[found.start() - 1 : found.start()]
            if not (found.group().isalnum() or before.isalnum() or before in ("_", ".")) and _is_known(
                found.group().translate(_BETWEEN)
            ):
                yield Span(NATIONAL_ID, found.start(), found.end())


def _words_with_digits(text: str) -> Iterator[tuple[int, int]]:
    """Yield where a word of letters and digits begins and ends, if it is as long as a national number is."""
    for found in _FROM_DIGIT.finditer(text):
        start, end = found.span()
        if found.group().isdigit() and not text[start - 1 : start].isalpha():
            continue
        least = max(0, start - _MOST_LETTERS_FIRST)
        while start > least and is_of_a_word(text[start - 1]):
            start -= 1
        before, after = text[start - 1 : start], text[end : end + 1]
        joined = (
            (before in _JOINTS and text[max(0, start - 2) : max(0, start - 1)].isalnum())
            or (after == "-" and text[end + 1 : end + 2].isalnum())
            or is_of_a_word(before)
            or is_of_a_word(after)
            or "_" in (before, after)
        )
        if end - start in _WORD_SIZES and not joined:
            yield start, end


def _is_known(word: str) -> bool:
    word = word.upper()
    for pattern, check in _BY_BEGINNING.get((len(word), word[0].isdigit()), ()):
        if pattern.fullmatch(word) and check(word):
            return True
    return False


def _is_announced(text: str, start: int, end: int) -> bool:
    """Say whether a word such as "passport" stands before a word with digits."""
    if sum(map(str.isdigit, text[start:end])) < _MIN_DIGITS_ANNOUNCED:
        return False
    return labels_of(text).of(start, end) in (NATIONAL_WORD, SSN_WORD)
