"""What the meter knows of a request's body: its two ends, where clients name model and conversation."""

from __future__ import annotations

from modelward.collector.memory_budget import HeldBytes, MemoryBudget

FRONT_BYTES = 64 * 1024
BACK_BYTES = 8 * 1024


class RequestCopy:
    """The first 64 KB of a body and its last 8 KB, however long it is and however it is cut; less without memory."""

    __slots__ = ("_back", "_budget", "_front", "_held", "_only")

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._only = b""  # most come in one piece
        self._front: HeldBytes | None = None
        self._back = b""
        self._held = 0

    def add(self, piece: bytes) -> None:
        """Hold what of this piece belongs to one of the ends."""
        size = len(piece)
        if not self._held and size <= FRONT_BYTES:
            if self._budget.take(size):
                self._only, self._held = piece, size
            return
        if self._front is None:
            self._front = HeldBytes()
            self._front.add(self._only)
        room = FRONT_BYTES - self._front.size
        front = piece[:room] if room < len(piece) else piece
        if front and self._take(len(front)):
            self._front.add(front)
        if room < len(piece):
            self._add_back(piece[room:])

    def value(self) -> bytes:
        """Return the ends as one."""
        if self._front is None:
            return self._only
        return self._front.value() + self._back[-BACK_BYTES:]

    def clear(self) -> None:
        """Let go of it."""
        if self._held:
            self._budget.held -= self._held
            self._held = 0
            self._only, self._front, self._back = b"", None, b""

    def _add_back(self, piece: bytes) -> None:
        if self._back or self._take(2 * BACK_BYTES):
            back = self._back + piece[-BACK_BYTES:]
            self._back = back if len(back) <= 2 * BACK_BYTES else back[-BACK_BYTES:]

    def _take(self, size: int) -> bool:
        taken = self._budget.take(size)
        self._held += size if taken else 0
        return taken
