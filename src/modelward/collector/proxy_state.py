"""What all connections of the data plane share."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable

from modelward.api.collector_config import CollectorConfig
from modelward.collector import families
from modelward.collector.capture import CaptureGate
from modelward.collector.descriptors import exhausted
from modelward.collector.disconnect_probe import DisconnectProbe
from modelward.collector.ends import ClientEnd
from modelward.collector.expiry import Expiry
from modelward.collector.meter import ExchangeMeter
from modelward.collector.metrics_recorder import MetricsRecorder
from modelward.collector.origin import MarkedTraffic
from modelward.collector.reachability import Reachability
from modelward.collector.request_head import RequestHead
from modelward.collector.targets import Target, Targets
from modelward.collector.tcp_times import since_last_segment

HIGH_WATER_BYTES = 256 * 1024
HEAD_SECONDS = 30.0
IDLE_SECONDS = 650.0
"""Longer than the keep-alive of common load balancers, so that it is they who close first."""
CONNECT_SECONDS = 5.0
LINGER_SECONDS = 2.0

clock = time.perf_counter
_TOLD_EVERY_SECONDS = 60.0
log = logging.getLogger("modelward.collector.plane")


class ProxyState:
    """One event loop's connections, targets and counts.

    `now` is the clock of deadlines and retries; what is measured is measured by `clock`, which is finer.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, targets: Targets, recorder: MetricsRecorder, gate: CaptureGate
    ) -> None:
        self.loop = loop
        self.targets = targets
        self.recorder = recorder
        self.gate = gate
        self.budget = gate.budget
        self.caller_header = b""
        self.marked = MarkedTraffic(recorder, tuple)
        self.now: Callable[[], float] = time.monotonic
        self.segment_age: Callable[[asyncio.BaseTransport | None], float] = since_last_segment
        self.observing = True
        self.leaving = False
        self.connection_limit = sys.maxsize
        self.connections: set[ClientEnd] = set()
        self.heads: Expiry[ClientEnd] = Expiry(HEAD_SECONDS)
        self.idle: Expiry[ClientEnd] = Expiry(IDLE_SECONDS)
        self.departure = DisconnectProbe(loop, targets, self.close_idle)
        self._told_full_at = -_TOLD_EVERY_SECONDS
        self.reachability = Reachability(recorder, targets, clock)

    def configure(self, config: CollectorConfig) -> None:
        """Take new settings."""
        self.gate.configure(config)
        self.recorder.callers.configure(config.callers, config.prices)
        self.caller_header = self.recorder.callers.header

    def meter(self, head: RequestHead, now: float) -> ExchangeMeter | None:
        """Return the observer of a new exchange; None if observing fails or is switched off."""
        if not self.observing:
            return None
        try:
            marked = self.marked.counts(head.origin_mark) if head.origin_mark else None
            return ExchangeMeter(marked or self.recorder, self.gate, head, now)
        except Exception:  # noqa: BLE001 - whatever an observer does, the bytes pass
            self.recorder.count(families.OBSERVER_ERRORS)
            return None

    def observer_failed(self, meter: ExchangeMeter) -> None:
        """Count an exchange whose observation is given up."""
        self.recorder.count(families.OBSERVER_ERRORS)
        try:
            meter.abandon()
        except Exception:  # noqa: BLE001
            self.recorder.count(families.OBSERVER_ERRORS)

    def upstream_error(self, reason: str) -> None:
        """Count a failure of the model server."""
        self.recorder.count(families.UPSTREAM_ERRORS, reason)

    def connect_failed(self, target: Target, error: Exception) -> None:
        """Note that a server took no connection; one that we had no file descriptor for says nothing of it."""
        if exhausted(error):
            self.upstream_error("descriptors")
            return
        self.upstream_error("refused")
        self.reachability.failed()
        self.targets.refused(target, self.now())

    def admits(self) -> bool:
        """Return whether one more client can be served; what is refused is counted, and logged once a minute."""
        if len(self.connections) < self.connection_limit:
            return True
        self.recorder.count(families.REFUSED_CONNECTIONS)
        if clock() - self._told_full_at >= _TOLD_EVERY_SECONDS:
            self._told_full_at = clock()
            log.error("connections=refused open=%d cause=open_file_limit", len(self.connections))
        return False

    def expire(self) -> None:
        """Close connections that said nothing for too long; meant to run every second."""
        now = self.now()
        for connection in self.heads.expired(now):
            connection.head_timed_out()
        for connection in self.idle.expired(now):
            connection.close()

    def drain(self) -> None:
        """Close idle connections; others close after the answer that they wait for."""
        self.leave()
        self.close_idle()

    def leave(self) -> None:
        """Close each connection after its next answer, when a client is least likely to be sending on it."""
        self.leaving = True

    def close_idle(self) -> None:
        """Close the connections on which no answer is awaited."""
        for connection in tuple(self.connections):
            connection.close_if_idle()
