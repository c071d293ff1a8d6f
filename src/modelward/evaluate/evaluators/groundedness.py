"""How far the context that an answer was given carries it. A trend, and no judgement of one answer.

The value is a logistic regression over shares of words, word pairs, numbers and names;
`bench/evaluators/groundedness.py` fits it on two sources of BEGIN and writes groundedness_head.json.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated

from pydantic import Field

from modelward.api.exchange import Exchange
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.evaluators.measured import measured
from modelward.evaluate.evaluators.refusal_words import refuses_in_words
from modelward.evaluate.evaluators.support import Support, support
from modelward.evaluate.evaluators.tool_call import is_tool_call
from modelward.evaluate.manifest import Manifest
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score
from modelward.evaluate.threshold import ThresholdConfig, rates_at_auto

HEAD_FILE = "groundedness_head.json"
AUTO_THRESHOLD = 0.5
_CONTEXT_ROLES = frozenset({"system", "developer", "tool", "function", "context"})
_QUESTION_WORDS = 80
"""A last turn of more words holds its context itself."""


class GroundednessConfig(ThresholdConfig):
    """Below which value an answer counts as unsupported, and how many words of context make it worth asking."""

    min_context_words: Annotated[int, Field(ge=1, le=100_000, alias="minContextWords")] = 20


@dataclass(frozen=True, slots=True)
class GroundednessHead:
    """Weights of the four features of Support, and the bias."""

    weights: tuple[float, ...]
    bias: float

    def value(self, found: Support) -> float:
        """Return the probability that an answer with these features is carried by its context."""
        logit = self.bias + sum(w * x for w, x in zip(self.weights, found.features, strict=True))
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))


@cache
def groundedness_head() -> GroundednessHead:
    """Return the head in the package."""
    data = json.loads(resources.files(__package__).joinpath(HEAD_FILE).read_text())
    return GroundednessHead(tuple(data["weights"]), float(data["bias"]))


async def score(config: GroundednessConfig, exchanges: Sequence[Exchange], _: ScoringPort) -> list[Score]:
    """Return how far each answer is carried; without context, and for refusals and tool calls, not applicable."""
    return [_score(config, exchange) for exchange in exchanges]


def _score(config: GroundednessConfig, exchange: Exchange) -> Score:
    if is_tool_call(exchange):
        return Score(exchange.id, "NotApplicable", label="tool-call")
    if refuses_in_words(exchange.response):
        return Score(exchange.id, "NotApplicable", label="refusal")
    sources = context_of(exchange)
    if sum(len(text.split()) for text in sources) < config.min_context_words:
        return Score(exchange.id, "NotApplicable", label="no-context")
    found = support(exchange.response, sources)
    if found is None:
        return Score(exchange.id, "NotApplicable", label="no-claim")
    value = round(groundedness_head().value(found), 4)
    unsupported = value < config.limit(AUTO_THRESHOLD)
    return Score(exchange.id, "Scored", unsupported, value, "unsupported" if unsupported else "supported")


def context_of(exchange: Exchange) -> list[str]:
    """Return the texts that may carry an answer: of the system and of tools, and long turns of the user."""
    return [
        message.text
        for message in exchange.messages
        if message.role in _CONTEXT_ROLES or (message.role == "user" and len(message.text.split()) > _QUESTION_WORDS)
    ]


GROUNDEDNESS = Manifest(
    name="Groundedness",
    version="1.1.0",
    summary="How far answers use the words, numbers and names of their context; a trend, no judgement of one answer.",
    direction="LowerIsBetter",
    needs_text=True,
    requires=("answer",),
    subject="exchange",
    cost="Cheap",
    languages=("en",),
    licence="Apache-2.0; head fitted on BEGIN (CC BY 4.0, CDLA-Sharing 1.0)",
    labels=("supported", "unsupported", "no-context", "no-claim", "refusal", "tool-call"),
    config=GroundednessConfig,
    measured=measured("Groundedness"),
    answers=("Flag", "Value", "Label"),
    value_direction="HigherIsBetter",
    threshold=AUTO_THRESHOLD,
    severity="Info",
    blind_to=(
        "a false sentence in words of the context, such as one with a not in it",
        "a true paraphrase in other words, which looks unsupported",
        "context that is not part of the request, and knowledge of the model that is right",
        "which sentence of an answer is unsupported",
    ),
)
EVALUATORS = (BuiltinEvaluator(GROUNDEDNESS, score, rates_at_auto(GROUNDEDNESS.measured)),)
