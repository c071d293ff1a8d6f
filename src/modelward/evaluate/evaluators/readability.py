"""How hard an answer is to read: the grade of school at which its English is understood.

Formulas: reading ease, Flesch, Journal of Applied Psychology 32 (1948); grade, Kincaid and others, Research Branch
Report 8-75 (1975). Syllables are estimated by rules of spelling.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from modelward.api.exchange import Exchange
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.manifest import EvaluatorConfig, Manifest
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score

MAX_CHARS = 100_000
"""What follows in a longer answer is not read: its mean would hardly change."""
MIN_WORDS = 20
"""Below, one long word moves the grade by more than a year."""
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{1,200}`|https?://\S+", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]++(?=[\s\"'”’)\]]|\Z)|\n\s*(?=\n|[-*•#>]|\d{1,3}[.)]\s)")
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?:[^aeiouy]e|[^aeiouyszxcgh]es|[^aeiouytd]ed)$")
_SOUNDED = re.compile(r"[^aeiouy]les?$")
_HIATUS = re.compile(
    r"(?<![ctgs])ia(?!r\b)|(?<!c)ie(?=[nt])|(?<=ci)e(?=[nt])|iu|(?<![ctgsnl])io(?!\b)|(?<=[rv])io|io\b|[^q]ua[lt]|eo(?!us|pl)"
    r"|(?:cr|id|ar)ea(?!m|k|d)|uie|(?<=[aeiouy])ing\b|^lio"
)
"""Two vowels side by side that are two syllables."""
_ASCII_SHARE = 0.9


class ReadabilityConfig(EvaluatorConfig):
    """Grades outside of which an answer counts as flagged; without limits none is, and the mean grade is the result."""

    max_grade: Annotated[str | None, StringConstraints(pattern=r"^[0-9]{1,2}(\.[0-9])?$"), Field(alias="maxGrade")] = (
        None
    )


@dataclass(frozen=True, slots=True)
class Readability:
    """Reading ease (about 0, hard, to 100, easy) and grade (years of school), of so many words."""

    ease: float
    grade: float
    words: int


async def score(config: ReadabilityConfig, exchanges: Sequence[Exchange], _: ScoringPort) -> list[Score]:
    """Return the grade of each answer; short ones and those in other scripts are not applicable."""
    return [_score(config, exchange) for exchange in exchanges]


def _score(config: ReadabilityConfig, exchange: Exchange) -> Score:
    text = _CODE.sub(" ", exchange.response[:MAX_CHARS])
    words = _WORD.findall(text.lower())
    if len(words) < MIN_WORDS:
        return Score(exchange.id, "NotApplicable", label="too-short")
    if sum(word.isascii() for word in words) < _ASCII_SHARE * len(words):
        return Score(exchange.id, "NotApplicable", label="not-english")
    grade = _measured(words, text).grade
    hard = config.max_grade is not None and grade > float(config.max_grade)
    return Score(exchange.id, "Scored", hard, label="hard" if hard else "none", number=round(grade, 2))


def readability(text: str) -> Readability:
    """Return how readable an English text is; zeros for one without a word."""
    words = _WORD.findall(text.lower())
    return _measured(words, text) if words else Readability(0.0, 0.0, 0)


def _measured(words: Sequence[str], text: str) -> Readability:
    sentences = sum(1 for part in _SENTENCE_END.split(text) if _WORD.search(part)) or 1
    length, weight = len(words) / sentences, sum(map(syllables, words)) / len(words)
    return Readability(
        206.835 - 1.015 * length - 84.6 * weight, max(0.0, 0.39 * length + 11.8 * weight - 15.59), len(words)
    )


def syllables(word: str) -> int:
    """Return about how many syllables a lower-case English word has; at least one."""
    word = word[:64].replace("’", "'").removesuffix("'s")
    count = len(_VOWELS.findall(word)) + len(_HIATUS.findall(word))
    if _SILENT.search(word) and not _SOUNDED.search(word):
        count -= 1
    return max(1, count)


READABILITY = Manifest(
    name="Readability",
    version="1.0.0",
    summary="Grade of school at which an answer's English is understood (Flesch-Kincaid); flags those above maxGrade.",
    direction="LowerIsBetter",
    needs_text=True,
    requires=("answer",),
    subject="response",
    cost="Cheap",
    languages=("en",),
    licence="Apache-2.0",
    labels=("none", "hard", "too-short", "not-english"),
    config=ReadabilityConfig,
    answers=("Flag", "Number", "Label"),
    value_direction="LowerIsBetter",
    number_unit="grade",
    severity="Info",
    blind_to=(
        "languages in Latin letters other than English, whose grades mean nothing",
        "whether an answer makes sense: short sentences of nonsense read easily",
        "syllables that spelling does not tell, of names above all",
    ),
)
EVALUATORS = (BuiltinEvaluator(READABILITY, score),)
