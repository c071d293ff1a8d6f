"""Terms that a user lists, found as whole words in texts of any script, however they are written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0962-\u0963\u200c\u200d"
"""Marks that stand on or between letters and go on with a word, though they are no letters."""
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"  # Japanese, Chinese
)
"""Scripts that put no space between words: there each character counts as a word."""
_TOKEN = re.compile(f"[{_UNSPACED}]|(?:[\\w{_MARKS}](?<![{_UNSPACED}]))+|[^\\s\\w]")


def words_of(text: str) -> str:
    """Return the words and signs of a text with one space around each.

    Writings that mean the same are made the same: width, case, ligatures, composed accents. So `x in words_of(text)`
    for another `x` of this function says whether x stands in the text as whole words, in linear time.
    """
    same = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return f" {' '.join(_TOKEN.findall(same))} "


def first_term(words: str, terms: Sequence[str]) -> str | None:
    """Return the term that stands first in some `words_of`, as it was listed; the longest one where several do."""
    found = [(words.find(sought), -len(sought), term) for term in terms if (sought := words_of(term)).strip()]
    return min((one for one in found if one[0] >= 0), default=(0, 0, None))[2]


def missing_terms(words: str, terms: Sequence[str]) -> list[str]:
    """Return the terms that do not stand in some `words_of`."""
    return [term for term in terms if words_of(term) not in words]
