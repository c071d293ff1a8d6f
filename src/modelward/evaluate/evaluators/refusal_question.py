"""What kind of question an answer is to, because it decides what a "no" in it means.

"Do you ship to Ireland?" is answered by "we do not ship there"; "cancel my order" is refused by "I cannot cancel it".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from modelward.evaluate.evaluators.refusal_signs import WEIGHT, first_sentence, signs

_YES_OR_NO = re.compile(
    r"(?:and |so |hi,? )?(?:do|does|did|can|could|may|is|are|am|was|were|will|would|should|have|has)\b"
    r"(?! you (?:please )?(?:tell|give|send|help|write|show))",
    re.IGNORECASE,
)
_WHICH = re.compile(r"(?:who|which|when|where|what|how|why|until|from|by|in|at)\b", re.IGNORECASE)
_STATEMENT = re.compile(r"(?:i|my|the|we|our|it|there|a|an|no)\b", re.IGNORECASE)
_KINDS = 4
_NO = re.compile(r"\W*(?:no|nope|nah)\b", re.IGNORECASE)
_NEGATED = re.compile(
    r"(?:cannot|can\s*not|can['’]t|don['’]?t|do\s+not|not|unable|never|no|won['’]t)\b[^.!?]{0,60}", re.IGNORECASE
)
_END = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"[a-z]+")
_STEM_CHARS = 5
_MUCH = 0.34
"""Share of the question's words that are what an answer negates: a third is about what was asked."""
_MAX_QUESTION_CHARS = 2_000
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "a an the i you we my your our me us it is are do does can could may will to of in on for with at what how"
        " who which when where this that be have has and or not no any as by from am was",
    )
)


def columns(opening: str, question: str) -> tuple[float, ...]:
    """Return what the head weighs of an answer beside its embedding: its signs, and each again by kind of question."""
    own, first = signs(opening), first_sentence(opening)
    asked = _stems(question[:_MAX_QUESTION_CHARS])
    negated = _share(asked, " ".join(_NEGATED.findall(first)))
    says_no = _NO.match(opening) is not None
    crossed = (WEIGHT, *own, WEIGHT * says_no, WEIGHT * (negated > _MUCH))
    kind = kind_of(question)
    by_kind = [value if place == kind else 0.0 for place in range(_KINDS) for value in crossed]
    return (*own, WEIGHT * negated, WEIGHT * _share(asked, opening), *by_kind)


def kind_of(question: str) -> int | None:
    """Return 0 where yes or no answers, 1 where a fact does, 2 after a statement, 3 after an order; None without words.

    Of several sentences the last that asks counts, or the first.
    """
    parts = [part for part in _END.split(question[:_MAX_QUESTION_CHARS].strip()) if _WORD.search(part.lower())]
    if not parts:
        return None
    said = next((part for part in reversed(parts) if part.endswith("?")), parts[0]).lstrip()
    patterns: Sequence[re.Pattern[str]] = (_YES_OR_NO, _WHICH, _STATEMENT)
    return next((place for place, pattern in enumerate(patterns) if pattern.match(said)), _KINDS - 1)


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:_STEM_CHARS] for word in _WORD.findall(text.lower()) if word not in _COMMON)


def _share(asked: frozenset[str], text: str) -> float:
    return len(asked & _stems(text)) / max(1, len(asked))
