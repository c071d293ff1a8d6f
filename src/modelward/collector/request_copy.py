"""What the meter knows of a request's body: its two ends, where clients name model and conversation."""

from __future__ import annotations

from modelward.collector.memory_budget import HeldBytes, MemoryBudget

FRONT_BYTES = 64 * 1024
BACK_BYTES = 8 * 1024


class RequestCopy:
    """The first 64 KB of a body and its last 8 KB, however long it is and however it is cut; less without memory."""

    __slots__ = ("_back", "_budget", "_front", "_held")

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._front = HeldBytes()
        self._back = b""
        self._held = 0

    def add(self, piece: bytes) -> None:
        """Hold what of this piece belongs to one of the ends."""
        room = FRONT_BYTES - self._front.size
        if room > 0:
            front = piece[:room]
            if not self._take(len(front)):
                return
            self._front.add(front)
        if len(piece) > room:
            self._add_back(piece[max(0, room) :] if room > 0 else piece)

    def value(self) -> bytes:
        """Return the ends as one."""
        return self._front.value() + self._back[-BACK_BYTES:] if self._back else self._front.value()

    def clear(self) -> None:
        """Let go of it."""
        self._budget.give_back(self._held)
        self._held = 0
        self._front.clear()
        self._back = b""

    def _add_back(self, piece: bytes) -> None:
        if self._back or self._take(2 * BACK_BYTES):
            back = self._back + piece[-BACK_BYTES:]
            self._back = back if len(back) <= 2 * BACK_BYTES else back[-BACK_BYTES:]

    def _take(self, size: int) -> bool:
        taken = self._budget.take(size)
        self._held += size if taken else 0
        return taken
