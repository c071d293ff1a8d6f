"""PID 1 of the collector: owns the sockets, keeps the other processes running, and does not end because of them.

Standard library only, apart from the engine scrape, which runs in a thread whose failure costs its numbers alone.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
import socket
import time
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from modelward.api.address import host_and_port
from modelward.collector import families
from modelward.collector.admin import AdminServer
from modelward.collector.blind_pump import BlindPump
from modelward.collector.channel import new_channel
from modelward.collector.child_process import ChildProcess
from modelward.collector.descriptors import raise_limit
from modelward.collector.drain import Drain
from modelward.collector.engine import EngineScrape
from modelward.collector.options import Options, options_to_argument
from modelward.collector.rendering import render
from modelward.collector.shared_metrics import Key, SharedMetrics, new_board_fd
from modelward.collector.targets import first_url

_TICK_SECONDS = 0.2
_HUNG_AFTER_TICKS = 150
"""Supervisor ticks (30 s) without a heartbeat of the data plane. Ticks of our own are counted rather than time, so that
a node that starves us both is not mistaken for a hang."""
LEAVING_SECONDS = 30.0
"""After a drain the kubelet ends the pod within its grace period, 15 s longer than the drain may take."""
_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}

log = logging.getLogger("modelward.collector.supervisor")


class Supervisor:
    """Runs a collector until SIGTERM or SIGINT."""

    def __init__(self, options: Options, listener: socket.socket) -> None:
        self._listener = listener
        raise_limit()
        self._channel, self._worker_channel = new_channel()
        common = dataclasses.replace(
            options,
            supervisor_pid=os.getpid(),
            listen_fd=self._listener.fileno(),
            board_fd=new_board_fd("dataplane"),
            worker_board_fd=new_board_fd("worker"),
        )
        self._options = common
        self._boards = (SharedMetrics(common.board_fd), SharedMetrics(common.worker_board_fd))
        # A board has one writer; what several processes use is made here, before any of them starts.
        self._heartbeat = self._boards[0].cell(families.HEARTBEAT)
        self._in_flight = self._boards[0].cell(families.IN_FLIGHT, (options.revision,))
        self._started = self._boards[0].cell(families.STARTED, (options.revision,))
        self._leaving = self._boards[0].cell(families.LEAVING)
        self._engine_queue = self._boards[0].cell(families.ENGINE_QUEUE)
        self._boards[1].cell(families.TAKEN_BYTES)
        self._boards[1].cell(families.ORIGIN_KEYS, size=families.ORIGIN_KEY_WORDS)
        self._dataplane = ChildProcess("dataplane", "modelward.collector.dataplane")
        self._worker = ChildProcess("worker", "modelward.collector.worker")
        self._arguments = {
            "dataplane": options_to_argument(dataclasses.replace(common, handover_fd=self._channel.fileno())),
            "worker": options_to_argument(dataclasses.replace(common, handover_fd=self._worker_channel.fileno())),
        }
        self._pump = BlindPump(self._listener)
        self._engine = EngineScrape(options)
        self._admin = AdminServer(host_and_port(options.admin), self)
        self._last_beat, self._silent_ticks = -1.0, 0

    def run(self) -> int:
        """Serve, and return the exit code when asked to stop."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        self._admin.start()
        self._engine.start()
        log.info(
            "collector starts; listen=%s admin=%s version=%s", self._options.listen, self._options.admin, _version()
        )
        while True:
            self._keep_running()
            received = signal.sigtimedwait(_SIGNALS, _TICK_SECONDS)
            self._reap()
            self._engine_queue[0] = self._engine.waiting
            if received is not None and received.si_signo != signal.SIGCHLD:
                break
        return self._stop()

    # What the admin server asks.

    def metrics(self) -> str:
        """Return the text of `/metrics`."""
        series: list[tuple[Key, list[float]]] = [pair for board in self._boards for pair in board.read()]
        series.append(((families.INFO, (_version(),)), [1.0]))
        series.append(((families.BLIND, ()), [float(self._pump.accepting)]))
        series += [((families.RESTARTS, (c.name,)), [float(c.restarts)]) for c in (self._dataplane, self._worker)]
        if self._engine.name:
            series.append(((families.ENGINE_INFO, (self._engine.name,)), [1.0]))
        if self._engine.problem:
            series.append(((families.ENGINE_PROBLEM, (self._engine.problem,)), [1.0]))
        return render(series, self._engine.values, self._options.revision, self._options.endpoint)

    @property
    def ready(self) -> bool:
        """Whether new connections are served, by the data plane or blindly."""
        if self._pump.accepting:
            return self._pump.passing
        return self._dataplane.pid > 0 and self._last_beat > 0

    @property
    def drain_seconds(self) -> float:
        """How long a drain may take."""
        return self._options.drain_seconds

    def drain(self, seconds: float) -> bool:
        """Wait until the pod may go; False if that took too long.

        Clients that keep their connections would never be quiet, so each is closed after its next answer, until a pod
        that was really to leave would be gone: whoever reaches the port may ask, and must not end keep-alive for good.
        """
        began = time.monotonic()
        deadline = began + seconds
        self._leaving[0] = deadline + LEAVING_SECONDS
        drain = Drain(began, self._options.leave_seconds, self._options.quiet_seconds)
        while (now := time.monotonic()) < deadline:
            if drain.done(now, in_flight=self._in_flight[0], started=self._started[0], beats=self._heartbeat[0]):
                return True
            time.sleep(0.05)
        return self._in_flight[0] <= 0

    # Its own work.

    def _keep_running(self) -> None:
        for child in (self._dataplane, self._worker):
            child.start_if_due(self._arguments[child.name])
        self._watch_heartbeat()

    def _watch_heartbeat(self) -> None:
        beat = self._heartbeat[0]
        alive = beat != self._last_beat and self._dataplane.pid > 0
        self._last_beat = beat
        self._silent_ticks = 0 if alive else self._silent_ticks + 1
        if alive and self._pump.accepting and not self._dataplane.failing:
            log.info("data plane is back; bytes are parsed again")
            self._pump.stop()
        elif self._dataplane.failing and not self._pump.accepting:
            self._pump.start(
                first_url(self._options.upstreams, self._options.upstream_file, self._options.upstream_name)
            )
            does = "passing bytes without looking at them" if self._pump.passing else "answering 502"
            log.error("data plane keeps ending; %s", does)
        if self._silent_ticks >= _HUNG_AFTER_TICKS and self._dataplane.pid:
            log.error("data plane does not answer; killing it")
            self._silent_ticks = 0
            self._dataplane.signal(signal.SIGKILL)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in (self._dataplane, self._worker):
                if child.pid == pid:
                    child.ended(status)
            if not self._dataplane.pid:
                self._in_flight[0] = 0  # what it served ended with it

    def _stop(self) -> int:
        deadline = time.monotonic() + self._options.drain_seconds
        log.info("collector stops; in_flight=%d", int(self._in_flight[0]))
        while self._in_flight[0] > 0 and time.monotonic() < deadline and self._dataplane.pid:
            time.sleep(0.05)
            self._reap()
        self._end(self._dataplane, max(1.0, deadline - time.monotonic()))
        self._channel.close()
        self._end(self._worker, 5.0)
        self._admin.stop()
        self._listener.close()
        return 0

    def _end(self, child: ChildProcess, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        child.signal(signal.SIGTERM)
        while child.pid and time.monotonic() < deadline:
            time.sleep(0.02)
            self._reap()
        child.signal(signal.SIGKILL)


@cache
def _version() -> str:
    """Return the installed package's version, `unknown` when it runs from a bare source tree."""
    try:
        return version("modelward")
    except PackageNotFoundError:
        return "unknown"
