"""The events of a streamed answer: how many there are, and which is the first that carries something generated."""

from __future__ import annotations

import re

from modelward.collector.stream_signs import FIRST_TOKEN, FIRST_TOKEN_REACH

_END_OF_EVENT = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_END_OF_LINE = re.compile(rb"\n")
_ECHO = re.compile(rb'(?:^|[\r\n])(?:event: ?|data: ?\{\s*"type"\s*:\s*")response\.(?:created|queued|in_progress)\b')
"""Events of the Responses API that repeat the prompt and hold nothing generated."""
_ECHO_REACH = 256
HELD_BYTES = 4096
"""Bytes of an event that are held until the first token."""


class StreamEvents:
    """Counts the events of one stream, whatever its line ends are and however it is cut.

    `token_seen` is True from the first event on that carries content, reasoning or a tool call.
    """

    __slots__ = ("_echo", "_edge", "_end", "_held", "_long", "_separator", "token_seen")

    def __init__(self, *, lines: bool) -> None:
        self._end = _END_OF_LINE if lines else _END_OF_EVENT
        self._separator = b""
        self._held = self._edge = b""
        self._echo = self._long = False
        self.token_seen = False

    def take(self, piece: bytes) -> int:
        """Return how many events ended in what came."""
        separator = self._separator
        if not self.token_seen or not separator:
            return self._search(piece)
        if (not self._edge and piece.endswith(separator)) or len(separator) == 1:
            return piece.count(separator)
        events = piece.count(separator) + (self._edge + piece[: len(separator) - 1]).count(separator)
        self._edge = b"" if piece.endswith(separator) else (self._edge + piece)[1 - len(separator) :]
        return events

    def _search(self, piece: bytes) -> int:
        """Look at each event until one holds a token and the line ends are known."""
        data = self._held + piece
        events = start = 0
        for found in self._end.finditer(data):
            self._separator = found[0]
            self._look(data[start : found.start()])
            self._long = False
            start = found.end()
            events += 1
        rest = data[start:]
        if rest:
            self._look(rest)
        if len(rest) > HELD_BYTES:
            self._long = True
            rest = rest[-FIRST_TOKEN_REACH:]
        self._held = rest
        self._edge = rest[1 - len(self._separator) :] if rest and len(self._separator) > 1 else b""
        return events

    def _look(self, event: bytes) -> None:
        if not self._long:
            front = event[:_ECHO_REACH]
            self._echo = b"response." in front and _ECHO.search(front) is not None
        if not self._echo and not self.token_seen and FIRST_TOKEN.search(event):
            self.token_seen = True
