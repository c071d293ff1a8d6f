"""How long a run waits for others: one address that hangs must not cost the run its other results."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from modelward.desired.pod_additions import Egress
from modelward.evaluate.port import PortError

FAILURES = 2
"""Requests in a row, each tried as often as it may be, after which an address counts as gone."""
SECONDS = 450.0
"""Of waiting for all addresses together: half of what a run may take (`desired.evaluator_job.DEADLINE_SECONDS`)."""


@dataclass(slots=True)
class RunPatience:
    """What the addresses of one run have cost it; share one among the ports of a run."""

    failures: int = FAILURES
    seconds: float = SECONDS
    clock_s: Callable[[], float] = time.monotonic
    _failed: Counter[Egress] = field(default_factory=Counter)
    _at_once: Counter[Egress] = field(default_factory=Counter)
    _since_s: dict[Egress, float] = field(default_factory=dict)
    _spent_s: defaultdict[Egress, float] = field(default_factory=lambda: defaultdict(float))

    def require(self, asked: Egress) -> None:
        """Refuse an address that has used it up. Raises PortError."""
        if self._failed[asked] >= self.failures:
            raise PortError(f"{asked.host} did not answer before, and is not asked again", unsent=True)
        if sum(self._spent_s.values()) >= self.seconds and self._spent_s[asked] * 2 >= self.seconds:
            told = f"{asked.host} took {self._spent_s[asked]:.0f} s of this run, and is not asked again"
            raise PortError(told, "out-of-time", unsent=True)

    @contextmanager
    def spent(self, asked: Egress) -> Iterator[None]:
        """Count the time of a request; that of several at once counts once."""
        if not self._at_once[asked]:
            self._since_s[asked] = self.clock_s()
        self._at_once[asked] += 1
        try:
            yield
        finally:
            self._at_once[asked] -= 1
            if not self._at_once[asked]:
                self._spent_s[asked] += self.clock_s() - self._since_s[asked]

    def failed(self, asked: Egress) -> None:
        """Count a request without an answer."""
        self._failed[asked] += 1

    def answered(self, asked: Egress) -> None:
        """Count a request that was answered, however."""
        self._failed[asked] = 0
