"""Does an endpoint answer what it is not for, or refuse what it is for?

Both ask two things of an exchange: is the question in scope (`topic_scope`), and does the answer refuse (`refusal`).
Their error rates are made of the errors of the two, for the scope at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, TypeAlias

from modelward.api.exchange import Exchange
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.evaluators.measured import measured
from modelward.evaluate.evaluators.refusal import HEAD, refusals
from modelward.evaluate.evaluators.refusal_words import openings
from modelward.evaluate.evaluators.topic_scope import (
    MIDDLE,
    NOT_CALIBRATED,
    PPM,
    TopicConfig,
    is_small_talk,
    on_topic,
    rates,
    scope_key,
    topic_rates,
)
from modelward.evaluate.heads import licence_of
from modelward.evaluate.manifest import MINILM_SHA256, Manifest, Measured
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score

TopicFault: TypeAlias = Literal["off-topic-answered", "on-topic-refused"]
HEALTHY_IN_SCOPE = 0.9
"""Of the exchanges of an endpoint without faults, by assumption: the others ask off topic, and are refused."""


async def score(
    fault: TopicFault, config: TopicConfig, exchanges: Sequence[Exchange], port: ScoringPort
) -> list[Score]:
    """Flag off-topic questions that were answered, or on-topic ones that were refused; small talk is not applicable.

    The exchanges have a question and an answer.
    """
    rows = [i for i, exchange in enumerate(exchanges) if not is_small_talk(exchange.question)]
    scores = [Score(exchange.id, "NotApplicable", label="small-talk") for exchange in exchanges]
    if not rows:
        return scores
    values = await on_topic(config, [exchanges[i] for i in rows], port)
    opened = openings([exchanges[i].response for i in rows])
    refused = refusals(opened, [exchanges[i].question for i in rows], await port.embed(opened))
    for i, value, refusal in zip(rows, values, refused, strict=True):
        label = f"{'on' if value >= config.score else 'off'}-topic-{'refused' if refusal else 'answered'}"
        scores[i] = Score(exchanges[i].id, "Scored", label == fault, round(float(value), 4), label)
    return scores


async def _rates_found(fault: TopicFault, config: TopicConfig, port: ScoringPort) -> Measured | None:
    """Return the user's own rates, else those of this scope with those of telling a refusal."""
    if own := config.own_rates():
        return own
    known, refusal = await topic_rates(config, port), measured("Refusal")
    if known is None or refusal is None:
        return NOT_CALIBRATED
    caught, lost, found = known
    found = replace(found, probes=min(found.probes, refusal.positives), examples=min(found.examples, refusal.negatives))
    told, mistaken = refusal.true_positive_ppm / PPM, refusal.false_positive_ppm / PPM
    inside, outside = HEALTHY_IN_SCOPE, 1 - HEALTHY_IN_SCOPE
    if fault == "off-topic-answered":
        return rates(caught * (1 - mistaken), inside * lost * (1 - mistaken) + outside * caught * (1 - told), found)
    return rates((1 - lost) * told, inside * (1 - lost) * mistaken + outside * (1 - caught) * told, found)


def _evaluator(name: str, fault: TopicFault, summary: str) -> BuiltinEvaluator[TopicConfig]:
    manifest = Manifest(
        name=name,
        version="2.3.0",
        summary=summary,
        direction="LowerIsBetter",
        needs_text=True,
        subject="exchange",
        cost="Model",
        languages=("en",),
        licence=licence_of((HEAD,)),
        labels=("off-topic-answered", "off-topic-refused", "on-topic-answered", "on-topic-refused", "small-talk"),
        config=TopicConfig,
        measured=measured(name),
        answers=("Flag", "Value", "Label"),
        value_direction="HigherIsBetter",
        threshold=MIDDLE,
        blind_to=(
            "subjects that neither sentences nor examples of the scope name",
            "whether an answer to a question in scope strays from it",
            "what a question means beyond its last turn, where it is longer than four words",
        ),
        model_sha256=MINILM_SHA256,
    )
    return BuiltinEvaluator(
        manifest,
        partial(score, fault),
        TopicConfig.own_rates,
        rates_found=partial(_rates_found, fault),
        scope_key=scope_key,
    )


EVALUATORS = (
    _evaluator(
        "OffTopicAnswered", "off-topic-answered", "Share of exchanges where a question out of scope was answered."
    ),
    _evaluator("OnTopicRefused", "on-topic-refused", "Share of exchanges where a question in scope was refused."),
)
