"""How an answer ended in the words of its API: its own end mark, or an error told with status 200."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import orjson

EndSign = Literal["", "complete", "error"]
"""What the last events tell; "" where they tell nothing."""

_LAST_LINES = 24
"""Lines at the end that are read: an error or end mark, with what servers still send after it."""
_COMPLETE_TYPES = ("message_stop", "response.completed", "response.incomplete")
_ERROR_TYPES = ("error", "response.failed")
_EVENT = re.compile(rb"event: ?([\w.]+)")
_WORTH_PARSING = re.compile(
    rb'"(?:error|failed|message_stop|response\.(?:failed|completed|incomplete))"|"done"\s*:\s*true'
)
_ERROR_BODY = re.compile(rb'"error"\s*:\s*[{"]|"(?:object|type|finish_reason)"\s*:\s*"error"')
_ERROR_FRONT = re.compile(rb'\s*\{\s*"(?:error"\s*:\s*[{"]|(?:object|type)"\s*:\s*"error")')
_FAILED_FRONT = re.compile(rb'\s*\{(?=.*"object"\s*:\s*"response").*"status"\s*:\s*"failed"', re.DOTALL)
_TYPE_IN_FRONT = re.compile(rb'\s*\{\s*"type"\s*:\s*"([\w.]+)"')
_DONE_IN_FRONT = re.compile(rb'\s*\{.*?"done"\s*:\s*true', re.DOTALL)


def end_of_stream(lines: list[bytes], *, opening: bytes) -> EndSign:
    """Read the last lines of a stream of events or of JSON lines.

    `opening` is how the first of the lines began where that line is only its end, b"" where it is whole.
    """
    complete = False
    for sign in _signs(lines, opening):
        if sign == "error":
            return "error"
        complete = complete or sign == "complete"
    return "complete" if complete else ""


def end_of_json(body: bytes, *, front: bytes) -> EndSign:
    """Read a JSON answer; `front` is how it began where `body` is only its end, b"" where it is whole."""
    if front:
        return "error" if _ERROR_FRONT.match(front) or _FAILED_FRONT.match(front) else ""
    if b'"error"' not in body or not _ERROR_BODY.search(body):
        return ""
    try:
        return "error" if _tells_error(orjson.loads(body)) else ""
    except orjson.JSONDecodeError:
        return ""


def _signs(lines: list[bytes], opening: bytes) -> Iterator[EndSign]:
    for place in range(max(0, len(lines) - _LAST_LINES), len(lines)):
        cut = bool(opening) and place == 0
        yield _sign(opening if cut else lines[place], cut=cut)


def _sign(line: bytes, *, cut: bool) -> EndSign:
    """Tell what one line says. Anchored at its beginning, because text inside JSON has no line of its own."""
    if line.startswith(b"data:"):
        payload = line[5:].lstrip(b" ")
        return "complete" if payload.rstrip() == b"[DONE]" else _sign_of_json(payload, cut=cut)
    if line.startswith(b"{"):
        return _sign_of_json(line, cut=cut)
    if found := _EVENT.match(line):
        return _sign_of_type(found[1].decode())
    return "error" if line.startswith((b"error: {", b"error:{")) else ""


def _sign_of_type(name: str) -> EndSign:
    if name in _ERROR_TYPES:
        return "error"
    return "complete" if name in _COMPLETE_TYPES else ""


def _sign_of_json(payload: bytes, *, cut: bool) -> EndSign:
    if cut:
        return _sign_of_front(payload)
    if not _WORTH_PARSING.search(payload):
        return ""
    try:
        event = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return ""
    if _tells_error(event):
        return "error"
    if not isinstance(event, dict):
        return ""
    return "complete" if event.get("done") is True or event.get("type") in _COMPLETE_TYPES else ""


def _sign_of_front(payload: bytes) -> EndSign:
    """Tell what an event says that was too long to be kept; only what it began with is here."""
    if _ERROR_FRONT.match(payload):
        return "error"
    found = _TYPE_IN_FRONT.match(payload)
    if found:
        return _sign_of_type(found[1].decode())
    return "complete" if _DONE_IN_FRONT.match(payload) else ""


def _tells_error(event: Any) -> bool:
    if not isinstance(event, dict):
        return False
    if event.get("error") and isinstance(event["error"], (dict, str)):
        return True
    if event.get("object") == "error" or event.get("type") in _ERROR_TYPES:
        return True
    choices = event.get("choices")
    reasons = (
        (one.get("finish_reason") for one in choices if isinstance(one, dict)) if isinstance(choices, list) else ()
    )
    return "error" in reasons
