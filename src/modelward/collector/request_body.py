"""Where a request's body ends, so that the next request on the same connection is not sent on with it."""

from __future__ import annotations

import re

from modelward.collector.request_head import BadRequestError, RequestHead

MAX_STEPS = 1024
"""Lines and contents of chunks followed in one turn: half a millisecond for a client that puts one byte into each."""
_MAX_LINE_BYTES = 4096
_MAX_TRAILER_BYTES = 64 * 1024
# Stricter than RFC 9112, 7.1: no white space and no escapes beside the size, and nothing but CRLF ends a line.
_NAME = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_EXTENSIONS = rb"(?:;" + _NAME + rb"(?:=(?:" + _NAME + rb"|\"[\t\x20\x21\x23-\x5b\x5d-\x7e]*\"))?)*"
_EXTENSIONS_BEGUN = rb"(?:;[\t\x20-\x7e]*)?"
_VALUE = rb"[\t\x20-\x7e\x80-\xff]*"
_FIRST_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})" + _EXTENSIONS + rb"\r\n")
_NEXT_SIZE = re.compile(rb"\r\n" + _FIRST_SIZE.pattern)
_TRAILER = re.compile(rb"(" + _NAME + rb"):" + _VALUE + rb"\r\n")
# The same lines before their end has come.
_FIRST_SIZE_BEGUN = re.compile(rb"(?:[0-9A-Fa-f]{1,15}" + _EXTENSIONS_BEGUN + rb"\r?)?")
_NEXT_SIZE_BEGUN = re.compile(rb"(?:\r(?:\n" + _FIRST_SIZE_BEGUN.pattern + rb")?)?")
_TRAILER_BEGUN = re.compile(rb"\r?|" + _NAME + rb"(?::" + _VALUE + rb"\r?)?")
_FRAMING_FIELDS = frozenset((b"content-length", b"transfer-encoding", b"host", b"trailer", b"connection"))


class RequestBody:
    """Follows one request's body as its bytes come: by its length, or by its chunks.

    `complete` says that the body has ended (true at once for a request without one), `cut_short` that the last call of
    `take` stopped because enough was done for one turn, with more of it to follow at once.
    """

    __slots__ = ("_chunked", "_first", "_remaining", "_trailer_bytes", "complete", "cut_short")

    def __init__(self, head: RequestHead) -> None:
        self._chunked = head.chunked
        self._remaining = head.length
        self._first = True
        self._trailer_bytes = -1
        self.complete = not head.chunked and not head.length
        self.cut_short = False

    def take(self, data: bytes | bytearray) -> tuple[int, bytes]:
        """Return how many of these bytes belong to the body and are whole, and their content free of chunk framing.

        A line of chunk framing that has not ended yet is not taken: it must be given again, with what follows it.
        Raises BadRequestError where the chunks are malformed.
        """
        if self._chunked:
            return self._take_chunks(data)
        taken = min(len(data), self._remaining)
        self._remaining -= taken
        self.complete = not self._remaining
        return taken, bytes(data if taken == len(data) else data[:taken])

    def _take_chunks(self, data: bytes | bytearray) -> tuple[int, bytes]:
        pieces: list[bytes | bytearray] = []
        at, end = 0, len(data)
        self.cut_short = False
        for _ in range(MAX_STEPS):
            if self._remaining:
                stop = min(at + self._remaining, end)
                pieces.append(data[at:stop])
                self._remaining -= stop - at
                at = stop
            elif (after := self._after_line(data, at)) > at:
                at = after
            else:
                break
            if at == end or self.complete:
                break
        else:
            self.cut_short = True
        return at, b"".join(pieces)

    def _after_line(self, data: bytes | bytearray, at: int) -> int:
        """Take one line of framing and return where it ends; `at` itself where its end has not come yet."""
        if self._trailer_bytes >= 0:
            return self._after_trailer(data, at)
        found = (_FIRST_SIZE if self._first else _NEXT_SIZE).match(data, at, at + _MAX_LINE_BYTES)
        if found is None:
            _expect(_FIRST_SIZE_BEGUN if self._first else _NEXT_SIZE_BEGUN, data, at)
            if self._first or not data.startswith(b"\r\n", at):
                return at
            self._first = True  # the end of the chunk before goes on, its server may wait for it
            return at + 2
        self._first = False
        self._remaining = int(found[1], 16)
        if not self._remaining:
            self._trailer_bytes = 0
        return found.end()

    def _after_trailer(self, data: bytes | bytearray, at: int) -> int:
        if data.startswith(b"\r\n", at):
            self.complete = True
            return at + 2
        found = _TRAILER.match(data, at, at + _MAX_LINE_BYTES)
        if found is None:
            _expect(_TRAILER_BEGUN, data, at)
            return at
        self._trailer_bytes += found.end() - at
        if found[1].lower() in _FRAMING_FIELDS or self._trailer_bytes > _MAX_TRAILER_BYTES:
            raise BadRequestError("the body's trailers are too large, or say how messages are framed")
        return found.end()


def _expect(begun: re.Pattern[bytes], data: bytes | bytearray, at: int) -> None:
    """Raise BadRequestError unless what follows is the beginning of such a line, and not yet too long for one."""
    if len(data) - at >= _MAX_LINE_BYTES or begun.fullmatch(data, at) is None:
        raise BadRequestError("a line of the body's chunk framing is malformed")
