"""How users feel about what they are told: the sentiment of their last message.

A head over the shared embedding and the words, trained on comments of Reddit (GoEmotions) with neutral ones and plain
requests as the middle, so that a question without feeling is neither.
"""

from __future__ import annotations

from collections.abc import Sequence

from modelward.api.exchange import Exchange
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.evaluators.measured import measured
from modelward.evaluate.head_scores import HeadConfig, highest
from modelward.evaluate.heads import licence_of
from modelward.evaluate.manifest import MINILM_SHA256, Manifest
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score
from modelward.evaluate.threshold import rates_at_auto

HEAD = "sentiment"
NEGATIVE_BELOW = 0.3
POSITIVE_ABOVE = 0.7


async def score(config: HeadConfig, exchanges: Sequence[Exchange], port: ScoringPort) -> list[Score]:
    """Give each user's message a value from 0, negative, to 1, positive, and flag the negative ones."""
    found = await highest(HEAD, [[exchange.question] for exchange in exchanges], port)
    return [
        _score(config, exchange.id, round(1.0 - negative, 4))
        for exchange, negative in zip(exchanges, found, strict=True)
        if negative is not None
    ]


def _score(config: HeadConfig, exchange_id: str, value: float) -> Score:
    negative = value < config.limit(NEGATIVE_BELOW)
    label = "negative" if negative else "positive" if value > POSITIVE_ABOVE else "neutral"
    return Score(exchange_id, "Scored", negative, value, label)


SENTIMENT = Manifest(
    name="Sentiment",
    version="1.1.0",
    summary="Sentiment of the user's last message, from 0, negative, to 1, positive; flags those below the threshold.",
    direction="LowerIsBetter",
    needs_text=True,
    requires=("question",),
    subject="prompt",
    cost="Model",
    languages=("en",),
    licence=licence_of([HEAD]),
    labels=("negative", "neutral", "positive"),
    config=HeadConfig,
    measured=measured("Sentiment"),
    answers=("Flag", "Value", "Label"),
    value_direction="HigherIsBetter",
    threshold=NEGATIVE_BELOW,
    severity="Info",
    blind_to=(
        "whether the feeling is about the answer, the product or the weather",
        "irony, and feelings told in facts: 'third time I call'",
        "what follows the first 256 tokens of a message",
    ),
    model_sha256=MINILM_SHA256,
)
EVALUATORS = (BuiltinEvaluator(SENTIMENT, score, rates_at_auto(SENTIMENT.measured)),)
