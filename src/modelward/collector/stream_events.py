"""The events of a streamed answer: how many there are, and which is the first that carries something generated."""

from __future__ import annotations

import re

from modelward.collector.stream_signs import FIRST_TOKEN, FIRST_TOKEN_REACH

_END_OF_EVENT = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_ECHO = re.compile(rb'(?:^|[\r\n])(?:event: ?|data: ?\{\s*"type"\s*:\s*")response\.(?:created|queued|in_progress)\b')
"""Events of the Responses API that repeat the prompt and hold nothing generated."""
_ECHO_REACH = 256
HELD_BYTES = 4096
"""Bytes of an event that are held until the first token."""


class StreamEvents:
    """Counts the events of one stream, whatever its line ends are and however it is cut.

    `token_seen` is True from the first event on that carries content, reasoning or a tool call.
    """

    __slots__ = ("_echo", "_edge", "_held", "_long", "_plain", "_separator", "token_seen")

    def __init__(self, *, lines: bool) -> None:
        self._plain = b"\n" if lines else b"\n\n"
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
        events = self._split(self._held + piece if self._held else piece)
        rest = events.pop()
        for event in events:
            if event and not self.token_seen:
                self._look(event)
            self._long = False
        if rest:
            self._look(rest)
            if len(rest) > HELD_BYTES:
                self._echo = self._echoes(rest)
                self._long = True
                rest = rest[-FIRST_TOKEN_REACH:]
        self._held = rest
        self._edge = rest[1 - len(self._separator) :] if rest and len(self._separator) > 1 else b""
        return len(events)

    def _split(self, data: bytes) -> list[bytes]:
        """Return the events that ended, and what follows them."""
        if len(self._plain) == 1 or b"\r" not in data:
            events = data.split(self._plain)
            if len(events) > 1:
                self._separator = self._plain
            return events
        events, start = [], 0
        for found in _END_OF_EVENT.finditer(data):
            self._separator = found[0]
            events.append(data[start : found.start()])
            start = found.end()
        return [*events, data[start:]]

    def _look(self, event: bytes) -> None:
        if FIRST_TOKEN.search(event) and not self._echoes(event):
            self.token_seen = True

    def _echoes(self, event: bytes) -> bool:
        """Return whether an event, of which the front is here or was, repeats the prompt."""
        if self._long:
            return self._echo
        front = event[:_ECHO_REACH]
        return b"response." in front and _ECHO.search(front) is not None
