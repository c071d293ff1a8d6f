"""Requests to a judge, and what of them a judge refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from modelward.api.judge import Readout
from modelward.evaluate.judge.labels import LabelSet
from modelward.evaluate.judge.prompt import MAX_REASON_CHARS, Prompt
from modelward.evaluate.judge.settings import JudgeSettings

Option: TypeAlias = Literal["temperature", "seed", "top_logprobs", "max_tokens"]
"""What a request can do without: the temperature, the seed, 20 probabilities instead of 5, the old name of a bound."""
REFUSALS = frozenset({400, 404, 405, 415, 422, 501})
_GUESSED: frozenset[Option] = frozenset({"temperature", "seed"})
"""What is left out first where a refusal names nothing."""
_GONE = frozenset({404, 405, 501})
"""Of the path itself: where it is that of chats, the model or the address is not there."""
SEED = 1
_LABEL_TOKENS = 2
"""Room for a space or a line end before the label's first token."""
_SAID_CHARS = 4_096
Named: TypeAlias = Literal["temperature", "seed", "top_logprobs", "max_tokens", "readout", ""]
_NAMED: tuple[tuple[Named, re.Pattern[str]], ...] = (
    ("readout", re.compile(r"response_format|json_schema|guided|grammar")),
    ("top_logprobs", re.compile(r"logprobs")),
    ("max_tokens", re.compile(r"max_tokens|max_completion_tokens")),
    ("temperature", re.compile(r"temperature")),
    ("seed", re.compile(r"\bseed\b")),
)


@dataclass(frozen=True, slots=True)
class AskForm:
    """How a judge is asked: the readout, those that are left below it, and the options left out."""

    readouts: tuple[Readout, ...]
    left_out: frozenset[Option] = frozenset()

    @property
    def readout(self) -> Readout:
        """The readout in use."""
        return self.readouts[0]

    def below(self) -> AskForm | None:
        """Return the form with the next readout; None where there is none."""
        return replace(self, readouts=self.readouts[1:]) if len(self.readouts) > 1 else None

    def without(self, *options: Option) -> AskForm:
        """Return the form without some options."""
        return replace(self, left_out=self.left_out | {*options})

    def after(self, status: int, body: bytes) -> AskForm | None:
        """Return what to try after a refusal: without what it names, or else with less; None where nothing is left."""
        named = _named(body)
        if named == "top_logprobs":
            return self.below() if named in self.left_out else self.without("top_logprobs")
        if named == "readout":
            return self.below()
        if not named and status in _GONE:
            return self.below() if self.readout == "CompletionLabel" else None
        if named in ("temperature", "seed", "max_tokens") and named not in self.left_out:
            return self.without(named)
        if _GUESSED - self.left_out:
            return self.without(*_GUESSED)
        below = self.below()  # they were not what it refused
        return below and replace(below, left_out=below.left_out - _GUESSED)


def _named(body: bytes) -> Named:
    said = body[:_SAID_CHARS].decode("utf-8", "replace").lower()
    return next((name for name, words in _NAMED if words.search(said)), "")


def path(settings: JudgeSettings, readout: Readout) -> str:
    """Return the URL that a readout is asked at."""
    query = (
        f"?api-version={settings.external.api_version}" if settings.external and settings.external.api_version else ""
    )
    return f"{settings.base_url}/{'completions' if readout == 'CompletionLabel' else 'chat/completions'}{query}"


def body(settings: JudgeSettings, prompt: Prompt, form: AskForm, labels: LabelSet) -> bytes:
    """Return a request: the same bytes for the same prompt and form."""
    most = _LABEL_TOKENS if form.readout in ("CompletionLabel", "ChatLabel") else settings.max_tokens
    asked: dict[str, Any] = {"model": settings.model_name} if settings.model_name else {}
    if form.readout == "CompletionLabel":
        asked["prompt"] = prompt.text()
    else:
        asked["messages"] = [{"role": turn.role, "content": turn.text} for turn in prompt.turns]
    asked["max_completion_tokens" if "max_tokens" in form.left_out else "max_tokens"] = most
    if "temperature" not in form.left_out:
        asked["temperature"] = 0
    if "seed" not in form.left_out:
        asked["seed"] = SEED
    tops = 5 if "top_logprobs" in form.left_out else 20
    if form.readout == "CompletionLabel":
        asked["logprobs"] = tops
    elif form.readout == "ChatLabel":
        asked |= {"logprobs": True, "top_logprobs": tops}
    elif form.readout == "JSONSchema":
        asked["response_format"] = _schema(labels)
    return json.dumps(asked, ensure_ascii=False).encode("utf-8", "replace")


def _schema(labels: LabelSet) -> Mapping[str, Any]:
    properties = {
        "label": {"type": "string", "enum": [*labels.every]},
        "reason": {"type": "string", "maxLength": MAX_REASON_CHARS},
    }
    schema = {
        "type": "object",
        "properties": properties,
        "required": ["label", "reason"],
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": "judgement", "strict": True, "schema": schema}}
