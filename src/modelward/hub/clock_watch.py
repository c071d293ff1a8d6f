"""Whether the clock by which things are too old goes as time does; what a jump of it deleted never comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from modelward.clock import boottime

APART_MS = 600_000
"""How much more or less than the time that passed the clock may show: drift, and what is set right in small steps."""


@dataclass(slots=True)
class ClockWatch:
    """Compares a clock (Unix milliseconds) with seconds that cannot be set."""

    clock_ms: Callable[[], int]
    seconds: Callable[[], float] = boottime
    _ahead_ms: float = field(init=False)
    _doubted: bool = False

    def __post_init__(self) -> None:
        self._ahead_ms = self._ahead()

    def begin(self, newest_ms: int) -> None:
        """Doubt the clock for now if it is far ahead of the newest that an earlier process has stored; 0 for nothing.

        That may be a jump that was not observed, or a quiet time: only a lasting difference is a jump.
        """
        self._doubted = newest_ms > 0 and self.clock_ms() - newest_ms > APART_MS

    def steady(self) -> bool:
        """Return whether the clock went as time did since the last call, or since the start.

        After a jump, or a start in doubt, it is False once: what is still so at the next call is the time.
        """
        before, self._ahead_ms = self._ahead_ms, self._ahead()
        doubted, self._doubted = self._doubted, False
        return not doubted and abs(self._ahead_ms - before) <= APART_MS

    def _ahead(self) -> float:
        return self.clock_ms() - self.seconds() * 1_000
