"""Does an endpoint answer what it is not for, or refuse what it is for?

A question is on topic when its embedding is near one of the sentences that describe the scope. Descriptions were
better than example questions on phrasings that neither had seen; see docs/evaluators.md for the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from modelward.api.evaluation import EvaluatorFacts
from modelward.api.exchange import Exchange
from modelward.api.form import MEASURED_SHARE, THRESHOLD
from modelward.api.quantity import percent_ppm
from modelward.evaluate.evaluators.manifest import EvaluatorConfig, Manifest, Measured
from modelward.evaluate.evaluators.measured import measured
from modelward.evaluate.evaluators.refusal import Embed, refusals
from modelward.evaluate.score import Score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AUTO_THRESHOLD = 0.16
"""Cosine from which a question counts as on topic.

Chosen low on purpose: over five CLINC150 domains it keeps 94 % of questions on topic. A missed fault costs samples, and
is corrected for; a false alarm costs trust.
"""
FOLLOW_UP_WORDS = 4
"""A question of at most this many words ("and abroad?") is judged together with the turn before it."""
SMALL_TALK = re.compile(
    r"\W*(?:(?:hi|hello|hey|thanks?|thank you|thx|ok(?:ay)?|yes|no|bye|goodbye|great|cool|please|sure"
    r"|good (?:morning|evening|afternoon)|many|very much|so much|a lot|there)\W*)+",
    re.IGNORECASE,
)
"""Greetings and thanks belong to every topic."""
SMALL_TALK_CHARS = 60

Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]
ScorePercent = Annotated[str, StringConstraints(pattern=MEASURED_SHARE.pattern)]


class Calibration(EvaluatorConfig):
    """Error rates that the user measured on their own traffic; they replace ours."""

    true_positive: ScorePercent = Field(alias="truePositive")
    false_positive: ScorePercent = Field(alias="falsePositive")


class TopicConfig(EvaluatorConfig):
    """What the endpoint is for, in sentences; the threshold is a cosine."""

    in_scope: Annotated[tuple[Sentence, ...], Field(alias="inScope", min_length=1, max_length=64)]
    threshold: Annotated[str, StringConstraints(pattern=THRESHOLD.pattern)] = "auto"
    calibration: Calibration | None = None

    @model_validator(mode="after")
    def _discriminates(self) -> TopicConfig:
        c = self.calibration
        if c and percent_ppm(c.true_positive) <= percent_ppm(c.false_positive):
            raise ValueError("calibration: truePositive must be above falsePositive")
        return self

    @property
    def cosine(self) -> float:
        """The threshold as a number."""
        return AUTO_THRESHOLD if self.threshold == "auto" else float(self.threshold)


class TopicEvaluator:
    """Flags off-topic questions that were answered, or on-topic ones that were refused."""

    def __init__(
        self, manifest: Manifest, fault: Literal["off-topic", "on-topic"], config: TopicConfig, embed: Embed
    ) -> None:
        """Keep the configuration; the scope is embedded when first needed."""
        self._manifest, self._fault, self._config, self._embed = manifest, fault, config, embed
        self._scope: NDArray[np.float32] | None = None

    @property
    def manifest(self) -> Manifest:
        """What it is."""
        return self._manifest

    @property
    def facts(self) -> EvaluatorFacts:
        """Rates: the user's own, else the measured ones; with a threshold of their own but no rates, uncorrected."""
        return self._manifest.facts(self._config, self._rates())

    def judge(self, exchanges: Sequence[Exchange]) -> list[Score]:
        """Score exchanges that have a question and an answer; small talk is not applicable."""
        rows = [i for i, exchange in enumerate(exchanges) if not is_small_talk(exchange.question)]
        scores = [Score(exchange.id, "NotApplicable", label="small-talk") for exchange in exchanges]
        if not rows:
            return scores
        cosines = self._nearness([subject(exchanges[i]) for i in rows])
        refused = refusals([exchanges[i].response for i in rows], self._embed)
        for i, cosine, refusal in zip(rows, cosines, refused, strict=True):
            scores[i] = self._score(exchanges[i].id, float(cosine), refusal)
        return scores

    def _score(self, exchange_id: str, cosine: float, refused: bool) -> Score:
        on_topic = cosine >= self._config.cosine
        label = f"{'on' if on_topic else 'off'}-topic-{'refused' if refused else 'answered'}"
        flagged = label == ("off-topic-answered" if self._fault == "off-topic" else "on-topic-refused")
        return Score(exchange_id, "Scored", flagged, round(min(1.0, max(0.0, cosine)), 4), label)

    def _nearness(self, questions: Sequence[str]) -> Any:
        if self._scope is None:
            self._scope = self._embed(self._config.in_scope)
        return (self._embed(questions) @ self._scope.T).max(axis=1)

    def _rates(self) -> Measured | None:
        if c := self._config.calibration:
            return Measured(percent_ppm(c.true_positive), percent_ppm(c.false_positive), "the user's own", 0, 0)
        return self._manifest.measured if self._config.threshold == "auto" else None


def is_small_talk(question: str) -> bool:
    """Tell whether a message is a greeting, thanks or a bare yes or no."""
    return len(question) <= SMALL_TALK_CHARS and SMALL_TALK.fullmatch(question) is not None


def subject(exchange: Exchange) -> str:
    """Return what the user asks: the last turn, with the one before it when it is a short follow-up."""
    asked = [m.text for m in exchange.messages if m.role == "user" and m.text.strip()]
    if len(asked) > 1 and len(asked[-1].split()) <= FOLLOW_UP_WORDS:
        return f"{asked[-2]} {asked[-1]}"
    return asked[-1]


def _manifest(name: str, summary: str) -> Manifest:
    return Manifest(
        name=name,
        version="1.0.0",
        summary=summary,
        direction="LowerIsBetter",
        needs_text=True,
        subject="exchange",
        cost="Model",
        languages=("en",),
        licence="Apache-2.0 (all-MiniLM-L6-v2); head trained on XSTest, CC BY 4.0",
        labels=("off-topic-answered", "off-topic-refused", "on-topic-answered", "on-topic-refused", "small-talk"),
        config=TopicConfig,
        measured=measured(name),
    )


OFF_TOPIC_ANSWERED = _manifest("OffTopicAnswered", "Share of exchanges where a question out of scope was answered.")
ON_TOPIC_REFUSED = _manifest("OnTopicRefused", "Share of exchanges where a question in scope was refused.")
