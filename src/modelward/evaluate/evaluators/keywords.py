"""Does an answer say what it must, and nothing that it must not? Whole words, in any script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from modelward.api.exchange import Exchange
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.evaluators.tool_call import is_tool_call
from modelward.evaluate.manifest import EvaluatorConfig, Manifest
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score
from modelward.evaluate.terms import first_term, missing_terms, words_of

Keyword = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"\S")]
Keywords = Annotated[tuple[Keyword, ...], Field(max_length=256)]


class KeywordsConfig(EvaluatorConfig):
    """Words by what is wanted of them.

    `required`: each must stand in the answer; `requireAny`: one of them must; `forbidden` and `competitors`: none may,
    where a competitor that the user names first may be named back with `allowEchoed`.
    """

    required: Keywords = ()
    require_any: Annotated[Keywords, Field(alias="requireAny")] = ()
    forbidden: Keywords = ()
    competitors: Keywords = ()
    allow_echoed: bool = Field(default=True, alias="allowEchoed")

    @model_validator(mode="after")
    def _asks(self) -> KeywordsConfig:
        if not (self.required or self.require_any or self.forbidden or self.competitors):
            raise ValueError("list words in required, requireAny, forbidden or competitors")
        return self


async def score(config: KeywordsConfig, exchanges: Sequence[Exchange], _: ScoringPort) -> list[Score]:
    """Flag answers that hold a word they must not, or lack one that they must hold; an empty answer lacks all."""
    return [_score(config, exchange) for exchange in exchanges]


def _score(config: KeywordsConfig, exchange: Exchange) -> Score:
    if is_tool_call(exchange):
        return Score(exchange.id, "NotApplicable", label="tool-call")
    label = _fault(config, exchange)
    if label == "required-missing" and exchange.truncated:
        return Score(exchange.id, "NotCaptured", label="cut")
    return Score(exchange.id, "Scored", label != "none", label=label)


def _fault(config: KeywordsConfig, exchange: Exchange) -> str:
    answer = words_of(exchange.response)
    if first_term(answer, config.forbidden) is not None:
        return "forbidden"
    named = [term for term in config.competitors if first_term(answer, (term,)) is not None]
    if named and config.allow_echoed:
        named = missing_terms(words_of(" ".join(m.text for m in exchange.messages if m.role == "user")), named)
    if named:
        return "competitor"
    if missing_terms(answer, config.required):
        return "required-missing"
    return "required-missing" if config.require_any and first_term(answer, config.require_any) is None else "none"


KEYWORDS = Manifest(
    name="Keywords",
    version="1.0.0",
    summary="Share of exchanges whose answer lacked a required word, or held a forbidden one or a competitor's name.",
    direction="LowerIsBetter",
    needs_text=True,
    requires=(),
    subject="response",
    cost="Cheap",
    languages=("any",),
    licence="Apache-2.0",
    labels=("none", "forbidden", "competitor", "required-missing"),
    config=KeywordsConfig,
    blind_to=(
        "inflected, misspelt or translated forms of a word",
        "what is said of a word: a forbidden word in a warning counts as much",
        "words that look alike in letters of another script",
    ),
)
EVALUATORS = (BuiltinEvaluator(KEYWORDS, score),)
