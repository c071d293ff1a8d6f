"""Where a request's body ends, so that the next request on the same connection is not sent on with it."""

from __future__ import annotations

from modelward.collector.request_head import RequestHead

_EMPTY_LINE = b"\r\n\r\n"


class RequestBody:
    """Follows one request's body as its bytes come: by its length, or by its chunks."""

    __slots__ = ("_head", "_remaining", "_tail")

    def __init__(self, head: RequestHead) -> None:
        self._head = head
        self._remaining = head.length
        self._tail = b""

    @property
    def complete(self) -> bool:
        """Whether the body has ended; true at once for a request without one."""
        return self._head.body_complete if self._head.chunked else not self._remaining

    def take(self, data: bytes) -> tuple[int, list[bytes]]:
        """Return how many of these bytes belong to the body, and its pieces free of chunk framing.

        Raises BadRequestError where the chunks are malformed.
        """
        return self._take_chunks(data) if self._head.chunked else self._take_sized(data)

    def _take_sized(self, data: bytes) -> tuple[int, list[bytes]]:
        taken = min(len(data), self._remaining)
        self._remaining -= taken
        return taken, [data if taken == len(data) else data[:taken]]

    def _take_chunks(self, data: bytes) -> tuple[int, list[bytes]]:
        """Feed up to each empty line in turn: only there can the body end, and the parser does not say where it did."""
        pieces: list[bytes] = []
        position = 0
        while position < len(data) and not self._head.body_complete:
            stop = self._after_empty_line(data, position)
            pieces += self._head.feed_chunked(data[position:stop])
            self._tail = (self._tail + data[max(position, stop - 3) : stop])[-3:]
            position = stop
        return position, pieces

    def _after_empty_line(self, data: bytes, position: int) -> int:
        """Return the index after the next empty line, which may have begun in the bytes before, else the end."""
        split = (self._tail + data[position : position + 3]).find(_EMPTY_LINE)
        if split >= 0:
            return position + split + len(_EMPTY_LINE) - len(self._tail)
        found = data.find(_EMPTY_LINE, position)
        return len(data) if found < 0 else found + len(_EMPTY_LINE)
