"""A process that is started again whenever it ends; standard library only, because PID 1 depends on it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections import deque

log = logging.getLogger("modelward.collector.supervisor")

_ALLOCATOR = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": str(64 * 1024)}
"""Large blocks (bodies) go back to the system when they are freed, instead of leaving holes in a heap that stays."""
_LONGEST_DELAY = 10.0
_FORGET_AFTER_SECONDS = 30.0
_FAILING_DEATHS = 3


class ChildProcess:
    """One child process by module name: the first restart is immediate, further ones wait twice as long each time."""

    def __init__(self, name: str, module: str) -> None:
        self.name = name
        self.pid = 0
        self.restarts = 0
        self._module = module
        self._deaths: deque[float] = deque(maxlen=16)
        self._start_at = 0.0

    @property
    def failing(self) -> bool:
        """Whether it died so often lately that one should not count on it."""
        return self._recent_deaths() >= _FAILING_DEATHS

    def start_if_due(self, argument: str) -> bool:
        """Start it if it does not run and its delay has passed."""
        if self.pid or time.monotonic() < self._start_at:
            return False
        command = [sys.executable, "-m", self._module, argument]
        environment = {**os.environ, **_ALLOCATOR}
        try:
            self.pid = os.posix_spawn(sys.executable, command, environment, setpgroup=0, setsigmask=[])
        except OSError as error:
            log.error("cannot start; process=%s error=%r", self.name, str(error))
            self.ended(0)
            return False
        return True

    def ended(self, status: int) -> None:
        """Note that it ended, and when it may start again."""
        now = time.monotonic()
        self.pid = 0
        self._deaths.append(now)
        self.restarts += 1
        recent = self._recent_deaths()
        self._start_at = now + (0.0 if recent <= 1 else min(_LONGEST_DELAY, 0.1 * 2 ** (recent - 1)))
        log.warning("process ended; process=%s status=%d deaths_lately=%d", self.name, status, recent)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal if it runs."""
        if self.pid:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def _recent_deaths(self) -> int:
        now = time.monotonic()
        return sum(now - death < _FORGET_AFTER_SECONDS for death in self._deaths)
