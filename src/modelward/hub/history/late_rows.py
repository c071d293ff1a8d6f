"""Rows that come when their time is sealed already: many of them are not left to wait for the next round of sealing.

Each question reads unsealed rows one by one, which costs twenty times what sealed ones do. A hub that was long away,
or a day of history that comes at once, would else make pages slow until the next round.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from modelward.api.history import HistoryBatch
from modelward.hub.history.tiers import CHUNK_ROWS, sealed_before_ms


@dataclass(slots=True)
class LateRows:
    """Counts them by endpoint, which is due with as many as a chunk holds: chunks are not made anew for few."""

    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, batch: HistoryBatch, now_ms: int) -> None:
        """Count the late rows of a batch."""
        cut_ms = sealed_before_ms(now_ms)
        self._counts.update((row.namespace, row.endpoint) for row in batch.rows if row.minute_ms < cut_ms)

    def taken(self, most: int) -> list[tuple[str, str]]:
        """Return the endpoints with most of them that are due, at most so many, and begin to count theirs anew."""
        due = [one for one, count in self._counts.most_common(most) if count >= CHUNK_ROWS]
        self.forget(due)
        return due

    def forget(self, endpoints: list[tuple[str, str]]) -> None:
        """Count those of some endpoints anew."""
        for one in endpoints:
            self._counts.pop(one, None)
