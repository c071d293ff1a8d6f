"""When a message that failed is sent again: after 1 s, doubled up to 5 min, or later where the receiver asks for it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

LONGEST_S = 300.0


@dataclass(slots=True)
class Pace:
    """Failures by what is sent, in memory: a new leader tries at once. Seconds of a clock that never goes back."""

    monotonic: Callable[[], float]
    _failed: dict[Hashable, tuple[int, float]] = field(default_factory=dict)

    def wait_s(self, what: Hashable) -> float:
        """Return how long it must still wait; 0 where it may go."""
        return max(0.0, self._failed.get(what, (0, 0.0))[1] - self.monotonic())

    def failed(self, what: Hashable, retry_after_s: int | None, *, permanent: bool) -> None:
        """Note a failure; one that a person has to mend is tried at the slowest pace."""
        count = self._failed.get(what, (0, 0.0))[0] + 1
        pause = LONGEST_S if permanent else min(LONGEST_S, 2.0 ** min(count - 1, 20))
        self._failed[what] = (count, self.monotonic() + max(pause, float(retry_after_s or 0)))

    def told(self, what: Hashable) -> None:
        """Forget its failures."""
        self._failed.pop(what, None)
