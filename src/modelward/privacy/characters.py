"""Characters as a reader takes them: one digit, one dash, one space, whatever script or width they are written in."""

from __future__ import annotations

import unicodedata

_MOST_REMEMBERED = 20_000
_CHOSEN = {
    "\u0130": "I",  # its lower case has two characters, and detectors lower the text that they search
    "\u00b7": ".", "\u2022": ".", "\u2219": ".", "\u22c5": ".", "\u3002": ".", "\uff61": ".", "\u2027": ".",
    "\u2044": "/", "\u2215": "/", "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'",
    "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u201f": '"', "\u00ab": '"', "\u00bb": '"',
    "\u2212": "-", "\u00ad": "", "\u3164": "", "\u115f": "", "\u1160": "", "\uffa0": "", "\u00b4": "'",
}  # fmt: skip
_BY_CATEGORY = {"Zs": " ", "Zl": "\n", "Zp": "\n", "Pd": "-", "Cf": "", "Mn": "", "Me": ""}


class _Plain(dict[int, str]):
    """Plain forms by code point, computed on first use; bounded, whatever text comes."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        plain = self[code] = _plain(chr(code))
        return plain


def _plain(character: str) -> str:
    if character < "\x80":
        return character
    if character in _CHOSEN:
        return _CHOSEN[character]
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category in _BY_CATEGORY:
        return _BY_CATEGORY[category]
    return "".join(map(_settled, unicodedata.normalize("NFKC", character)))


def _settled(character: str) -> str:
    """Return what a part of a compatibility form is read as; `NFKC` of some signs holds combining marks."""
    return _CHOSEN.get(character, _BY_CATEGORY.get(unicodedata.category(character), character))


_PLAIN = _Plain()


def plain(text: str) -> str:
    """Return the text with compatibility forms (NFKC), digits, dashes, spaces and quotes made plain.

    What takes no room (zero-width characters, combining marks) is left out, so the length may change.
    """
    return text if text.isascii() else text.translate(_PLAIN)


def resized(text: str) -> list[tuple[int, int, int]]:
    """Return where `plain` changes the length: start, end, and how many characters it became, in order."""
    changing = {c: len(_PLAIN[ord(c)]) for c in set(text) if c > "\x7f" and len(_PLAIN[ord(c)]) != 1}
    if not changing:
        return []
    return [(at, at + 1, changing[c]) for at, c in enumerate(text) if c in changing]
