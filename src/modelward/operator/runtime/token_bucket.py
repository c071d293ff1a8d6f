"""How many retries there may be in all, so that an API server that comes back is not met by everyone at once. Pure."""

from __future__ import annotations

RETRIES_PER_S = 10.0
BURST = 100
"""As client-go's default for controllers (util/workqueue/default_rate_limiters.go)."""


class Allowance:
    """A bucket of tokens, one for each retry; times are seconds of one clock."""

    def __init__(self, per_s: float = RETRIES_PER_S, burst: int = BURST) -> None:
        self._apart_s = 1 / per_s
        self._burst_s = burst / per_s
        self._spent_until = float("-inf")

    def wait(self, now: float) -> float:
        """Take the next token; return in how many seconds it is there, 0 while some are left."""
        self._spent_until = max(self._spent_until, now - self._burst_s) + self._apart_s
        return max(0.0, self._spent_until - now)
