"""`modelward operator` as a process that is measured: CPU time and memory by /proc, latencies by its own /metrics."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modelward.metrics.exposition import Families, parse

_LISTENS = re.compile(r"operator started .*listen=(\S+)")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used: CPU seconds so far, resident bytes now, and when (seconds of the monotonic clock)."""

    cpu_s: float
    rss_bytes: int
    at_s: float


@dataclass(frozen=True, slots=True)
class MeasuredOperator:
    """One process and its log."""

    process: subprocess.Popen[bytes]
    log: Path

    def alive(self) -> None:
        """Raise AssertionError with the end of its log if it has ended."""
        assert self.process.poll() is None, self.tail()

    def usage(self) -> Usage:
        """Return what it has used so far."""
        return usage(self.process.pid)

    def metrics(self) -> Families:
        """Return its own metrics page."""
        return metrics(self.log)

    def tail(self, characters: int = 4_000) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-characters:]


def metrics(log: Path) -> Families:
    """Return the metrics page of the operator that writes a log; AssertionError while it serves none."""
    found = _LISTENS.search(log.read_text())
    assert found is not None, log.read_text()[-4_000:]
    with urllib.request.urlopen(f"http://{found[1]}/metrics", timeout=10) as answer:
        return parse(answer.read())


def usage(pid: int) -> Usage:
    """Return what a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text()
    resident = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert resident is not None
    return Usage((int(fields[11]) + int(fields[12])) / _TICKS, int(resident[1]) * 1024, time.monotonic())


@contextmanager
def operating(
    kubeconfig: Path, namespace: str, log: Path, settings: Mapping[str, str], *more: str
) -> Iterator[MeasuredOperator]:
    """Run one in a namespace with MODELWARD_* settings and `more` arguments; everything else is as it ships."""
    chosen = {f"MODELWARD_{key.upper()}": value for key, value in settings.items()}
    images = {f"MODELWARD_{name}_IMAGE": "modelward.invalid/it:0" for name in ("COLLECTOR", "EVALUATOR")}
    where = ("--kubeconfig", str(kubeconfig), "--namespace", namespace, "--listen", "127.0.0.1:0", *more)
    command = (sys.executable, "-c", "from modelward.cli.app import main; main()", "operator", *where)
    with log.open("ab") as file:
        process = subprocess.Popen(command, env={**os.environ, **images, **chosen}, stdout=file, stderr=file)
    try:
        yield MeasuredOperator(process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
