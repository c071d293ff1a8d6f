"""Compressed answers as they pass, decoded within a bounded amount of work: official clients always offer gzip."""

from __future__ import annotations

import zlib

READ_BYTES = 512 * 1024
"""Most that one read may become; about a millisecond and a half of work."""
ANSWER_BYTES = 8 * 1024 * 1024
"""Most that one answer may become."""
DECODER_BYTES = 45 * 1024
"""What decoding one answer holds: the window of the coding, mostly."""
_KNOWN = (b"gzip", b"x-gzip", b"deflate")


def can_decode(encoding: bytes) -> bool:
    """Whether an answer in this coding can be read as it passes."""
    return encoding in _KNOWN


class Decoder:
    """Decodes one answer; once `lost` is True nothing more is known of it."""

    __slots__ = ("_room", "_zlib", "lost")

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._room = ANSWER_BYTES
        self.lost = False

    def decode(self, piece: bytes) -> bytes:
        """Return what this piece holds, b"" when it is malformed or too much."""
        if self.lost:
            return b""
        try:
            decoded = self._zlib.decompress(piece, READ_BYTES)
        except zlib.error:
            self.lost = True
            return b""
        self._room -= len(decoded)
        self.lost = bool(self._zlib.unconsumed_tail) or self._room < 0
        return b"" if self.lost else decoded
