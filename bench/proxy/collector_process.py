"""A collector of any checkout as a process of its own, and what it costs."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Collector:
    """A running collector: its port, and the process that moves the bytes."""

    port: int
    data_plane: int

    def cpu_ms(self) -> float:
        """Return the CPU time that the data plane has used, in milliseconds."""
        threads = Path(f"/proc/{self.data_plane}/task").glob("*/schedstat")
        return sum(int(path.read_text().split()[0]) for path in threads) / 1e6

    def memory_mb(self) -> float:
        """Return the data plane's proportional share of memory, in megabytes."""
        lines = Path(f"/proc/{self.data_plane}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def free_port() -> int:
    """Return a port without a listener."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as sock:
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def collector(tree: Path, upstream: int, cores: set[int] | None = None) -> Iterator[Collector]:
    """Run the collector of a checkout in front of a port, on these cores alone where some are given."""
    port, admin = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "modelward.collector", "--listen", f"127.0.0.1:{port}", "--admin",
                   f"127.0.0.1:{admin}", "--upstream", f"http://127.0.0.1:{upstream}", "--spool", f"{folder}/spool",
                   "--config", f"{folder}/none.json", "--drain-seconds", "1"]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": str(tree / "src")}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if cores:
                os.sched_setaffinity(process.pid, cores)  # what it starts later stays there too
            _await_ready(admin)
            yield Collector(port, _data_plane_of(process.pid))
        finally:
            process.terminate()
            process.wait(20)


@contextlib.contextmanager
def model_server() -> Iterator[int]:
    """Run the model server of these measurements and return its port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, str(HERE / "model_server.py"), str(port)])
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _await_ready(admin: int) -> None:
    for _ in range(400):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{admin}/readyz", timeout=2):
            return
        time.sleep(0.05)
    raise TimeoutError("the collector does not become ready")


def _data_plane_of(parent: int) -> int:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return next(int(pid) for pid in children if b"collector.dataplane" in Path(f"/proc/{pid}/cmdline").read_bytes())
