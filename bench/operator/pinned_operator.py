"""`modelward operator` as one process on one core: what it uses, and what its own metrics page says."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_LISTENS = re.compile(r"operator started .*listen=(\S+)")
_SERIES = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_RUN = """\
import os
os.sched_setaffinity(0, {core})
try:
    from modelward.cli.app import main
except ImportError:
    from modelward.cli import main
main()
"""


@dataclass(frozen=True, slots=True)
class Used:
    """CPU seconds so far, resident bytes now and at most so far, and when (seconds of the monotonic clock)."""

    cpu_s: float
    rss_bytes: int
    peak_bytes: int
    at_s: float


def used(pid: int) -> Used:
    """Return what a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text()
    sizes = {name: int(size) * 1024 for name, size in re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", status)}
    return Used((int(fields[11]) + int(fields[12])) / _TICKS, sizes["VmRSS"], sizes["VmHWM"], time.monotonic())


Histogram = Mapping[float, float]
"""Cumulative counts by upper bound."""


@dataclass(frozen=True, slots=True)
class Page:
    """A metrics page: the value of each series, by name and sorted labels."""

    series: Mapping[tuple[str, tuple[tuple[str, str], ...]], float]

    def total(self, name: str, **labels: str) -> float:
        """Return the sum over the series that carry these labels."""
        wanted = set(labels.items())
        return sum(value for (known, has), value in self.series.items() if known == name and wanted <= set(has))

    def histogram(self, name: str, **labels: str) -> dict[float, float]:
        """Return a histogram's cumulative counts, summed over the series that carry these labels."""
        found: defaultdict[float, float] = defaultdict(float)
        for (known, has), value in self.series.items():
            if known == f"{name}_bucket" and set(labels.items()) <= set(has):
                found[float(dict(has)["le"])] += value
        return dict(found)


def quantile(before: Histogram, after: Histogram, q: float) -> float | None:
    """Return a quantile of what was observed between two readings, linear inside its bucket; None of nothing."""
    counts = [(bound, after[bound] - before.get(bound, 0.0)) for bound in sorted(after)]
    if not counts or counts[-1][1] <= 0:
        return None
    rank, low, below = q * counts[-1][1], 0.0, 0.0
    for bound, count in counts:
        if count >= rank and count > below:
            return low if bound == float("inf") else low + (bound - low) * (rank - below) / (count - below)
        low, below = bound, count
    return low


@dataclass(slots=True)
class PinnedOperator:
    """Lives of the operator, one after the other, each on the same core and with the settings as they ship."""

    kubeconfig: Path
    namespace: str
    log: Path
    core: int
    source: Path
    process: subprocess.Popen[bytes] | None = None
    _begun: int = field(default=0)

    def start(self) -> None:
        """Begin a life."""
        where = ("--kubeconfig", str(self.kubeconfig), "--namespace", self.namespace, "--listen", "127.0.0.1:0")
        images = {f"MODELWARD_{name}_IMAGE": "modelward.invalid/it:0" for name in ("COLLECTOR", "EVALUATOR")}
        env = {**os.environ, **images, "PYTHONPATH": str(self.source)}
        command = (sys.executable, "-c", _RUN.format(core={self.core}), "operator", *where)
        self._begun = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(command, env=env, stdout=file, stderr=file)

    def kill(self) -> None:
        """End it as a crash does: nothing is given up."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as a roll-out does."""
        self._end(signal.SIGTERM)

    def alive(self) -> None:
        """Raise AssertionError with the end of its log if it has ended by itself."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text(errors="replace")[-4_000:]

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self.process is not None and self.process.poll() is not None

    @property
    def listens(self) -> bool:
        """Whether it has a metrics page."""
        return _LISTENS.search(self.log.read_text(errors="replace")[self._begun :]) is not None

    def used(self) -> Used:
        """Return what this life has used so far."""
        self.alive()
        assert self.process is not None
        return used(self.process.pid)

    def page(self) -> Page:
        """Return its own metrics page."""
        found = _LISTENS.search(self.log.read_text(errors="replace")[self._begun :])
        assert found is not None, "it does not listen yet"
        with urllib.request.urlopen(f"http://{found[1]}/metrics", timeout=60) as answer:
            rows = _SERIES.findall(answer.read().decode())
        return Page({(name, tuple(sorted(_LABEL.findall(labels)))): float(value) for name, labels, value in rows})

    def said(self, word: str) -> bool:
        """Return whether this life has logged a word."""
        return word in self.log.read_text(errors="replace")[self._begun :]

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
