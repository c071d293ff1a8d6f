"""Structured personal data: e-mail, card, IBAN, US social security number, IP address, phone.

Names and addresses are not here: they need a language model's help, cost a thousand times more and err far more often.
Every pattern starts where the run that it belongs to starts (look-behind) and has bounded repeats, so that time grows
linearly with the text whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from modelward.privacy.checksums import iban_valid, luhn_valid
from modelward.privacy.span import Span

EMAIL, CARD, IBAN, US_SSN, IP_ADDRESS, PHONE = "EMAIL", "CARD", "IBAN", "US_SSN", "IP_ADDRESS", "PHONE"

_EMAIL = re.compile(
    r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9])"
)
_DIGIT_GROUPS = re.compile(r"(?<![\w.])[0-9]+(?:[ -][0-9]+)*(?![\w])", re.ASCII)
_GROUP = re.compile(r"[0-9]+")
_CARD_LENGTHS = range(12, 20)
_CARD_PREFIX = re.compile(r"[3-6]|2[1-7]|1800")
_MAX_CARD_GROUPS = 6
_IBAN_START = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2})[0-9]{2}(?=[ ]?[A-Za-z0-9])")
_SSN = re.compile(r"(?<![\w-])(?!000|666|9[0-9]{2})[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![\w-])", re.ASCII)
_IPV4 = re.compile(r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?!\w|\.[0-9])", re.ASCII)
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])", re.ASCII)
_PHONES = (
    re.compile(r"(?<![\w+])\+[1-9](?:[ .()/-]{0,3}[0-9]){7,14}(?![0-9])", re.ASCII),
    re.compile(
        r"(?<![\w.+-])(?:1[ .-])?(?:\([2-9][0-9]{2}\)[ .-]?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}"
        r"(?:[ ]?x[0-9]{1,5})?(?![\w-])",
        re.ASCII,
    ),
    re.compile(
        r"(?<![\w.+-])0(?=(?:[ .-]?[0-9]){8,10}(?![ .-]?[0-9]))[0-9]{1,4}(?:[ .-][0-9]{2,4}){2,4}(?![\w-])",
        re.ASCII,
    ),
    re.compile(
        r"(?i:\b(?:phone|telephone|tel|mobile|cell|call|dial|whatsapp|text|reach|fax)\b[^0-9\n(+]{0,24})"
        r"(\(?[0-9](?:[ .()/-]{0,2}[0-9]){6,13})(?![\w-])",
        re.ASCII,
    ),
)

_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22,
    "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
    "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip


def emails(text: str) -> Iterator[Span]:
    """Find e-mail addresses."""
    if "@" in text:
        for found in _EMAIL.finditer(text):
            yield Span(EMAIL, found.start(), found.end())


def cards(text: str) -> Iterator[Span]:
    """Find payment card numbers: 12 to 19 digits, perhaps in groups, of an issuer's range, that Luhn agrees to."""
    for run in _DIGIT_GROUPS.finditer(text):
        groups = [(run.start() + g.start(), run.start() + g.end()) for g in _GROUP.finditer(run.group())]
        for first, (start, _) in enumerate(groups):
            for _, end in groups[first : first + _MAX_CARD_GROUPS]:
                if end - start < 26 and _is_card(text[start:end]):  # 19 digits in 6 groups are 24 characters
                    yield Span(CARD, start, end)


def _is_card(text: str) -> bool:
    digits = text.replace(" ", "").replace("-", "")
    return len(digits) in _CARD_LENGTHS and _CARD_PREFIX.match(digits) is not None and luhn_valid(digits)


def ibans(text: str) -> Iterator[Span]:
    """Find international bank account numbers of the length that their country uses and with the right check digits."""
    for found in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get(found.group(1).upper())
        end = _take_letters(text, found.start(), length) if length else 0
        if end and iban_valid(text[found.start() : end].replace(" ", "")):
            yield Span(IBAN, found.start(), end)


def _take_letters(text: str, start: int, count: int) -> int:
    """Return where `count` ASCII letters and digits with single spaces between them end, 0 if they do not."""
    position, taken = start, 0
    while position < len(text) and taken < count:
        if text[position].isascii() and text[position].isalnum():
            taken += 1
        elif text[position] != " " or text[position - 1] == " ":
            return 0
        position += 1
    ends = position == len(text) or not (text[position].isascii() and text[position].isalnum())
    return position if taken == count and ends else 0


def social_security_numbers(text: str) -> Iterator[Span]:
    """Find US social security numbers, written with dashes and of an area that is given out."""
    for found in _SSN.finditer(text):
        yield Span(US_SSN, found.start(), found.end())


def ip_addresses(text: str) -> Iterator[Span]:
    """Find IP addresses other than loopback and unspecified ones, which belong to nobody."""
    for pattern in (_IPV4, _IPV6):
        for found in pattern.finditer(text):
            if _is_somebodys(found.group()):
                yield Span(IP_ADDRESS, found.start(), found.end())


def _is_somebodys(text: str) -> bool:
    if ":" in text and (len(text) < 7 or not any(letter.isdigit() for letter in text)):
        return False
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def phones(text: str) -> Iterator[Span]:
    """Find phone numbers: international, North American, with a leading zero, or announced by a word like "call"."""
    for pattern in _PHONES:
        for found in pattern.finditer(text):
            group = 1 if pattern.groups else 0
            yield Span(PHONE, found.start(group), found.end(group))
