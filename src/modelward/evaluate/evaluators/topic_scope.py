"""How far a question is on topic, by the scope that a configuration describes: what all topic evaluators share."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from modelward.api.exchange import Exchange
from modelward.api.scope import FORM, MAX_EXAMPLES, MAX_LINES, ScopeFacts
from modelward.evaluate.evaluators.calibration import Calibrated
from modelward.evaluate.manifest import MINILM_SHA256, Measured
from modelward.evaluate.port import ScopeMemory, ScoringPort
from modelward.evaluate.scope_check import (
    METHOD,
    Scope,
    ScopeCheck,
    ScopeVectors,
    check,
    margin_of,
    rates_at,
    scope_of,
    scores,
    template_lines,
    template_questions,
)
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

    in_scope: Annotated[tuple[Sentence, ...], Field(alias="inScope", min_length=1, max_length=MAX_LINES)]
    in_scope_examples: Annotated[tuple[Sentence, ...], Field(alias="inScopeExamples", max_length=MAX_EXAMPLES)] = ()
    threshold: Threshold = "auto"

    @property
    def score(self) -> float:
        """The score from which a question is on topic."""
        return MIDDLE if self.threshold == "auto" else float(self.threshold)


def scope_key(config: TopicConfig) -> str:
    """Return the key of a scope: the same lines, examples, known questions, model and method have the same."""
    parts = [FORM, METHOD, MINILM_SHA256, known_probes(), config.in_scope, config.in_scope_examples]
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


async def checked_scope(config: TopicConfig, port: ScoringPort) -> tuple[Scope, ScopeCheck]:
    """Embed a scope with what it is checked against, and set its threshold."""
    return check(await _vectors(config, port, template_questions(config.in_scope)))


async def known_scope(config: TopicConfig, port: ScoringPort) -> tuple[Scope, ScopeFacts]:
    """Return a scope with its facts; it is checked only where the port does not remember that it was."""
    memory, key = port if isinstance(port, ScopeMemory) else None, scope_key(config)
    if memory and (known := await memory.scope_facts(key)):
        return scope_of(await _vectors(config, port, ())), known
    scope, found = await checked_scope(config, port)
    facts = scope_facts(config, found)
    if memory:
        await memory.keep_scope_facts(key, facts)
    return scope, facts


def scope_facts(config: TopicConfig, found: ScopeCheck) -> ScopeFacts:
    """Return what of a check is kept: positions in the configuration in place of questions."""
    examples, lines = list(dict.fromkeys(config.in_scope_examples)), template_lines(config.in_scope)
    return ScopeFacts(
        threshold=found.threshold,
        examples=found.examples,
        examples_out=tuple(config.in_scope_examples.index(examples[place]) for place in found.examples_out),
        templates=found.templates,
        templates_out=len(found.templates_out),
        lines_out=tuple(sorted({lines[place] for place in found.templates_out})),
        probes=found.probes,
        caught=found.caught,
        lost=found.lost,
    )


async def _vectors(config: TopicConfig, port: ScoringPort, templates: Sequence[str]) -> ScopeVectors:
    import numpy as np

    subjects, probes = known_probes()
    sentences = await port.embed(config.in_scope)

    async def embedded(texts: Sequence[str]) -> NDArray[np.float32]:
        return await port.embed(texts) if texts else np.zeros((0, sentences.shape[1]), np.float32)

    examples = list(dict.fromkeys(config.in_scope_examples))
    return ScopeVectors(
        sentences, await embedded(examples), await embedded(templates), await port.embed(probes), subjects
    )


async def on_topic(config: TopicConfig, exchanges: Sequence[Exchange], port: ScoringPort) -> NDArray[np.float32]:
    """Return for each exchange how far its question is on topic, in [0, 1]."""
    scope, known = await known_scope(config, port)
    return scores(known.threshold, scope.margins(await port.embed([subject(exchange) for exchange in exchanges])))


async def topic_rates(config: TopicConfig, port: ScoringPort) -> tuple[float, float, ScopeFacts] | None:
    """Return the shares of questions off topic that are caught and on topic that are lost; None where unknown."""
    scope, known = await known_scope(config, port)
    if config.score != MIDDLE:
        rates = rates_at(scope, margin_of(known.threshold, config.score))
        return (*rates, known) if rates else None
    return None if known.caught is None or known.lost is None else (known.caught, known.lost, known)


def rates(caught: float, mistaken: float, found: ScopeFacts) -> Measured:
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
