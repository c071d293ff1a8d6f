"""How far a question is on topic, by the scope that a configuration describes: what all topic evaluators share."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from modelward.api.exchange import Exchange
from modelward.evaluate.evaluators.calibration import Calibrated
from modelward.evaluate.manifest import Measured
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.scope_check import Scope, ScopeCheck, ScopeVectors, check, rates_at, template_questions
from modelward.evaluate.threshold import Threshold

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PROBES_FILE = "probes.json"
MIDDLE = 0.5
"""The score at the threshold that is set for a scope."""
FOLLOW_UP_WORDS = 4
"""A question of at most this many words ("and abroad?") is judged together with the turn before it."""
SMALL_TALK = re.compile(
    r"\W*(?:(?:hi|hello|hey|thanks?|thank you|thx|ok(?:ay)?|yes|no|bye|goodbye|great|cool|please|sure"
    r"|good (?:morning|evening|afternoon)|many|very much|so much|a lot|there)\W*)+",
    re.IGNORECASE,
)
"""Greetings and thanks belong to every topic."""
SMALL_TALK_CHARS = 60
PPM = 1_000_000

Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


class TopicConfig(Calibrated):
    """What the endpoint is for, in sentences and examples; `threshold` is a score, 0.5 where the scope sets it."""

    in_scope: Annotated[tuple[Sentence, ...], Field(alias="inScope", min_length=1, max_length=64)]
    in_scope_examples: Annotated[tuple[Sentence, ...], Field(alias="inScopeExamples", max_length=200)] = ()
    threshold: Threshold = "auto"

    @property
    def score(self) -> float:
        """The score from which a question is on topic."""
        return MIDDLE if self.threshold == "auto" else float(self.threshold)


async def checked_scope(config: TopicConfig, port: ScoringPort) -> tuple[Scope, ScopeCheck]:
    """Embed a scope with what it is checked against, and set its threshold."""
    import numpy as np

    subjects, probes = known_probes()
    sentences = await port.embed(config.in_scope)
    examples = dict.fromkeys(config.in_scope_examples)
    return check(
        ScopeVectors(
            sentences,
            await port.embed(list(examples)) if examples else np.zeros((0, sentences.shape[1]), np.float32),
            await port.embed(template_questions(config.in_scope)),
            await port.embed(probes),
            subjects,
        )
    )


async def on_topic(config: TopicConfig, exchanges: Sequence[Exchange], port: ScoringPort) -> NDArray[np.float32]:
    """Return for each exchange how far its question is on topic, in [0, 1]."""
    scope, found = await checked_scope(config, port)
    return found.scores(scope.margins(await port.embed([subject(exchange) for exchange in exchanges])))


async def topic_rates(config: TopicConfig, port: ScoringPort) -> tuple[float, float, ScopeCheck] | None:
    """Return the shares of questions off topic that are caught and on topic that are lost; None where unknown."""
    scope, found = await checked_scope(config, port)
    rates = rates_at(scope, found.margin(config.score))
    return (*rates, found) if rates else None


def rates(caught: float, mistaken: float, found: ScopeCheck) -> Measured:
    """Return error rates that belong to a scope, from shares."""
    return Measured(
        round(caught * PPM), round(mistaken * PPM), "the scope's own examples and probes", found.probes, found.examples
    )


NOT_CALIBRATED = Measured(0, 0, "nothing: fewer than 20 inScopeExamples", 0, 0)
"""Rates that tell nothing apart: the verdict says NotCalibrated, and no share is corrected by a guess."""


@cache
def known_probes() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return subjects and questions on many subjects, one each: what people ask assistants that are not for it."""
    data: dict[str, list[str]] = json.loads(resources.files(__package__).joinpath(PROBES_FILE).read_text())
    rows = [(about, question) for about, questions in data.items() for question in questions]
    return tuple(about for about, _ in rows), tuple(question for _, question in rows)


def is_small_talk(question: str) -> bool:
    """Return whether a message is a greeting, thanks or a bare yes or no."""
    return len(question) <= SMALL_TALK_CHARS and SMALL_TALK.fullmatch(question) is not None


def subject(exchange: Exchange) -> str:
    """Return what the user asks: the last turn, with the one before it when it is a short follow-up."""
    asked = [m.text for m in exchange.messages if m.role == "user" and m.text.strip()]
    if len(asked) > 1 and len(asked[-1].split()) <= FOLLOW_UP_WORDS:
        return f"{asked[-2]} {asked[-1]}"
    return asked[-1]
