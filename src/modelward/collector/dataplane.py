"""The data plane process: one event loop between clients and model servers, and a tick that keeps it informed."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import sys
import time

import uvloop

from modelward.collector import families
from modelward.collector.capture import CaptureGate
from modelward.collector.configuration import WatchedConfig, settings_by_hand
from modelward.collector.descriptors import connection_limit
from modelward.collector.downstream import Downstream
from modelward.collector.memory_budget import MemoryBudget, budget_bytes
from modelward.collector.memory_pressure import CAPTURE_OFF_ABOVE, OBSERVING_OFF_ABOVE, limit_bytes, used_share
from modelward.collector.metrics_recorder import MetricsRecorder
from modelward.collector.options import Options, options_from_argument
from modelward.collector.origin import MarkedTraffic, read_keys
from modelward.collector.proxy_state import ProxyState
from modelward.collector.shared_metrics import SharedMetrics
from modelward.collector.targets import LOOK_UP_S, Targets

TICK_SECONDS = 1.0
BACKLOG = 4096
_MAX_OBSERVER_ERRORS_PER_TICK = 100

log = logging.getLogger("modelward.collector.dataplane")


class DataPlane:
    """Runs the plane until it is stopped."""

    def __init__(self, options: Options, loop: asyncio.AbstractEventLoop) -> None:
        self._options = options
        self._board = SharedMetrics(options.board_fd)
        self._leaving = self._board.cell(families.LEAVING)
        worker_board = SharedMetrics(options.worker_board_fd)
        recorder = MetricsRecorder(self._board, options.revision)
        channel = socket.socket(fileno=options.handover_fd) if options.handover_fd >= 0 else None
        gate = CaptureGate(
            recorder,
            channel,
            self._board.cell(families.HANDED_BYTES),
            worker_board.cell(families.TAKEN_BYTES),
            to_file=bool(options.capture_output),
            budget=MemoryBudget(budget_bytes(limit_bytes())),
        )
        targets = Targets(options.upstreams, options.upstream_file, options.upstream_name)
        targets.reload()
        self._proxy = ProxyState(loop, targets, recorder, gate)
        origin_keys = worker_board.cell(families.ORIGIN_KEYS, size=families.ORIGIN_KEY_WORDS)
        self._proxy.marked = MarkedTraffic(recorder, lambda: read_keys(origin_keys))
        open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._proxy.connection_limit = connection_limit(open_files)
        self._config = WatchedConfig(options.config_file)
        self._generation = ""
        self._seen_observer_errors = recorder.observer_errors[0]
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Serve until SIGTERM, then finish what is in flight."""
        loop = self._proxy.loop
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        loop.add_signal_handler(signal.SIGINT, lambda: None)
        self._tick(force=True)
        await self._proxy.targets.resolve(loop)
        following = loop.create_task(self._follow_names())
        listener = socket.socket(fileno=self._options.listen_fd)
        server = await loop.create_server(lambda: Downstream(self._proxy), sock=listener, backlog=BACKLOG)
        gc.collect()
        gc.freeze()
        log.info("data plane serves; targets=%d generation=%s", len(self._proxy.targets), self._generation)
        while not self._stop.is_set():
            self._tick()
            try:
                await asyncio.wait_for(self._stop.wait(), TICK_SECONDS)
            except TimeoutError:
                continue
        following.cancel()
        server.close()
        await self._drain()

    async def _follow_names(self) -> None:
        """Look the model servers' name up again and again; the look-up has a thread of its own."""
        while True:
            await asyncio.sleep(LOOK_UP_S)
            await self._proxy.targets.resolve(self._proxy.loop)

    async def _drain(self) -> None:
        self._proxy.drain()
        deadline = self._proxy.loop.time() + self._options.drain_seconds
        while self._proxy.connections and self._proxy.loop.time() < deadline:  # noqa: ASYNC110 - many connections, no event
            await asyncio.sleep(0.05)
        log.info("data plane stops; connections=%d", len(self._proxy.connections))

    def _tick(self, *, force: bool = False) -> None:
        self._board.cell(families.HEARTBEAT)[0] += 1
        self._proxy.targets.reload()
        self._proxy.expire()
        self._proxy.recorder.tick()
        self._proxy.reachability.tick(self._proxy.loop)
        self._reload(force=force)
        self._watch_observers()
        self._proxy.leaving = self._leaving[0] > time.monotonic()
        if os.getppid() != self._options.supervisor_pid:  # the supervisor is gone, so nothing would restart or stop us
            self._stop.set()

    def _reload(self, *, force: bool) -> None:
        changed = self._config.poll()
        self._board.cell(families.CONFIG_ERRORS)[0] = self._config.errors + self._proxy.targets.errors
        if not changed and not force:
            return
        config = settings_by_hand(self._config.current, to_file=bool(self._options.capture_output))
        self._proxy.configure(config)
        for (name, labels), _ in self._board.read():
            if name == families.CONFIG_INFO:
                self._board.cell(name, labels)[0] = 0
        self._generation = config.generation
        if config.generation:
            self._board.cell(families.CONFIG_INFO, (config.generation,))[0] = 1
        log.info("configuration in force; generation=%s content=%s", config.generation, config.capture.content)

    def _watch_observers(self) -> None:
        used = used_share()
        errors = self._proxy.recorder.observer_errors[0]
        failing = errors - self._seen_observer_errors > _MAX_OBSERVER_ERRORS_PER_TICK
        self._seen_observer_errors = errors
        self._proxy.gate.enough_memory = used < CAPTURE_OFF_ABOVE
        self._proxy.budget.scarce = used >= CAPTURE_OFF_ABOVE
        self._proxy.observing = used < OBSERVING_OFF_ABOVE and not failing


def main(argument: str) -> None:
    """Run the data plane with the options that the supervisor passed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    options = options_from_argument(argument)

    async def run() -> None:
        await DataPlane(options, asyncio.get_running_loop()).run()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


if __name__ == "__main__":
    main(sys.argv[1])
