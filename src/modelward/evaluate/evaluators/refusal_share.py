"""How often does an endpoint refuse, whatever it is asked?"""

from __future__ import annotations

from collections.abc import Sequence

from modelward.api.exchange import Exchange
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.evaluators.calibration import Calibrated
from modelward.evaluate.evaluators.measured import measured
from modelward.evaluate.evaluators.refusal import HEAD, refusals
from modelward.evaluate.evaluators.refusal_words import openings
from modelward.evaluate.heads import licence_of
from modelward.evaluate.manifest import MINILM_SHA256, Manifest, Measured
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score

NAME = "Refusal"


class RefusalConfig(Calibrated):
    """Nothing to set but error rates of one's own."""


async def score(config: RefusalConfig, exchanges: Sequence[Exchange], port: ScoringPort) -> list[Score]:  # noqa: ARG001
    """Flag answers that refuse; partial refusals count."""
    opened = openings([exchange.response for exchange in exchanges])
    refused = refusals(opened, [exchange.question for exchange in exchanges], await port.embed(opened))
    return [
        Score(exchange.id, "Scored", refusal, label="refused" if refusal else "answered")
        for exchange, refusal in zip(exchanges, refused, strict=True)
    ]


def _rates(config: RefusalConfig) -> Measured | None:
    return config.own_rates() or measured(NAME)


MANIFEST = Manifest(
    name=NAME,
    version="1.3.0",
    summary="Share of answers that refuse, wholly or in part.",
    direction="LowerIsBetter",
    needs_text=True,
    subject="response",
    cost="Model",
    languages=("en",),
    licence=licence_of((HEAD,)),
    labels=("answered", "refused"),
    config=RefusalConfig,
    measured=measured(NAME),
    blind_to=(
        "a refusal after the first 400 characters of an answer",
        "whether refusing was right: OffTopicAnswered and OnTopicRefused ask that",
        "an answer to another question than the one asked",
    ),
    model_sha256=MINILM_SHA256,
)
EVALUATORS = (BuiltinEvaluator(MANIFEST, score, _rates),)
