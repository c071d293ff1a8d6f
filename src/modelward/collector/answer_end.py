"""How an answer ended in the words of its API: its own end mark, or an error with status 200."""

from __future__ import annotations

import re
from typing import Any, Literal

import orjson

EndSign = Literal["", "complete", "error"]
"""What the last events say; "" where they say nothing."""

_LAST_LINES = 24
"""Lines at the end that are read: an error or end mark, with what servers still send after it."""
_COMPLETE_TYPES = ("message_stop", "response.completed", "response.incomplete")
_ERROR_TYPES = ("error", "response.failed")
_DONE = re.compile(rb"data: *\[DONE\]\s*")
_DONE_ENDS = (b"\ndata: [DONE]", b"\rdata: [DONE]", b"\ndata:[DONE]")
_ERROR_SIGNS = (b'"error"', b"response.failed", b"\ne", b"\re")
"""One of them is in each line that reports an error; the last two begin the lines `event:` and `error:`."""
_EVENT = re.compile(rb"event: ?([\w.]+)")
_WORTH_PARSING = re.compile(
    rb'"(?:error"|failed"|message_stop"|response\.(?:failed|completed|incomplete)"|done"\s*:\s*true)'
)
_ERROR_FRONT = re.compile(rb'\s*\{\s*"(?:error"\s*:\s*[{"]|(?:object|type)"\s*:\s*"error")')
_FAILED_FRONT = re.compile(rb'\s*\{(?=.*"object"\s*:\s*"response").*"status"\s*:\s*"failed"', re.DOTALL)
_TYPE_IN_FRONT = re.compile(rb'\s*\{\s*"type"\s*:\s*"([\w.]+)"')
_DONE_IN_FRONT = re.compile(rb'\s*\{.*?"done"\s*:\s*true', re.DOTALL)


def end_of_stream(text: bytes, *, opening: bytes) -> EndSign:
    """Read the last lines of a stream of events or of JSON lines.

    `opening` is how the first of the lines began where that line is only its end, b"" where it is whole.
    """
    if not opening and _ends_well(text):
        return "complete"
    lines = text.splitlines()
    end: EndSign = ""
    if opening and len(lines) <= _LAST_LINES:
        end = _sign_of_cut(opening)
        lines = lines[1:]
    for line in lines[-_LAST_LINES:]:
        if end == "error":
            break
        if line:
            end = _sign(line) or end
    return end


def _ends_well(text: bytes) -> bool:
    """Classify most streams by their last line, and by the absence of anything that reports an error.

    To read each of these lines costs more than all else that is done when an exchange is over.
    """
    if not text.rstrip().endswith(_DONE_ENDS):
        return False
    before = text.rsplit(b"\n", _LAST_LINES + 1)
    last = text[len(before[0]) :] if len(before) > _LAST_LINES + 1 else b"\n" + text
    return not any(sign in last for sign in _ERROR_SIGNS)


def end_of_json(answer: Any) -> EndSign:
    """Return what a JSON answer says that is here whole, and parsed."""
    return "error" if _tells_error(answer) else ""


def end_of_json_front(front: bytes) -> EndSign:
    """Return what a JSON answer says of which only the beginning was kept."""
    return "error" if _ERROR_FRONT.match(front) or _FAILED_FRONT.match(front) else ""


def _sign(line: bytes) -> EndSign:
    """Return what one line says. Anchored at its beginning, because text inside JSON has no line of its own."""
    if line.startswith((b"data:", b"{")):
        if _WORTH_PARSING.search(line):
            return _sign_of_json(_payload(line))
        return "complete" if not line.endswith(b"}") and _DONE.fullmatch(line) else ""
    return _sign_of_field(line)


def _sign_of_cut(opening: bytes) -> EndSign:
    """Return what a line says that was too long to be kept; only what it began with is here."""
    if opening.startswith((b"data:", b"{")):
        return _sign_of_front(_payload(opening))
    return _sign_of_field(opening)


def _payload(line: bytes) -> bytes:
    return line[5:].lstrip(b" ") if line.startswith(b"data:") else line


def _sign_of_field(line: bytes) -> EndSign:
    if found := _EVENT.match(line):
        return _sign_of_type(found[1].decode())
    return "error" if line.startswith((b"error: {", b"error:{")) else ""


def _sign_of_type(name: str) -> EndSign:
    if name in _ERROR_TYPES:
        return "error"
    return "complete" if name in _COMPLETE_TYPES else ""


def _sign_of_json(payload: bytes) -> EndSign:
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
    if _ERROR_FRONT.match(payload):
        return "error"
    found = _TYPE_IN_FRONT.match(payload)
    if found:
        return _sign_of_type(found[1].decode())
    return "complete" if _DONE_IN_FRONT.match(payload) else ""


def _tells_error(event: Any) -> bool:
    if not isinstance(event, dict):
        return False
    error = event.get("error")
    if error and isinstance(error, (dict, str)):
        return True
    if event.get("object") == "error" or event.get("type") in _ERROR_TYPES:
        return True
    choices = event.get("choices")
    if isinstance(choices, list):
        for one in choices:
            if isinstance(one, dict) and one.get("finish_reason") == "error":
                return True
    return False
