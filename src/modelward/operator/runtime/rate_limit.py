"""Rate limits of the work queue: a least interval for each key, and a token bucket for all retries. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from modelward.operator.runtime.work_queue import Lane, WorkKey

PAUSE_S: Mapping[Lane, float] = {Lane.SPEC: 0.2, Lane.STATUS: 1.0}
"""Between two beginnings of work on one key in one lane; the first change after a pause is never kept waiting."""
RETRIES_PER_S = 10.0
BURST = 100
"""As client-go's default for controllers (util/workqueue/default_rate_limiters.go)."""
_MANY = 1_000


class MinInterval:
    """The least time between two beginnings of work on one key, so that a busy key leaves others their turn.

    Times are seconds of one clock. A key is remembered for as long as its interval lasts.
    """

    def __init__(self, pause_s: Mapping[Lane, float] = PAUSE_S) -> None:
        self._pause_s = pause_s
        self._begun: dict[tuple[WorkKey, Lane], float] = {}

    def begin(self, key: WorkKey, lane: Lane, now: float) -> None:
        """Note that work on a key begins."""
        if len(self._begun) >= _MANY:
            longest = max(self._pause_s.values())
            self._begun = {asked: begun for asked, begun in self._begun.items() if begun > now - longest}
        self._begun[key, lane] = now

    def __len__(self) -> int:
        """Return how many keys are remembered."""
        return len(self._begun)

    def until(self, key: WorkKey, lane: Lane) -> float:
        """Return before when a key that is requested again is not to be worked on; minus infinity for a new one."""
        return self._begun.get((key, lane), float("-inf")) + self._pause_s[lane]


class TokenBucket:
    """One token for each retry, so that an API server that returns does not meet every retry at once.

    Times are seconds of one clock.
    """

    def __init__(self, per_s: float = RETRIES_PER_S, burst: int = BURST) -> None:
        self._apart_s = 1 / per_s
        self._burst_s = burst / per_s
        self._spent_until = float("-inf")

    def wait(self, now: float) -> float:
        """Take the next token; return in how many seconds it is there, 0 while some are left."""
        self._spent_until = max(self._spent_until, now - self._burst_s) + self._apart_s
        return max(0.0, self._spent_until - now)
