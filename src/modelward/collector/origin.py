"""Which requests are no user's, and where they are counted: by their signed mark, in series of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from modelward.api.exchange import Usage
from modelward.api.origin import KEY_BYTES, Origin, origin_of
from modelward.collector import families
from modelward.collector.families import FAMILIES
from modelward.collector.metrics_recorder import MetricsRecorder, ModelCells
from modelward.collector.shared_metrics import Cell, SharedMetrics

KEYS = families.ORIGIN_KEY_WORDS * 8 // KEY_BYTES
"""Keys that are known at once: while one takes the other's place, marks of both hold."""
_NO_KEY = bytes(KEY_BYTES)


def write_keys(cell: Cell, keys: Sequence[bytes]) -> None:
    """Hand keys to the data plane; one that is read half-written verifies nothing, and is whole the next time."""
    cell.cast("B")[:] = memoryview(b"".join(keys[:KEYS]).ljust(KEYS * KEY_BYTES, b"\0"))


def read_keys(cell: Cell) -> tuple[bytes, ...]:
    """Return the keys that were handed over."""
    held = cell.cast("B").tobytes()
    keys = (held[start : start + KEY_BYTES] for start in range(0, len(held), KEY_BYTES))
    return tuple(key for key in keys if key != _NO_KEY)


class MarkedCells(ModelCells):
    """The cells of marked exchanges: their tokens; how fast they were says nothing of what users get."""

    def __init__(self, board: SharedMetrics, origin: Origin, revision: str) -> None:
        def tokens(kind: str) -> Cell:
            labels = (origin, revision, kind)
            return board.cell(families.MARKED_TOKENS, labels, FAMILIES[families.MARKED_TOKENS].size)

        self.model = ""
        self.ttft, self.inter_chunk, self.tpot, self.chunks = (
            memoryview(bytearray(FAMILIES[name].size * 8)).cast("d")
            for name in (families.TTFT, families.INTER_CHUNK, families.TPOT, families.CHUNKS)
        )
        self.input_tokens, self.output_tokens = tokens("input"), tokens("output")


class MarkedCounts:
    """Counts the exchanges of one origin, for a meter in place of the recorder of users' exchanges."""

    captures = False

    def __init__(self, users: MetricsRecorder, origin: Origin) -> None:
        self._users, self._origin = users, origin
        self._board, self._revision = users.board, users.revision
        self._cells = MarkedCells(users.board, origin, users.revision)
        self.in_flight = users.board.cell(families.MARKED_IN_FLIGHT, (origin, users.revision))
        self.in_flight[0] = 0.0
        self.started: Cell = memoryview(bytearray(8)).cast("d")

    @property
    def engine_queues(self) -> bool:
        """Whether the engine reported waiting requests when its page was read last."""
        return self._users.engine_queues

    def model(self, name: str, status: int) -> ModelCells:
        """Return the cells of this origin, whichever model was named."""
        del name, status
        return self._cells

    def finished(self, model: str, operation: str, status: int, outcome: str, seconds: float) -> None:
        """Count one finished exchange."""
        del model, operation, seconds
        labels = (self._origin, self._revision, self._users.code(status), outcome)
        self._board.cell(families.MARKED_REQUESTS, labels)[0] += 1

    def asked_by(self, value: bytes, status: int, model: str, usage: Usage) -> str:
        """Return no name: it was no caller."""
        del value, status, model, usage
        return ""

    def count(self, name: str, *labels: str) -> None:
        """Add one to a plain counter of all traffic."""
        self._users.count(name, *labels)


class MarkedTraffic:
    """Tells marked requests from users'. `keys` are those that marks may be signed with at this moment."""

    def __init__(
        self, users: MetricsRecorder, keys: Callable[[], Sequence[bytes]], now: Callable[[], float] = time.time
    ) -> None:
        self._users, self._keys, self._now = users, keys, now
        self._counts: dict[Origin, MarkedCounts] = {}

    def counts(self, mark: bytes) -> MarkedCounts | None:
        """Return where a request with this mark is counted; None where it is a user's, whatever its header says."""
        origin = origin_of(mark.decode("latin-1"), self._keys(), self._now())
        if origin is None:
            return None
        if origin not in self._counts:
            self._counts[origin] = MarkedCounts(self._users, origin)
        return self._counts[origin]
