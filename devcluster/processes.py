"""Background processes of ours: started with a pid file, and stopped only while they are still the same process."""

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

from settings import LOGS, RUN


def start(name: str, *command: str | Path, cwd: Path | None = None) -> None:
    """Start a command in a session of its own, logging to LOGS/NAME.log; nothing happens if it runs already."""
    if running(name):
        return
    LOGS.mkdir(parents=True, exist_ok=True)
    RUN.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    if log.exists():
        log.replace(LOGS / f"{name}.log.1")
    with log.open("wb") as output:
        child = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    (RUN / f"{name}.json").write_text(json.dumps({"pid": child.pid, "started": started_at(child.pid)}))


def running(name: str) -> int | None:
    """The process id of a component that we started and that is still the same process."""
    with contextlib.suppress(OSError, ValueError):
        noted = json.loads((RUN / f"{name}.json").read_text())
        if started_at(noted["pid"]) == noted["started"] != 0:
            return int(noted["pid"])
    return None


def started_at(pid: int) -> int:
    """When a process started, in clock ticks since boot; 0 when there is none (or only its corpse)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def stop(name: str, *, first: signal.Signals = signal.SIGTERM, patience_seconds: float = 2) -> None:
    """End one component: ask, wait, kill; then forget it."""
    pid = running(name)
    if pid:
        _end(pid, first, patience_seconds)
    (RUN / f"{name}.json").unlink(missing_ok=True)


def _end(pid: int, first: signal.Signals, patience_seconds: float) -> None:
    born = started_at(pid)
    for chosen, seconds in ((first, patience_seconds), (signal.SIGKILL, 10)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, chosen)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            if started_at(pid) != born:
                return
            time.sleep(0.05)


def children(pid: int) -> list[int]:
    """The direct children of a process."""
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
