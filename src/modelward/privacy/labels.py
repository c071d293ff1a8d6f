"""Words that say what the number beside them is: "SSN:", "Telefon", "order". A number alone is often ambiguous."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import lru_cache

from modelward.privacy.alternatives import Alternatives, listed
from modelward.privacy.label_words import (
    BIRTH_WORD,
    INSIDE,
    NATIONAL_WORD,
    OTHER_WORD,
    PHONE_WORD,
    SSN_WORD,
    WHOLE,
)

_UNSPACED = ("身份证", "身分證", "주민등록", "マイナンバー", "个人番号", "個人番号", "电话", "電話", "手机", "전화",
             "生年月日", "出生日期")  # fmt: skip
"""Words of scripts that put no space between words."""
_ENDS = r"(?:num(?:ber|mer)?)?(?![^\W\d_])"
"""How a word that stands alone may end: `sinNumber` names the same as `sin`."""
_INSIDE_WORDS = {kind: listed(words) for kind, words in INSIDE.items()}
_WHOLE_WORDS = {kind: listed(words) for kind, words in WHOLE.items()}
_WORDS = Alternatives(
    [word for words in _INSIDE_WORDS.values() for word in words]
    + [word + _ENDS for words in _WHOLE_WORDS.values() for word in words],
    inside=("telefon", "phone", "ausweisnummer", "steuer", "passport", *_UNSPACED),
)
_KINDS = [(kind, re.compile("|".join(words))) for kind, words in _INSIDE_WORDS.items()] + [
    (kind, re.compile(rf"(?:{'|'.join(words)}){_ENDS}")) for kind, words in _WHOLE_WORDS.items()
]


@lru_cache(maxsize=1024)
def _kind_of(word: str) -> str:
    return next(kind for kind, pattern in _KINDS if pattern.fullmatch(word))


_NEEDS_CAPITALS = frozenset(
    ("sin", "pan", "fin", "rut", "rg", "nie", "nir", "nik", "tin", "cpr", "nif", "run", "pps", "itr", "nas")
)
"""Short names of numbers that are also words; they count as `SIN` or as a key in quotes."""
_LONGEST_GAP, _LONGEST_LIST = 40, 80
_NUMBER_WORD = r"[^\W\d_]{0,12}(?:[ _-]?(?:num(?:ber|mer)?s?|card|karte|no|nr|id|code|n[°ºo])[.]?)?"
"""How a word may go on that says what a number is: "Medicare number", "Passnummer"."""
_VALUE_FIELD = (
    rf"{_NUMBER_WORD}[\"'],\s{{0,16}}[\"']?(?:value|val|text|content|answer|data|wert|valor"
    r"|valeur)[\"']?\s{0,2}[:=]\W{0,4}"
)
_ANSWER = (
    rf"{_NUMBER_WORD}[^\d\n?]{{0,16}}\?[\"']?\s{{1,4}}(?:[^\W\d][\w .-]{{0,20}}:[ ])?(?:[^\d\n:;|{{}}\[\]]{{0,24}})"
)
"""The next line answers the question."""
_MARKUP = rf"{_NUMBER_WORD}[:]?(?:\s{{0,4}}</?\w{{1,8}}>){{1,4}}\s{{0,4}}"
_GAP = re.compile(
    rf"[^\d\]\[\n{{}};|&<>]{{0,40}}|{_NUMBER_WORD}[^\w\]\[]{{0,16}}|[^\d\]\[\n{{}};|&]{{0,12}}>[ ]?",
    re.IGNORECASE,
)
_FAR_GAP = re.compile(rf"{_VALUE_FIELD}|{_ANSWER}|{_MARKUP}", re.IGNORECASE)
"""What may stand between that looks like another field, and is none."""
_TIGHT_GAP = re.compile(
    r"[\s\"'#:=._(-]{0,4}(?:(?:no|nr|number|nummer|id|code|is|was|of|the|for|=)\b[\s\"'#:=.]{0,3}){0,2}"
)
"""What may stand between a word for other numbers and its number; further away it says nothing."""
_NEXT_FIELD = re.compile(r",[^,]*[\":=]")
_LIST = re.compile(r"(?:s|numbers?|nummern?)?[\"' ]?[:=]?(?:[\d\s.,;/()+*\"'\[-]|and|or|und|oder|ou|et|y)*")
_BEHIND = re.compile(
    r"[ \"']{0,2}(?:\(|is |was |= |as |, |ist |es |est |- |comme |como |als |for )"
    r"(?:my |the |our |his |her |their |a |an |meine?n? |die |das |mi |su |mon |ma |votre |son )?"
    r"(?:n[úu]m[ée]ro (?:de |du )?)?"
)
_IS_KEY = re.compile(r"(?:[ _-]?(?:number|num|nummer|no|nr|id|code)\b)?(?:[\"']|[ ]?[=:>]|\([\"'])", re.IGNORECASE)
_IS_FLAG = re.compile(r"--(?:\w{1,16}[-_])?$")
_CELL_BEGINS, _CELL_ENDS = re.compile(r"(?:^|[,;\t|(\n][ \"'`]?)$"), re.compile(r"[\"'`]?[ ]?(?:[,;\t|)\r\n]|$)")
_BEHIND_PHONE = re.compile(rf"(?:{_BEHIND.pattern}|[ -]{{1,2}}\(?)")


@lru_cache(maxsize=1)
def labels_of(text: str) -> Labels:
    """Return the label words of a text, which several detectors ask for."""
    return Labels(text)


class Labels:
    """The label words of one text, found once and looked up by place."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._kinds: list[str] = []
        for found in _WORDS.found_in(text):
            if found.group() in _NEEDS_CAPITALS and not self._is_name(found.start(), found.end()):
                continue
            self._starts.append(found.start())
            self._ends.append(found.end())
            self._kinds.append(_kind_of(found.group()))

    def _is_name(self, start: int, end: int) -> bool:
        text, before = self._text, self._text[max(0, start - 20) : start]
        if text[start:end].isupper() or _IS_KEY.match(text, end) or _IS_FLAG.search(before):
            return True
        cell = _CELL_BEGINS.search(before) if before or not start else None
        return cell is not None and _CELL_ENDS.match(text, end) is not None

    def has(self, kind: str) -> bool:
        """Say whether the text has a word of a kind."""
        return kind in self._kinds

    @property
    def national_ends(self) -> list[int]:
        """Where words end that stand for numbers by which states know people."""
        return [end for end, kind in zip(self._ends, self._kinds, strict=True) if kind == NATIONAL_WORD]

    @property
    def personal(self) -> list[int]:
        """Where words stand for phone numbers, for numbers by which states know people and for dates of birth."""
        kinds = (PHONE_WORD, SSN_WORD, NATIONAL_WORD, BIRTH_WORD)
        return [start for start, kind in zip(self._starts, self._kinds, strict=True) if kind in kinds]

    def stand_in(self, start: int, end: int) -> bool:
        """Say whether a word begins between two places."""
        return bisect_left(self._starts, start) < bisect_left(self._starts, end)

    def of(self, start: int, end: int) -> str:
        """Return which word stands before a number, or else behind it; "" if none does."""
        return self._before(start) or self._behind(end)

    def _before(self, start: int) -> str:
        index = bisect_right(self._ends, start) - 1
        if index < 0 or start - self._ends[index] > _LONGEST_LIST:
            return ""
        gap = self._text[self._ends[index] : start]
        pattern = _TIGHT_GAP if self._kinds[index] == OTHER_WORD else _GAP
        near = len(gap) <= _LONGEST_GAP and pattern.fullmatch(gap) and not _NEXT_FIELD.search(gap)
        if near or _LIST.fullmatch(gap) or (pattern is _GAP and _FAR_GAP.fullmatch(gap)):
            return self._kinds[index]
        return ""

    def _behind(self, end: int) -> str:
        index = bisect_left(self._starts, end)
        if index == len(self._starts) or self._starts[index] - end > 20 or self._kinds[index] == OTHER_WORD:
            return ""
        between = _BEHIND_PHONE if self._kinds[index] == PHONE_WORD else _BEHIND
        return self._kinds[index] if between.fullmatch(self._text, end, self._starts[index]) else ""
