"""Does an answer have the form that a program expects: JSON of a schema, an expression, a length, one of some words?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, StringConstraints, field_validator, model_validator

from modelward.api.exchange import Exchange
from modelward.evaluate import json_schema, patterns
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.evaluators.tool_call import is_tool_call
from modelward.evaluate.manifest import EvaluatorConfig, Manifest
from modelward.evaluate.patterns import Pattern
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score

Choice = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Length = Annotated[int, Field(ge=0, le=10_000_000)]
_FENCE = re.compile(r"\A\s*```[a-zA-Z0-9]{0,16}[ \t]*\r?\n(.*)\n[ \t]*```\s*\Z", re.DOTALL)
_COULD_BE_CUT = frozenset({"json", "schema", "regex", "too-short", "choice"})
"""Faults that the missing rest of an answer would mend."""


class FormatConfig(EvaluatorConfig):
    """What the answer must be; all that is set must hold.

    `jsonSchema` is the subset of `evaluate/json_schema.py`, `{}` any JSON; a fence of Markdown around the JSON is taken
    off unless `allowFence` is false. `regex` is RE2 and must match somewhere. Lengths are in characters and in words.
    `choice` is compared without surrounding space and in any case.
    """

    json_schema: Annotated[dict[str, Any] | None, Field(alias="jsonSchema")] = None
    allow_fence: bool = Field(default=True, alias="allowFence")
    regex: Pattern | None = None
    min_chars: Annotated[Length, Field(alias="minChars")] = 0
    max_chars: Annotated[Length | None, Field(alias="maxChars")] = None
    max_words: Annotated[Length | None, Field(alias="maxWords")] = None
    choice: Annotated[tuple[Choice, ...], Field(max_length=256)] = ()

    @field_validator("json_schema")
    @classmethod
    def _usable(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is not None and (told := json_schema.fault(value)):
            raise ValueError(told)
        return value

    @model_validator(mode="after")
    def _asks(self) -> FormatConfig:
        if self.json_schema is None and not (
            self.regex or self.min_chars or self.max_chars is not None or self.max_words is not None or self.choice
        ):
            raise ValueError("set one of jsonSchema, regex, minChars, maxChars, maxWords and choice")
        if self.max_chars is not None and self.max_chars < self.min_chars:
            raise ValueError("maxChars is below minChars")
        return self


async def score(config: FormatConfig, exchanges: Sequence[Exchange], _: ScoringPort) -> list[Score]:
    """Flag answers of another form; an empty answer is one, a tool call is not applicable."""
    return [_score(config, exchange) for exchange in exchanges]


def _score(config: FormatConfig, exchange: Exchange) -> Score:
    if is_tool_call(exchange):
        return Score(exchange.id, "NotApplicable", label="tool-call")
    try:
        label = _fault(config, exchange.response)
    except json_schema.TooComplexError:
        return Score(exchange.id, "Failed", label="TooComplex")
    if exchange.truncated and label in _COULD_BE_CUT:
        return Score(exchange.id, "NotCaptured", label="cut")
    return Score(exchange.id, "Scored", label != "none", label=label)


def _fault(config: FormatConfig, answer: str) -> str:
    if len(answer) < config.min_chars:
        return "too-short"
    if config.max_chars is not None and len(answer) > config.max_chars:
        return "too-long"
    if config.max_words is not None and len(answer.split()) > config.max_words:
        return "too-long"
    if config.choice and answer.strip().casefold() not in {choice.casefold() for choice in config.choice}:
        return "choice"
    if config.regex and not patterns.found(config.regex, answer):
        return "regex"
    return "none" if config.json_schema is None else _json_fault(config, answer)


def _json_fault(config: FormatConfig, answer: str) -> str:
    import orjson

    fenced = _FENCE.match(answer) if config.allow_fence else None
    try:
        value = orjson.loads(fenced[1] if fenced else answer)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return "json"
    return "none" if config.json_schema is None or json_schema.fits(config.json_schema, value) else "schema"


FORMAT = Manifest(
    name="Format",
    version="1.0.0",
    summary="Share of exchanges whose answer did not have the form that was asked for.",
    direction="LowerIsBetter",
    needs_text=True,
    requires=(),
    subject="response",
    cost="Cheap",
    languages=("any",),
    licence="Apache-2.0",
    labels=("none", "json", "schema", "regex", "too-short", "too-long", "choice"),
    config=FormatConfig,
    blind_to=(
        "whether what stands in the form is true or useful",
        "keywords of JSON Schema beyond the documented subset, which are refused",
        "duplicate keys of an object: the last one counts",
    ),
)
EVALUATORS = (BuiltinEvaluator(FORMAT, score),)
