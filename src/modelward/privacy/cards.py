"""Payment card numbers: of an issuer's range and length, grouped as cards are, with Luhn's check digit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelward.privacy.checksums import luhn_valid
from modelward.privacy.kinds import CARD
from modelward.privacy.label_words import OTHER_WORD
from modelward.privacy.labels import labels_of
from modelward.privacy.span import Span

_BETWEEN = r"[ \t\r\n./_-]{1,3}"
_SOLID = re.compile(r"[1-9][0-9]{11,18}+(?![0-9])")
_GROUPED = re.compile(
    rf"[1-9](?:[0-9]{{3}}(?:{_BETWEEN}[0-9]{{4}}){{2}}{_BETWEEN}[0-9]{{1,7}}"
    rf"|[0-9]{{3}}{_BETWEEN}(?:[0-9]{{6}}{_BETWEEN}[0-9]{{4,5}}|[0-9]{{4}}{_BETWEEN}[0-9]{{8}}|[0-9]{{12}})"
    rf"|[0-9]{{7}}{_BETWEEN}(?:[0-9]{{8}}|[0-9]{{4}}{_BETWEEN}[0-9]{{4}}))(?![0-9])"
)
_GROUP_MORE = re.compile(rf"{_BETWEEN}[0-9]{{1,3}}(?![0-9])")
_SINGLE = re.compile(rf"[1-9](?:{_BETWEEN}[0-9](?![0-9])){{11,}}+")
_SEPARATORS = str.maketrans("", "", " \t\r\n./_-")
_ISSUER = {
    12: "5[06-8]|6",
    13: "4|5[06-8]|6",
    14: "3(?:0[0-5]|095|[689])|5[06-8]|6",
    15: "3[47]|2131|1800|5[06-8]|6",
    16: "[3-6]|2[2-7]|8[12]|9792",
    17: "5[06-8]|6|35",
    18: "5[06-8]|6|35",
    19: "4|5[06-8]|6|35",
}
_ISSUERS = {length: re.compile(prefix) for length, prefix in _ISSUER.items()}
_NOT_DIGITS = re.compile(r"[^0-9]+")
_WORD_AROUND = re.compile(r"[0-9A-Za-z]*")
_HEX = re.compile(r"[0-9A-Fa-f]+")


def is_card(digits: str) -> bool:
    """Say whether digits are of a length and range that an issuer gives out, and their check digit fits."""
    issuer = _ISSUERS.get(len(digits))
    return issuer is not None and issuer.match(digits) is not None and luhn_valid(digits)


def cards(text: str) -> Iterator[Span]:
    """Find payment card numbers, solid or in the groups in which cards show them."""
    yield from _solid(text)
    yield from _grouped(text)


def _solid(text: str) -> Iterator[Span]:
    for found in _SOLID.finditer(text):
        start, end = found.span()
        if not is_card(found.group()) or _is_part(text, start, end):
            continue
        if labels_of(text).of(start, end) != OTHER_WORD:
            yield Span(CARD, start, end)


def _is_part(text: str, start: int, end: int) -> bool:
    """Say whether digits belong to a longer number, a decimal fraction or a hexadecimal word."""
    before, further = text[start - 1 : start], text[max(0, start - 2) : max(0, start - 1)]
    if before.isdigit() or (before in (".", "-") and further.isdigit() and bool(before)):
        return True
    if not before.isalpha() and not text[end : end + 1].isalpha():
        return False
    head = re.split(r"[^0-9A-Za-z]", text[max(0, start - 64) : start])[-1]
    tail = _WORD_AROUND.match(text[end : end + 64])
    word = head + text[start:end] + (tail.group() if tail else "")
    return any(map(str.isdigit, head)) or _HEX.fullmatch(word) is not None


def _grouped(text: str) -> Iterator[Span]:
    position = 0
    while found := _GROUPED.search(text, position):
        start = found.start()
        more = _GROUP_MORE.match(text, found.end())
        ends = (found.end(), more.end()) if more else (found.end(),)
        end = next((end for end in ends if _is_grouped_card(text, start, end)), 0)
        if end:
            yield Span(CARD, start, end)
        position = end or start + 4  # the next group, so that a card among others is found
    for found in _SINGLE.finditer(text):
        if _is_grouped_card(text, found.start(), found.end()):
            yield Span(CARD, found.start(), found.end())


def _is_grouped_card(text: str, start: int, end: int) -> bool:
    """Say whether groups are a card's: alike separators, and no part of a longer number."""
    if not is_card(text[start:end].translate(_SEPARATORS)):
        return False
    before, further = text[start - 1 : start], text[max(0, start - 2) : max(0, start - 1)]
    if before.isdigit() or (before in ("-", ".") and further.isdigit()):
        return False
    between = _NOT_DIGITS.findall(text, start, end)
    return len(set(between)) == 1 or all(not separator.strip() for separator in between)
