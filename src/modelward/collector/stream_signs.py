"""What can be told from the bytes of a stream without parsing each event: first token, usage, errors, names.

All patterns look for structural quotes. Inside a JSON string a quote is escaped, so text that a model writes cannot
imitate them.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from modelward.api.exchange import Usage

FIRST_TOKEN = re.compile(
    rb'"(?:content|reasoning_content|reasoning|refusal|text|delta|response|thinking|partial_json)"\s*:\s*"[^"]'
    rb'|"tool_calls"\s*:\s*\[\s*\{|"function_call"\s*:\s*\{'
)
FIRST_TOKEN_REACH = 48
"""Bytes of the previous piece to look at again, because the pattern may be split over two reads."""

_MODEL = re.compile(rb'"model"\s*:\s*"((?:[^"\\]|\\.){1,128})"')
_CONVERSATION = re.compile(rb'"(?:conversation_id|session_id|thread_id)"\s*:\s*"([^"\\]{1,128})"')
_USAGE = re.compile(rb'"usage"\s*:\s*\{')
_STREAM_ERROR = re.compile(rb'data: ?\{\s*"error"\s*:\s*[{"]|event: ?error')
_OLLAMA_COUNTS = re.compile(rb'"(prompt_eval_count|eval_count)"\s*:\s*(\d{1,12})')
_MAX_USAGE_BYTES = 4096


def model_named_in(body: bytes) -> str:
    """Return the model that a request or response body names, "" if none; looks at both ends of a long body."""
    found = _MODEL.search(body, 0, 65_536) or _MODEL.search(body, max(0, len(body) - 8192))
    return found.group(1).decode("utf-8", "replace") if found else ""


def conversation_named_in(body: bytes) -> bytes:
    """Return the conversation that a request body names, b"" if none."""
    found = _CONVERSATION.search(body, 0, 65_536) or _CONVERSATION.search(body, max(0, len(body) - 8192))
    return found.group(1) if found else b""


def reports_error(tail: bytes) -> bool:
    """Say whether a stream that began with status 200 told of an error."""
    return _STREAM_ERROR.search(tail) is not None


def usage_in(tail: bytes) -> Usage:
    """Return the tokens of the last usage object in the end of a response; None where it says nothing."""
    start = tail.rfind(b'"usage"')
    while start >= 0:
        if found := _USAGE.match(tail, start):
            return _read_usage(tail[found.end() - 1 : found.end() + _MAX_USAGE_BYTES])
        start = tail.rfind(b'"usage"', 0, start)
    counts = dict(_OLLAMA_COUNTS.findall(tail))
    return Usage(_whole(counts.get(b"prompt_eval_count")), _whole(counts.get(b"eval_count")))


def _read_usage(text: bytes) -> Usage:
    end = _end_of_object(text)
    if not end:
        return Usage()
    try:
        usage: dict[str, Any] = orjson.loads(text[:end])
    except orjson.JSONDecodeError:
        return Usage()
    details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return Usage(
        _whole(usage.get("prompt_tokens", usage.get("input_tokens"))),
        _whole(usage.get("completion_tokens", usage.get("output_tokens"))),
        _whole(cached if cached is not None else usage.get("cache_read_input_tokens")),
    )


def _end_of_object(text: bytes) -> int:
    depth = 0
    for position, byte in enumerate(text):
        depth += (byte == 0x7B) - (byte == 0x7D)
        if depth == 0:
            return position + 1
    return 0


def _whole(value: Any) -> int | None:
    if isinstance(value, bytes):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
