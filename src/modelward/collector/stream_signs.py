"""What the bytes of a stream show without parsing each event: first token, names.

All patterns look for structural quotes. Inside a JSON string a quote is escaped, so text that a model writes cannot
imitate them.
"""

from __future__ import annotations

import re

import orjson

FIRST_TOKEN = re.compile(
    rb'"(?:content|reasoning_content|reasoning|refusal|text|delta|response|thinking|partial_json)"\s*:\s*"[^"]'
    rb'|"tool_calls"\s*:\s*\[\s*\{|"function_call"\s*:\s*\{'
)
FIRST_TOKEN_REACH = 48
"""Bytes of the previous piece to look at again, because the pattern may be split over two reads."""

_MODEL = re.compile(rb'"model"\s*:\s*"(?:([^"\\]{1,1024})|((?:[^"\\]|\\.){1,1024}))"')
_CONVERSATION = re.compile(rb'"(?:conversation_id|session_id|thread_id)"\s*:\s*"([^"\\]{1,128})"')
_LONGEST_NAME = 128
_FRONT_BYTES, _BACK_BYTES = 65_536, 8_192


def model_named_in(body: bytes) -> str:
    """Return the model that a request or response body names, "" if none; looks at both ends of a long body.

    A name is cut at 128 characters, and is the same however it is escaped: PHP writes `a\\/b` for `a/b`.
    """
    found = _MODEL.search(body, 0, _FRONT_BYTES) or _at_the_back(body, _MODEL)
    if found is None:
        return ""
    plain: bytes | None = found[1]
    return (_unescaped(found[2]) if plain is None else plain.decode("utf-8", "replace"))[:_LONGEST_NAME]


def conversation_named_in(body: bytes) -> bytes:
    """Return the conversation that a request body names, b"" if none."""
    found = _CONVERSATION.search(body, 0, _FRONT_BYTES) or _at_the_back(body, _CONVERSATION)
    return found[1] if found else b""


def _at_the_back(body: bytes, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
    """Search the end of a body of which the front has been searched."""
    return pattern.search(body, len(body) - _BACK_BYTES) if len(body) > _FRONT_BYTES else None


def _unescaped(text: bytes) -> str:
    """Return the text of a JSON string, given without its quotes."""
    try:
        return str(orjson.loads(b'"%b"' % text))
    except orjson.JSONDecodeError:
        return ""
