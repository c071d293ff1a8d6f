"""Does a user sound afraid, in grief or in despair? A smoke detector, and no judgement of a person's state."""

from __future__ import annotations

from collections.abc import Sequence

from modelward.api.exchange import Exchange
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.evaluators.measured import measured
from modelward.evaluate.head_scores import HeadConfig, flagged_from, highest
from modelward.evaluate.heads import licence_of
from modelward.evaluate.manifest import MINILM_SHA256, Manifest
from modelward.evaluate.passages import passages
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score
from modelward.evaluate.threshold import rates_at_auto

HEAD = "distress"
FLAGGED_FROM = 0.215
"""Flags as many of the rows that it was trained on as are distressed."""


async def score(config: HeadConfig, exchanges: Sequence[Exchange], port: ScoringPort) -> list[Score]:
    """Flag exchanges whose user's last message has a passage that sounds distressed."""
    values = await highest(HEAD, [passages(exchange.question) for exchange in exchanges], port)
    return flagged_from(exchanges, values, config.limit(FLAGGED_FROM), "distressed", "no-words")


DISTRESS = Manifest(
    name="Distress",
    version="1.1.0",
    summary="Share of users' messages that sound afraid, sad or remorseful; calibrate it before acting on it.",
    direction="LowerIsBetter",
    needs_text=True,
    requires=("question",),
    subject="prompt",
    cost="Model",
    languages=("en",),
    licence=licence_of([HEAD]),
    labels=("none", "distressed", "no-words"),
    config=HeadConfig,
    measured=measured("Distress"),
    answers=("Flag", "Value", "Label"),
    value_direction="LowerIsBetter",
    threshold=FLAGGED_FROM,
    severity="Info",
    blind_to=(
        "distress that is told without words of feeling",
        "whether a person is in danger: it was trained on emotions in comments, not on crises",
        "languages other than English",
    ),
    model_sha256=MINILM_SHA256,
)
EVALUATORS = (BuiltinEvaluator(DISTRESS, score, rates_at_auto(DISTRESS.measured)),)
