"""A judge's reply as data: decoded strictly, of whatever shape a server gives it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_MODEL_CHARS = 256


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens that a reply says it took; None where it says nothing that can be true."""

    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What is read of a reply; `tokens` are the likeliest tokens of each place with their probabilities."""

    text: str
    cut: bool
    tokens: tuple[Mapping[str, float], ...]
    model: str
    spent: Spent


def decoded(body: bytes) -> Reply | None:
    """Return a reply of either API, /chat/completions or /completions; None for what is no reply of one."""
    try:
        found = json.loads(body, parse_constant=_refuse)
        choice = found["choices"][0]
        message = choice.get("message") or {}
        text = message.get("content") if message else choice.get("text")
        return Reply(
            text=text if isinstance(text, str) else _joined(text),
            cut=choice.get("finish_reason") == "length",
            tokens=_tokens(choice.get("logprobs")),
            model=_word(found.get("model")),
            spent=_spent(found.get("usage")),
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _joined(parts: Any) -> str:
    """Return the text of a message in parts, as some APIs send it."""
    if not isinstance(parts, list):
        return ""
    return "".join(part["text"] for part in parts if isinstance(part, Mapping) and isinstance(part.get("text"), str))


def _word(value: Any) -> str:
    return "".join(filter(str.isprintable, value[:MAX_MODEL_CHARS])) if isinstance(value, str) else ""


def _spent(usage: Any) -> Spent:
    if not isinstance(usage, Mapping):
        return Spent()
    return Spent(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 1 << 53 else None


def _tokens(logprobs: Any) -> tuple[Mapping[str, float], ...]:
    """Return the probabilities in either form: a list of places with their tops, or a list of maps."""
    if not isinstance(logprobs, Mapping):
        return ()
    content = logprobs.get("content")
    if isinstance(content, Sequence) and not isinstance(content, str):
        return tuple(_likeliest(_pairs(place)) for place in content)
    tops = logprobs.get("top_logprobs")
    if isinstance(tops, Sequence) and not isinstance(tops, str):
        return tuple(_likeliest(list(place.items()) if isinstance(place, Mapping) else []) for place in tops)
    return ()


def _pairs(place: Any) -> list[tuple[Any, Any]]:
    if not isinstance(place, Mapping):
        return []
    tops = place.get("top_logprobs")
    rows = tops if isinstance(tops, list) and tops else [place]
    return [(row.get("token"), row.get("logprob")) for row in rows if isinstance(row, Mapping)]


def _likeliest(pairs: list[tuple[Any, Any]]) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for token, logarithm in pairs:
        if isinstance(token, str) and type(logarithm) in (int, float) and logarithm <= 1e-3:
            found[token] = found.get(token, 0.0) + math.exp(logarithm)
    return found
