"""Does an answer hold together: is there one, does it end, does it move on, does it stay in one language?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field

from modelward.api.exchange import Exchange
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.evaluators.measured import measured
from modelward.evaluate.evaluators.tool_call import is_tool_call
from modelward.evaluate.language_id import identify, letters, prose, same
from modelward.evaluate.manifest import EvaluatorConfig, Manifest
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.repetition import repeats
from modelward.evaluate.score import Score

_CUT = frozenset({"length", "max_tokens", "max_output_tokens", "limit", "model_context_window_exceeded", "incomplete"})
_CUT_MIN_CHARS = 200
_ENDS_OPEN = re.compile(
    r"(?:[,(\[;–—-]|\b(?:the|a|an|and|or|of|to|in|for|with|that|is|are|was|und|der|die|et|de|la|y|el))\s*\Z"
)
_BLOCK_LETTERS = 80
"""Letters of a block whose language is told; shorter ones are quotations and names."""
_BLOCK_CONFIDENCE = 0.95
_BREAK = re.compile(r"\n\s*\n|(?<=[.!?。！？])\s+")
_ASKS_FOR_LANGUAGES = re.compile(
    r"translat|übersetz|tradu|перев|language|sprache|idioma|langue|english|german|french|spanish|italian|chinese"
    r"|japanese|arabic|russian|portuguese|korean|hindi|dutch|polish|turkish|latin|vocabulary|pronounce",
    re.IGNORECASE,
)


class CoherenceConfig(EvaluatorConfig):
    """Which faults count; all of them unless switched off."""

    empty: bool = True
    truncated: bool = True
    repeating: bool = True
    language_switch: Annotated[bool, Field(alias="languageSwitch")] = True


async def score(config: CoherenceConfig, exchanges: Sequence[Exchange], _: ScoringPort) -> list[Score]:
    """Flag answers that are empty, cut off, go round in circles or change their language."""
    return [_score(config, exchange) for exchange in exchanges]


def _score(config: CoherenceConfig, exchange: Exchange) -> Score:
    if is_tool_call(exchange):
        return Score(exchange.id, "NotApplicable", label="tool-call")
    label = next(_faults(config, exchange), "none")
    return Score(exchange.id, "Scored", label != "none", label=label)


def _faults(config: CoherenceConfig, exchange: Exchange) -> Iterator[str]:
    """Yield what is wrong, the worst first."""
    answer = exchange.response
    if not any(character.isalnum() for character in answer[:10_000]):
        if config.empty and not (answer.strip() and _is_symbol(answer)):
            yield "empty"
        return
    if config.repeating and repeats(answer):
        yield "repeating"
    if config.truncated and is_cut_off(exchange):
        yield "truncated"
    if config.language_switch and switches_language(exchange):
        yield "language-switch"


def _is_symbol(answer: str) -> bool:
    """Say whether an answer of signs alone says something, as an emoji does."""
    return any(unicodedata.category(character) == "So" for character in answer[:10_000])


def is_cut_off(exchange: Exchange) -> bool:
    """Return whether the model stopped before its answer ended: it said so, or the last sentence is open."""
    if exchange.finish_reason:
        return exchange.finish_reason.lower() in _CUT
    answer = exchange.response.rstrip()
    if exchange.truncated or len(answer) < _CUT_MIN_CHARS:
        return False
    return answer.count("```") % 2 == 1 or _ENDS_OPEN.search(answer[-40:].casefold()) is not None


def switches_language(exchange: Exchange) -> bool:
    """Return whether blocks of an answer are in different languages, where the question asks for no translation."""
    if _ASKS_FOR_LANGUAGES.search(exchange.question[:10_000]):
        return False
    found: list[str] = []
    for block in _blocks(prose(exchange.response)):
        told = identify(block)
        if told.confidence >= _BLOCK_CONFIDENCE and told.code != "zxx":
            found.append(told.code)
    return any(not same(found[0], code) for code in found[1:])


def _blocks(text: str) -> Iterator[str]:
    """Yield runs of sentences that are long enough to tell a language."""
    block = ""
    for part in _BREAK.split(text):
        block = f"{block} {part}".strip()
        if letters(block) >= _BLOCK_LETTERS:
            yield block
            block = ""


COHERENCE = Manifest(
    name="Coherence",
    version="1.0.0",
    summary="Share of exchanges whose answer was empty, cut off, went round in circles or changed its language.",
    direction="LowerIsBetter",
    needs_text=True,
    requires=(),
    subject="response",
    cost="Cheap",
    languages=("any",),
    licence="Apache-2.0; language identification by py3langid, BSD-3-Clause",
    labels=("none", "empty", "repeating", "truncated", "language-switch", "tool-call"),
    config=CoherenceConfig,
    measured=measured("Coherence"),
    blind_to=(
        "nonsense in well-formed sentences, and contradictions",
        "most answers that were cut off, where the engine gives no finish reason",
        "a change of language of less than a sentence or two, and between close languages",
        "repetition in other words",
    ),
)
EVALUATORS = (BuiltinEvaluator(COHERENCE, score),)
