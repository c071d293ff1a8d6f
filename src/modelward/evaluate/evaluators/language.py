"""Is an answer in a language that was expected, or in that of its question?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, StringConstraints

from modelward.api.exchange import Exchange
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.evaluators.measured import measured
from modelward.evaluate.evaluators.tool_call import is_tool_call
from modelward.evaluate.language_id import Language, identify, letters, prose, same
from modelward.evaluate.manifest import EvaluatorConfig, Manifest
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score

MIN_LETTERS = 24
"""Shorter texts tell no language: names, numbers, thanks."""
MIN_CONFIDENCE = 0.8
"""Below, a text is not applicable: a wrong language costs trust, an unknown one a sample."""
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]


class LanguageConfig(EvaluatorConfig):
    """`expected` are ISO 639 codes (en, de, pt), any of which is right; empty: that of the question."""

    expected: Annotated[tuple[LanguageCode, ...], Field(max_length=64)] = ()


async def score(config: LanguageConfig, exchanges: Sequence[Exchange], _: ScoringPort) -> list[Score]:
    """Flag answers in another language; the label is the language of the answer."""
    return [_score(config, exchange) for exchange in exchanges]


def _score(config: LanguageConfig, exchange: Exchange) -> Score:
    if is_tool_call(exchange):
        return Score(exchange.id, "NotApplicable", label="tool-call")
    answer = _told(exchange.response)
    if answer is None:
        return Score(exchange.id, "NotApplicable", label="answer-unclear")
    expected = config.expected
    if not expected:
        question = _told(exchange.question)
        if question is None:
            return Score(exchange.id, "NotApplicable", label="question-unclear")
        expected = (question.code,)
    right = any(same(answer.code, code) for code in expected)
    return Score(exchange.id, "Scored", not right, label=answer.code)


def _told(text: str) -> Language | None:
    said = prose(text)
    if letters(said) < MIN_LETTERS:
        return None
    found = identify(said)
    return None if found.confidence < MIN_CONFIDENCE or found.code == "zxx" else found


LANGUAGE = Manifest(
    name="Language",
    version="1.0.0",
    summary="Share of exchanges whose answer was not in an expected language, or not in that of the question.",
    direction="LowerIsBetter",
    needs_text=True,
    requires=("answer",),
    subject="exchange",
    cost="Cheap",
    languages=("any of 140",),
    licence="Apache-2.0; language identification by py3langid, BSD-3-Clause",
    labels=("the ISO 639 code of the answer", "answer-unclear", "question-unclear", "tool-call"),
    config=LanguageConfig,
    measured=measured("Language"),
    blind_to=(
        "texts of fewer than 24 letters, code and names",
        "close languages: Danish and Norwegian, Croatian and Serbian, Malay and Indonesian, Galician and Portuguese",
        "a question that asks for another language, such as for a translation",
        "a few words of another language in a longer answer",
    ),
)
EVALUATORS = (BuiltinEvaluator(LANGUAGE, score),)
