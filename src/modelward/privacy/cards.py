"""Payment card numbers: of an issuer's range and length, grouped as cards are, with Luhn's check digit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelward.privacy.checksums import luhn_valid
from modelward.privacy.kinds import CARD
from modelward.privacy.labels import OTHER_WORD, labels_of
from modelward.privacy.span import Span

_BETWEEN = r"[ \t\r\n./_-]{1,3}"
_SOLID = re.compile(r"[1-9][0-9]{11,18}+(?![0-9])")
_GROUPED = re.compile(
    rf"[1-9](?:([0-9]{{3}}(?:{_BETWEEN}[0-9]{{4}}){{2}}{_BETWEEN}[0-9]{{1,7}})(?![0-9])({_BETWEEN}[0-9]{{1,3}}(?![0-9]))?"
    rf"|(?:[0-9]{{3}}{_BETWEEN}[0-9]{{6}}{_BETWEEN}[0-9]{{4,5}}|[0-9]{{7}}{_BETWEEN}[0-9]{{8}})(?![0-9])"
    rf"|(?:{_BETWEEN}[0-9](?![0-9])){{11,18}}(?!{_BETWEEN}[0-9]))"
)
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
    head = text[max(0, start - 64) : start]
    tail = _WORD_AROUND.match(text[end : end + 64])
    word = (re.split(r"[^0-9A-Za-z]", head)[-1]) + text[start:end] + (tail.group() if tail else "")
    return _HEX.fullmatch(word) is not None


def _grouped(text: str) -> Iterator[Span]:
    position = 0
    while found := _GROUPED.search(text, position):
        start, position = found.start(), found.start() + 1
        if text[start - 1 : start].isdigit() or (
            text[start - 1 : start] in ("-", ".") and text[start - 2 : start - 1].isdigit()
        ):
            position = _next_group(text, start)
            continue
        for end in dict.fromkeys((found.end(1), found.end())) if found.end(1) > 0 else (found.end(),):
            between = _NOT_DIGITS.findall(text, start, end)
            alike = len(set(between)) == 1 or all(not separator.strip() for separator in between)
            if alike and is_card(_NOT_DIGITS.sub("", text[start:end])):
                yield Span(CARD, start, end)
                position = end
                break
        else:
            position = _next_group(text, start)


_DIGITS = re.compile(r"[0-9]+")


def _next_group(text: str, start: int) -> int:
    found = _DIGITS.match(text, start)
    return found.end() if found else start + 1
