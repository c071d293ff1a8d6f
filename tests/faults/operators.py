"""Operator processes, each behind a fault proxy of its own, so that it is known who sent what and who leads.

with operating(control_plane.kubeconfig, tmp_path, [user.namespace]) as start:
    first = start("first")
    await first.leads()
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import proxy as proxies
from calls import Match, Recorded, of, writing
from proxy import Proxy
from waiting import PROCESS_PATIENCE_S

_COMMAND = (sys.executable, "-c", "from modelward.cli.app import main; main()", "operator")
_SETTINGS = {
    "MODELWARD_COLLECTOR_IMAGE": "modelward.invalid/collector:0",
    "MODELWARD_EVALUATOR_IMAGE": "modelward.invalid/modelward:0",
    "MODELWARD_STATUS_INTERVAL": "3600s",  # so that what is written is what has changed
    "MODELWARD_SCRAPE_INTERVAL": "5s",
    "MODELWARD_SWEEP_INTERVAL": "10s",
}
_LOOK_S = 0.05


@dataclass(slots=True)
class Operator:
    """One process, its proxy and its log."""

    name: str
    proxy: Proxy
    log: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    def signal(self, number: signal.Signals) -> float:
        """Send a signal to the process; return when, in seconds of the proxy's clock."""
        at_s = time.monotonic()
        self.process.send_signal(number)
        return at_s

    @property
    def alive(self) -> bool:
        """Whether the process runs, or could run on."""
        return self.process.poll() is None

    async def ended(self, within_s: float = PROCESS_PATIENCE_S) -> int:
        """Wait for the process to end by itself; its exit code. AssertionError with its log where it does not."""
        await self._until(lambda: not self.alive, within_s, "ends")
        return int(self.process.returncode)

    async def stop(self, within_s: float = PROCESS_PATIENCE_S) -> int:
        """Send SIGTERM and wait; its exit code."""
        self.signal(signal.SIGTERM)
        return await self.ended(within_s)

    @property
    def renewals(self) -> list[Recorded]:
        """The claims and renewals of the Lease that the API server took from this process, in order."""
        return [one for one in self.proxy.recorded if one.committed in (200, 201) and _claims(one)]

    async def leads(self, within_s: float = PROCESS_PATIENCE_S) -> float:
        """Wait until it holds the Lease; since when, in seconds of the proxy's clock."""
        await self._until(lambda: bool(self.renewals), within_s, "leads")
        return self.renewals[0].call.at_s

    async def ready(self, within_s: float = PROCESS_PATIENCE_S) -> None:
        """Wait until it has asked for the Lease, which it does when its store is full."""
        asks = of("leases")
        await self._until(lambda: any(asks(one.call) for one in self.proxy.recorded), within_s, "is ready")

    def writes(self, match: Match = writing) -> list[Recorded]:
        """The changes that it asked for, whatever became of them."""
        return [one for one in self.proxy.recorded if writing(one.call) and match(one.call)]

    def tail(self, characters: int = 4_000) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-characters:]

    async def _until(self, so: Callable[[], bool], within_s: float, what: str) -> None:
        ends = time.monotonic() + within_s
        while not so():
            if time.monotonic() > ends:
                raise AssertionError(f"{self.name}: not within {within_s:g} s that it {what}; its log:\n{self.tail()}")
            await asyncio.sleep(_LOOK_S)


class Start(Protocol):
    """Starts a process by name; further settings are those of the environment, such as `collector_image`."""

    def __call__(self, name: str, **settings: str) -> Operator:
        """Start it behind a proxy of its own."""


@contextmanager
def operating(kubeconfig: Path, folder: Path, namespaces: Sequence[str]) -> Iterator[Start]:
    """Let operators of some namespaces be started, which contend for a Lease in the first; at the end none runs."""
    with ExitStack() as stack:

        def start(name: str, **settings: str) -> Operator:
            passing = stack.enter_context(proxies.running(kubeconfig))
            log = folder / f"{name}.log"
            chosen = {f"MODELWARD_{key.upper()}": value for key, value in settings.items()}
            env = {**os.environ, **_SETTINGS, "MODELWARD_WATCH_NAMESPACES": ",".join(namespaces), **chosen}
            where = ("--kubeconfig", str(passing.kubeconfig), "--namespace", namespaces[0], "--listen", "127.0.0.1:0")
            with log.open("ab") as file:
                process = subprocess.Popen((*_COMMAND, *where), env=env, stdout=file, stderr=file)
            stack.callback(_end, process)
            return Operator(name, passing, log, process)

        yield start


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()  # also where it is stopped; one that has ended takes no signal
    process.wait()


def _claims(one: Recorded) -> bool:
    if one.call.plural != "leases" or not one.call.writes:
        return False
    return bool(json.loads(one.call.body)["spec"].get("holderIdentity"))
