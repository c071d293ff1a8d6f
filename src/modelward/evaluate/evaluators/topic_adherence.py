"""How far do the questions that an endpoint gets belong to what it is for, whatever it answers?"""

from __future__ import annotations

from collections.abc import Sequence

from modelward.api.exchange import Exchange
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.evaluators.measured import measured
from modelward.evaluate.evaluators.topic_scope import (
    MIDDLE,
    NOT_CALIBRATED,
    TopicConfig,
    is_small_talk,
    on_topic,
    rates,
    scope_key,
    topic_rates,
)
from modelward.evaluate.manifest import MINILM_SHA256, Manifest, Measured
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score

NAME = "TopicAdherence"


async def score(config: TopicConfig, exchanges: Sequence[Exchange], port: ScoringPort) -> list[Score]:
    """Score questions by how far they are on topic, and flag those that are not; small talk is not applicable."""
    rows = [i for i, exchange in enumerate(exchanges) if not is_small_talk(exchange.question)]
    scores = [Score(exchange.id, "NotApplicable", label="small-talk") for exchange in exchanges]
    if not rows:
        return scores
    for i, value in zip(rows, await on_topic(config, [exchanges[i] for i in rows], port), strict=True):
        off = bool(value < config.score)
        scores[i] = Score(exchanges[i].id, "Scored", off, round(float(value), 4), "off-topic" if off else "on-topic")
    return scores


async def _rates_found(config: TopicConfig, port: ScoringPort) -> Measured | None:
    if own := config.own_rates():
        return own
    known = await topic_rates(config, port)
    return rates(*known) if known else NOT_CALIBRATED


MANIFEST = Manifest(
    name=NAME,
    version="1.0.0",
    summary="How far questions belong to what the endpoint is for; flags those that do not.",
    direction="LowerIsBetter",
    needs_text=True,
    subject="prompt",
    cost="Model",
    languages=("en",),
    licence="Apache-2.0 (all-MiniLM-L6-v2)",
    labels=("off-topic", "on-topic", "small-talk"),
    config=TopicConfig,
    measured=measured(NAME),
    answers=("Flag", "Value", "Label"),
    value_direction="HigherIsBetter",
    threshold=MIDDLE,
    blind_to=(
        "subjects that neither sentences nor examples of the scope name",
        "what a question means beyond its last turn, where it is longer than four words",
        "the answer",
    ),
    model_sha256=MINILM_SHA256,
)
EVALUATORS = (BuiltinEvaluator(MANIFEST, score, TopicConfig.own_rates, rates_found=_rates_found, scope_key=scope_key),)
