"""International bank account numbers, of the length that their country uses and with the right check digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelward.privacy.checksums import iban_valid
from modelward.privacy.kinds import IBAN
from modelward.privacy.span import Span

_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
_START = re.compile(r"[A-Za-z]{2}[ .-]?[0-9](?=[ ]?[0-9])")
_BETWEEN = r"[ \t\r\n._/-]{0,3}"
_BODY = {
    n: re.compile(rf"[A-Za-z0-9](?:{_BETWEEN}[A-Za-z0-9]){{{n - 1}}}(?![A-Za-z0-9])") for n in {*_LENGTHS.values()}
}
_SEPARATORS = str.maketrans("", "", " \t\r\n._/-")


def ibans(text: str) -> Iterator[Span]:
    """Find account numbers, solid or in groups with any separators, also right behind the word IBAN."""
    for found in _START.finditer(text):
        start = found.start()
        length = _LENGTHS.get(text[start : start + 2].upper())
        if length is None or (
            start and text[start - 1].isalnum() and text[max(0, start - 4) : start].upper() != "IBAN"
        ):
            continue
        body = _BODY[length].match(text, start)
        if body and iban_valid(body.group().translate(_SEPARATORS)):
            yield Span(IBAN, start, body.end())
