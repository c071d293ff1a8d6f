"""Batches on their way to the hub: an hour of them, of bounded bytes, waits while it is away."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from modelward.api.history import MINUTE_MS, BatchKey
from modelward.hub_client.client import HubClient, HubUnavailableError

log = logging.getLogger(__name__)
WAIT_MS = 60 * MINUTE_MS
MAX_BYTES = 16 << 20
_NOT_FOUND, _REFUSED = 404, (400, 413, 415)


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """A batch as it is sent: JSON lines, compressed; `rows` of them."""

    key: BatchKey
    body: bytes
    rows: int


@dataclass(slots=True)
class Outbox:
    """What waits, oldest first; `dropped(reason, rows)` is told what is never sent.

    A batch is sent again until the hub has answered; that it counts once is the hub's to see.
    """

    dropped: Callable[[str, int], None] = lambda _reason, _rows: None
    _waiting: deque[PackedBatch] = field(default_factory=deque)
    _bytes: int = 0
    _problem: str = ""

    @property
    def bytes(self) -> int:
        """How much waits."""
        return self._bytes

    @property
    def batches(self) -> tuple[PackedBatch, ...]:
        """What waits, oldest first."""
        return tuple(self._waiting)

    def __len__(self) -> int:
        """Return how many batches wait."""
        return len(self._waiting)

    def add(self, batch: PackedBatch) -> None:
        """Let a batch wait; the oldest make way beyond an hour, or beyond what may be held."""
        self._waiting.append(batch)
        self._bytes += len(batch.body)
        while self._waiting and (
            self._bytes > MAX_BYTES or self._waiting[0].key.minute_ms < batch.key.minute_ms - WAIT_MS
        ):
            self._drop("late" if self._bytes <= MAX_BYTES else "full")

    async def send(self, hub: HubClient | None) -> bool:
        """Send what waits, oldest first; return whether all has gone. Never raises."""
        while self._waiting and hub is not None:
            batch = self._waiting[0]
            try:
                rejected = await hub.put_history(batch.key, batch.body)
            except HubUnavailableError as error:
                if not self._gone(error):
                    return False
                continue
            self._problem = ""
            if self._waiting and self._waiting[0] is batch:
                self._take()
            if rejected:
                self.dropped("rejected", rejected)
        return not self._waiting

    def _gone(self, error: HubUnavailableError) -> bool:
        """Drop what the hub will never take; return whether that was the cause."""
        self._say(str(error)[:200])
        if error.status == _NOT_FOUND:  # an older hub, or one whose history is off
            while self._waiting:
                self._drop("off")
            return True
        if error.status in _REFUSED:
            self._drop("refused")
            return True
        return False

    def _say(self, problem: str) -> None:
        if problem != self._problem:
            log.warning("history=not_sent waiting=%d error=%r", len(self._waiting), problem)
        self._problem = problem

    def _drop(self, reason: str) -> None:
        self.dropped(reason, self._take().rows)

    def _take(self) -> PackedBatch:
        batch = self._waiting.popleft()
        self._bytes -= len(batch.body)
        return batch
