"""Whether any model server behind this collector accepts connections, reported to the operator in one gauge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from modelward.collector.metrics_recorder import MetricsRecorder
from modelward.collector.targets import Targets

LOST_AFTER_SECONDS = 30.0
"""A server that starts or is replaced refuses connections for a while; one that does so for longer is not there."""
_FIRST_PROBE_SECONDS = 10.0
_PROBE_SECONDS = 5.0
_PROBE_TIMEOUT_SECONDS = 2.0


class Reachability:
    """Follows the outcome of connections to all servers; one that succeeds anywhere counts as reached.

    Where nothing is known, because no request came, or where the last connection failed, it tries a connection itself
    every few seconds, so that a wrong port is found without traffic, and the end of the trouble too. A server that was
    reached is left alone. `clock` gives seconds that never go back.
    """

    def __init__(self, recorder: MetricsRecorder, targets: Targets, clock: Callable[[], float]) -> None:
        self._recorder, self._targets, self._clock = recorder, targets, clock
        self._failing_since: float | None = None
        self._reached = False
        self._next_probe = clock() + _FIRST_PROBE_SECONDS
        self._probe: asyncio.Task[None] | None = None

    def reached(self) -> None:
        """Note that a connection was made."""
        if not self._reached:
            self._reached, self._failing_since = True, None
            self._recorder.upstream_up(True)

    def failed(self) -> None:
        """Note that a connection was refused or timed out."""
        now = self._clock()
        self._reached = False
        if self._failing_since is None:
            self._failing_since = now
        elif now - self._failing_since >= LOST_AFTER_SECONDS:
            self._recorder.upstream_up(False)

    def tick(self, loop: asyncio.AbstractEventLoop) -> None:
        """Try a connection where one is due; meant to run every second."""
        if self._reached or self._probe is not None or self._clock() < self._next_probe:
            return
        self._next_probe = self._clock() + _PROBE_SECONDS
        self._probe = loop.create_task(self._try(loop))

    async def _try(self, loop: asyncio.AbstractEventLoop) -> None:
        target = self._targets.choose(self._clock())
        try:
            if target is None:
                return
            async with asyncio.timeout(_PROBE_TIMEOUT_SECONDS):
                transport, _ = await loop.create_connection(asyncio.Protocol, target.host, target.port)
            transport.close()
            self.reached()
        except (OSError, UnicodeError):  # TimeoutError is an OSError
            self.failed()
        finally:
            self._probe = None
