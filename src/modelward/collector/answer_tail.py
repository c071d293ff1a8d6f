"""The end of an answer's body, and of what stood before it that which is needed when it is over."""

from __future__ import annotations

from typing import Any

import orjson

from modelward.api.exchange import Usage
from modelward.collector.answer_end import EndSign, end_of_json, end_of_json_front, end_of_stream
from modelward.collector.stream_signs import model_named_in
from modelward.collector.usage_reading import (
    UsageFields,
    first_usage_in,
    last_usage_in,
    ollama_usage_in,
    tells_input,
    usage_of,
    usage_told_by,
)

KEPT_BYTES = 4 * 1024
"""Bytes at the end that are kept whole: more than any usage object, error or end mark needs."""
MOST_BYTES = 3 * KEPT_BYTES
"""Bytes that are held at most, before what came last, with the objects that hold them."""
_OBJECT_BYTES = 48
_FRONT_BYTES = 256
_NUMBERS, _ERROR = b'"embedding"', b'"error"'
"""To parse an answer costs less than to search it twice, but not an answer full of numbers."""


class AnswerTail:
    """Keeps at most 12 KB and the last read, and reads what it lets go of once, however it was cut.

    `_front` is how the answer began, `_opening` how the first line of what is kept began; empty where all is kept.
    `_parsed` is a JSON answer once its end was read, if all of it is kept.
    """

    __slots__ = ("_first", "_front", "_last", "_model", "_opening", "_parsed", "_pieces", "_size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._front = self._opening = b""
        self._first: UsageFields | None = None
        self._last: UsageFields | None = None
        self._model = ""
        self._parsed: Any = None

    def add(self, piece: bytes) -> None:
        """Take what came; this runs for every token."""
        self._pieces.append(piece)
        self._size += len(piece) + _OBJECT_BYTES
        if self._size > MOST_BYTES:
            self._cut()

    def model(self) -> str:
        """Return the model that the answer names, "" if none."""
        return self._model or model_named_in(self._kept())

    def usage(self) -> Usage:
        """Return the tokens that the answer reports."""
        if self._parsed is not None and (told := usage_told_by(self._parsed)):
            return usage_of(None, told)
        kept = self._kept()
        last = last_usage_in(kept, len(kept)) or self._last
        if last is None:
            return ollama_usage_in(kept)
        first = None if tells_input(last) else self._first or first_usage_in(kept, len(kept))
        return usage_of(first, last)

    def end(self, *, stream: bool) -> EndSign:
        """Return what the answer itself says of its end."""
        kept = self._kept()
        if stream:
            return end_of_stream(kept, opening=self._opening)
        if self._front:
            return end_of_json_front(self._front)
        self._parsed = _parsed(kept)
        return end_of_json(self._parsed)

    def _kept(self) -> bytes:
        if len(self._pieces) != 1:
            self._pieces = [b"".join(self._pieces)]
        return self._pieces[0]

    def _cut(self) -> None:
        whole = self._kept()
        self._size = len(whole)
        cut = len(whole) - KEPT_BYTES
        if cut < KEPT_BYTES:
            return  # it came in so small pieces that joining them was enough
        if not self._front:
            self._front = whole[:_FRONT_BYTES]
            self._model = model_named_in(whole)
        if last := last_usage_in(whole, cut):
            self._last = last
            self._first = self._first or first_usage_in(whole, cut)
        self._keep(whole, cut)

    def _keep(self, whole: bytes, cut: int) -> None:
        """Keep the end from a line's beginning on; of a line that is too long for that its first bytes and its end."""
        line = max(whole.rfind(b"\n", 0, cut), whole.rfind(b"\r", 0, cut)) + 1
        if line == 0 and self._opening:
            pass
        elif cut - line <= KEPT_BYTES:
            cut, self._opening = line, b""
        else:
            self._opening = whole[line : line + _FRONT_BYTES]
        self._pieces = [whole[cut:]]
        self._size = len(whole) - cut


def _parsed(body: bytes) -> Any:
    if _NUMBERS in body[:_FRONT_BYTES] and _ERROR not in body:
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
