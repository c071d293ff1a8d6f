"""Does a user lose patience: ask the same again, give up, or complain? Read from the turns that were sent.

A turn that is asked again in other words is found by embeddings, giving up by its wording in English, complaints by
wording or by a head over the embedding: a logistic regression that `bench/evaluators/frustration.py` fits and writes to
frustration_head.json.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from modelward.api.exchange import Exchange
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.evaluators.impatience import ABANDONS, COMPLAINS, SHOUTS
from modelward.evaluate.evaluators.measured import measured
from modelward.evaluate.evaluators.topic_scope import is_small_talk
from modelward.evaluate.manifest import MINILM_SHA256, Manifest
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score
from modelward.evaluate.terms import words_of
from modelward.evaluate.threshold import ThresholdConfig, rates_at_auto

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AUTO_THRESHOLD = 0.6
"""Cosine from which a turn repeats an earlier one; `bench/evaluators/frustration.py` chose it on another source."""
HEAD_FILE = "frustration_head.json"
TURNS_BACK = 3
"""How many turns of the user before the last it is compared with."""
FEWEST_WORDS = 3
_READ_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class FrustrationHead:
    """Weights [384] and bias; from 0 on the sum says complaint."""

    weights: tuple[float, ...]
    bias: float


class FrustrationConfig(ThresholdConfig):
    """The cosine from which a turn repeats an earlier one in other words."""


async def score(config: FrustrationConfig, exchanges: Sequence[Exchange], port: ScoringPort) -> list[Score]:
    """Flag exchanges whose last turn gives up, complains, or asks again; the label says which."""
    labels = [_said(exchange) for exchange in exchanges]
    rows = [i for i, label in enumerate(labels) if not label and not is_small_talk(exchanges[i].question)]
    earlier = [_earlier(exchanges[i]) for i in rows]
    if rows:
        asked = await port.embed([exchanges[i].question[:_READ_CHARS] for i in rows])
        before = [turn for turns in earlier for turn in turns]
        vectors = await port.embed(before) if before else asked[:0]
        angry, at = sounds_angry(asked), 0
        for place, (i, turns) in enumerate(zip(rows, earlier, strict=True)):
            near = vectors[at : at + len(turns)] @ asked[place]
            at += len(turns)
            again = bool(turns) and float(near.max()) >= config.limit(AUTO_THRESHOLD)
            labels[i] = "complaint" if angry[place] else "rephrase" if again else ""
    return [
        Score(exchange.id, "Scored", bool(label), label=label or "none")
        for exchange, label in zip(exchanges, labels, strict=True)
    ]


def sounds_angry(vectors: NDArray[np.float32]) -> list[bool]:
    """Return for the embeddings [n, 384] of turns whether they sound like complaints about the conversation."""
    head = frustration_head()
    return [sum(w * x for w, x in zip(head.weights, row, strict=True)) + head.bias >= 0 for row in vectors.tolist()]


@cache
def frustration_head() -> FrustrationHead:
    """Return the head in the package."""
    data = json.loads(resources.files(__package__).joinpath(HEAD_FILE).read_text())
    return FrustrationHead(tuple(data["weights"]), float(data["bias"]))


def _said(exchange: Exchange) -> str:
    """Return what the words of the last turn tell, or the empty string."""
    question = exchange.question[:_READ_CHARS]
    if ABANDONS.search(question):
        return "abandonment"
    if COMPLAINS.search(question) or SHOUTS.search(question):
        return "complaint"
    asked = _plain(question)
    again = len(asked) >= FEWEST_WORDS and any(_plain(turn) == asked for turn in _turns_before(exchange))
    return "retry" if again else ""


def _plain(text: str) -> list[str]:
    """Return the words of a text without signs, however they are written."""
    return [word for word in words_of(text).split() if word.isalnum()]


def _turns_before(exchange: Exchange) -> list[str]:
    """Return the turns of the user before the last that were answered, the newest ones."""
    turns, answered = [], False
    for message in reversed(exchange.messages):
        if message.role == "assistant":
            answered = True
        elif message.role == "user" and message.text.strip():
            turns.append((message.text[:_READ_CHARS], answered))
    return [text for text, was_answered in turns[1:] if was_answered][:TURNS_BACK]


def _earlier(exchange: Exchange) -> list[str]:
    """Return the turns that the last one may repeat in other words."""
    if len(exchange.question.split()) < FEWEST_WORDS or is_small_talk(exchange.question):
        return []
    return [turn for turn in _turns_before(exchange) if len(turn.split()) >= FEWEST_WORDS]


FRUSTRATION = Manifest(
    name="Frustration",
    version="1.0.0",
    summary="Share of exchanges whose last turn asked the same again, gave up or complained.",
    direction="LowerIsBetter",
    needs_text=True,
    requires=("question",),
    subject="prompt",
    cost="Model",
    languages=("en",),
    licence="Apache-2.0 (all-MiniLM-L6-v2); head fitted on GoEmotions, Apache-2.0, and turns of our own",
    labels=("none", "retry", "rephrase", "abandonment", "complaint"),
    config=FrustrationConfig,
    measured=measured("Frustration"),
    severity="Info",
    blind_to=(
        "a user who leaves without a word: there is no exchange to read",
        "earlier turns that the client did not send again with the request",
        "giving up and complaints in other languages than English, and irony",
        "whether a repeated question is the bot's fault: some users only want to be sure",
    ),
    model_sha256=MINILM_SHA256,
)
EVALUATORS = (BuiltinEvaluator(FRUSTRATION, score, rates_at_auto(FRUSTRATION.measured)),)
