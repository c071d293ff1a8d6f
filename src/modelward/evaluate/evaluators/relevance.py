"""Is an answer about what was asked? The cosine of the question's and the answer's embeddings, MiniLM in int8."""

from __future__ import annotations

from collections.abc import Sequence

from modelward.api.exchange import Exchange
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.evaluators.measured import measured
from modelward.evaluate.evaluators.refusal_words import refuses_in_words
from modelward.evaluate.evaluators.tool_call import is_tool_call
from modelward.evaluate.evaluators.topic_scope import is_small_talk, subject
from modelward.evaluate.manifest import MINILM_SHA256, Manifest
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score
from modelward.evaluate.threshold import ThresholdConfig, rates_at_auto

AUTO_THRESHOLD = 0.2
"""Cosine below which an answer counts as irrelevant: under .3 % of the real answers of XSTest are below."""
OPENING_CHARS = 1_000
"""What an answer is about, its beginning says; the model reads 256 tokens."""


class RelevanceConfig(ThresholdConfig):
    """The cosine below which an answer is flagged."""


async def score(config: RelevanceConfig, exchanges: Sequence[Exchange], port: ScoringPort) -> list[Score]:
    """Return how near each answer is to its question; small talk, refusals and tool calls are not applicable."""
    scores = [Score(exchange.id, "NotApplicable", label=_unfit(exchange)) for exchange in exchanges]
    rows = [i for i, one in enumerate(scores) if not one.label]
    if not rows:
        return scores
    asked = await port.embed([subject(exchanges[i]) for i in rows])
    said = await port.embed([exchanges[i].response[:OPENING_CHARS] for i in rows])
    for i, cosine in zip(rows, (asked * said).sum(axis=1), strict=True):
        value = round(min(1.0, max(0.0, float(cosine))), 4)
        flagged = value < config.limit(AUTO_THRESHOLD)
        scores[i] = Score(exchanges[i].id, "Scored", flagged, value, "irrelevant" if flagged else "relevant")
    return scores


def _unfit(exchange: Exchange) -> str:
    """Return why the answer need not be near the question, or the empty string."""
    if is_tool_call(exchange):
        return "tool-call"
    if is_small_talk(exchange.question):
        return "small-talk"
    return "refusal" if refuses_in_words(exchange.response) else ""


RELEVANCE = Manifest(
    name="Relevance",
    version="1.1.0",
    summary="Nearness of answers to their questions; flags those that are about something else.",
    direction="LowerIsBetter",
    needs_text=True,
    subject="exchange",
    cost="Model",
    languages=("en",),
    licence="Apache-2.0 (all-MiniLM-L6-v2)",
    labels=("relevant", "irrelevant", "refusal", "small-talk", "tool-call"),
    config=RelevanceConfig,
    measured=measured("Relevance"),
    answers=("Flag", "Value", "Label"),
    value_direction="HigherIsBetter",
    threshold=AUTO_THRESHOLD,
    severity="Info",
    blind_to=(
        "whether an answer is right: wrong answers use the words of right ones",
        "an answer to a similar question",
        "short answers such as yes, a name or a number, which are near to nothing",
        "what an answer says after its first thousand characters",
    ),
    model_sha256=MINILM_SHA256,
)
EVALUATORS = (BuiltinEvaluator(RELEVANCE, score, rates_at_auto(RELEVANCE.measured)),)
