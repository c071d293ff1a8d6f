"""Tokens as the engine counted them, read from the `usage` objects of an answer without parsing all of it.

The patterns look for structural quotes. Inside a JSON string a quote is escaped, so text that a model writes cannot
imitate them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from modelward.api.exchange import Usage

UsageFields = Mapping[str, Any]
"""A `usage` object as the API wrote it."""

_NAME, _COMPACT, _SPACED, _ODD = b'"usage"', b'"usage":{', b'"usage": {', b'"usage" '
_BEGUN = re.compile(rb'"usage"\s*:\s*\{')
_OLLAMA_COUNTS = re.compile(rb'"(prompt_eval_count|eval_count)"\s*:\s*(\d{1,12})')
_MAX_USAGE_BYTES = 4096
NO_USAGE = Usage()


def last_usage_in(data: bytes, end: int) -> UsageFields | None:
    """Return the last usage object that begins before `end`; it may reach beyond.

    Most answers end with it. Streams may have `"usage":null` in each event, so that a search for the name alone would
    stop at all of them.
    """
    start = _begins(data, _NAME, end)
    if start < 0 or _BEGUN.match(data, start):
        return _parsed_at(data, start)
    start = max(_begins(data, _COMPACT, end), _begins(data, _SPACED, end))
    if start < 0 and _begins(data, _ODD, end) >= 0:
        start = max((found.start() for found in _BEGUN.finditer(data) if found.start() < end), default=-1)
    return _parsed_at(data, start)


def _begins(data: bytes, name: bytes, end: int) -> int:
    """Return where the last `name` before `end` begins, also one that reaches beyond; -1 if none does."""
    return data.rfind(name, 0, end + len(name) - 1)


def first_usage_in(data: bytes, end: int) -> UsageFields | None:
    """Return the first usage object that begins before `end`; it may reach beyond."""
    found = _BEGUN.search(data)
    return _parsed_at(data, found.start() if found and found.start() < end else -1)


def _parsed_at(data: bytes, start: int) -> UsageFields | None:
    if start < 0:
        return None
    begun = data.index(b"{", start)
    return _parsed(data[begun : begun + _MAX_USAGE_BYTES])


def usage_told_by(answer: Any) -> UsageFields | None:
    """Return the usage object of a parsed answer, None if it has none at its top."""
    usage = answer.get("usage") if isinstance(answer, dict) else None
    return usage if isinstance(usage, dict) else None


def usage_of(first: UsageFields | None, last: UsageFields | None) -> Usage:
    """Return the tokens that an answer's first and last usage object report; None where they report none.

    A stream of the Messages API has its input tokens in the first and its output tokens in the last one. That API
    counts cached input apart from `input_tokens`; others count it inside, and so do we.
    """
    told = last or {}
    if first:
        told = {**first, **{name: value for name, value in told.items() if value is not None}}
    details = told.get("prompt_tokens_details") or told.get("input_tokens_details")
    cached = whole(details.get("cached_tokens")) if isinstance(details, dict) else None
    read = whole(told.get("cache_read_input_tokens"))
    asked = whole(told.get("prompt_tokens"))
    if asked is None:
        asked = whole(told.get("input_tokens"))
        if asked is not None and details is None:
            asked += (read or 0) + (whole(told.get("cache_creation_input_tokens")) or 0)
    return Usage(
        asked,
        whole(told.get("completion_tokens", told.get("output_tokens"))),
        cached if cached is not None else read,
    )


def ollama_usage_in(tail: bytes) -> Usage:
    """Return the tokens that the last object of an Ollama answer reports, without a usage object."""
    if not tail.rstrip().endswith(b"}") or b"eval_count" not in tail:
        return NO_USAGE
    counts = dict(_OLLAMA_COUNTS.findall(tail))
    asked, said = counts.get(b"prompt_eval_count"), counts.get(b"eval_count")
    return Usage(int(asked) if asked else None, int(said) if said else None)


def tells_input(usage: UsageFields) -> bool:
    """Whether a usage object reports how many tokens went in."""
    return usage.get("prompt_tokens") is not None or usage.get("input_tokens") is not None


def whole(value: Any) -> int | None:
    """Return a count of tokens, None for what is none."""
    return value if type(value) is int and value >= 0 else None


def _parsed(text: bytes) -> UsageFields | None:
    end = _end_of_object(text)
    try:
        return orjson.loads(text[:end]) if end else None
    except orjson.JSONDecodeError:
        return None


def _end_of_object(text: bytes) -> int:
    """Return where the object ends that the text begins with, 0 if it does not; its values are numbers and objects."""
    end = text.find(b"}") + 1
    while end and text.count(b"{", 0, end) != text.count(b"}", 0, end):
        end = text.find(b"}", end) + 1
    return end
