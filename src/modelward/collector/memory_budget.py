"""The memory that the data plane spends on its clients' bytes: one budget for all that it holds, and how it is held."""

from __future__ import annotations

LIMIT_BYTES, LEAST_BYTES = 64 * 1024 * 1024, 4 * 1024 * 1024
PROCESSES_BYTES = 64 * 1024 * 1024
"""What three processes take at rest (about 50 MB), with some room."""
_SPARE_SHARE = 0.7
_SMALL_BYTES = 4096


def budget_bytes(container_limit: int | None) -> int:
    """Return the budget under a container's memory limit in bytes; None is no limit.

    The processes come first, and half of the rest is the budget: the other half is what work on those bytes takes. The
    limit that the operator writes (192Mi) gives all of it, a smaller one less. Below 80Mi it is the least with which
    requests are served, and the operator says so.
    """
    if container_limit is None:
        return LIMIT_BYTES
    return max(LEAST_BYTES, min(LIMIT_BYTES, (container_limit - PROCESSES_BYTES) // 2))


class MemoryBudget:
    """Bytes held for clients by all connections together.

    What is held for convenience (copies for a retry, for the meter, for capture) asks first and is left out where there
    is no room. What must be held for a request to be served (requests behind another, a body that waits for its server)
    is counted all the same, so that conveniences give way to it. `scarce` says that the container's memory runs out.
    """

    __slots__ = ("held", "limit", "scarce")

    def __init__(self, limit: int = LIMIT_BYTES) -> None:
        self.limit = limit
        self.held = 0
        self.scarce = False

    @property
    def spare(self) -> bool:
        """Whether there is room for what serves only the rare case, such as a copy for a retry."""
        return not self.scarce and self.held < self.limit * _SPARE_SHARE

    def take(self, size: int) -> bool:
        """Reserve bytes; False where there is no room for them."""
        if self.held + size > self.limit:
            return False
        self.held += size
        return True

    def must_take(self, size: int) -> None:
        """Count bytes that are held whether or not there is room."""
        self.held += size

    def give_back(self, size: int) -> None:
        """Count bytes as let go of."""
        self.held -= size


class HeldBytes:
    """Bytes that came in pieces, held in few objects: small ones are joined as they come, large ones kept as they are.

    An object of two bytes costs forty; a client decides how its bytes are cut, and must not decide what they cost.
    """

    __slots__ = ("_first", "_joined", "_whole", "size")

    def __init__(self) -> None:
        self._first = b""  # most have no second piece
        self._whole: list[bytes] | None = None
        self._joined: bytearray | None = None
        self.size = 0

    @property
    def objects(self) -> int:
        """How many objects hold the bytes."""
        return bool(self._first) + len(self._whole or ()) + bool(self._joined)

    def add(self, piece: bytes) -> None:
        """Hold one more piece."""
        if not self.size:
            self._first = piece
            self.size = len(piece)
            return
        self.size += len(piece)
        if len(piece) >= _SMALL_BYTES:
            self._seal().append(piece)
            return
        if self._joined is None:
            self._joined = bytearray()
        self._joined += piece
        if len(self._joined) >= _SMALL_BYTES:
            self._seal()

    def value(self) -> bytes:
        """Return all bytes as one."""
        if self._whole is None and self._joined is None:
            return self._first
        return b"".join((self._first, *(self._whole or ()), self._joined or b""))

    def clear(self) -> int:
        """Let go of everything and return how many bytes that were."""
        size = self.size
        if size:
            self._first, self._whole, self._joined, self.size = b"", None, None, 0
        return size

    def _seal(self) -> list[bytes]:
        if self._whole is None:
            self._whole = []
        if self._joined:
            self._whole.append(bytes(self._joined))
            self._joined = None
        return self._whole
