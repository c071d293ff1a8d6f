"""Progress with times, and the one way to say that something is missing."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

_STARTED = time.monotonic()


def say(message: str) -> None:
    """Print one progress line on standard error with the seconds since the start."""
    print(f"[{time.monotonic() - _STARTED:6.1f}s] {message}", file=sys.stderr, flush=True)


def fail(message: str) -> NoReturn:
    """End the program with one sentence that says what is wrong and what to do."""
    raise SystemExit(f"devcluster: {message}")


@contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a step that takes noticeable time, and how long it took."""
    say(f"{title} ...")
    started = time.monotonic()
    yield
    say(f"{title}: {time.monotonic() - started:.1f}s")


def run(
    *command: str | Path, stdin: str | None = None, env: dict[str, str] | None = None, cwd: Path | None = None
) -> str:
    """Run a command quietly and return its output; on failure end with the command and what it said."""
    done = subprocess.run(
        [str(part) for part in command], input=stdin, env=env, cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-3000:]
        fail(f"`{' '.join(str(part) for part in command)}` failed ({done.returncode}):\n{said}")
    return done.stdout


def succeeds(*command: str | Path) -> bool:
    """Whether a command exits with 0; its output is dropped. A program that is not installed does not succeed."""
    try:
        return subprocess.run([str(part) for part in command], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


PATIENCE_S = 240.0
"""Far more than a start takes, because a machine may have other work too."""


def wait_for(what: str, ready: Callable[[], object], seconds: float = PATIENCE_S, evidence: Path | None = None) -> None:
    """Poll `ready()` every 0.1 s until it is true; fail with the end of the log `evidence` after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready():
            return
        time.sleep(0.1)
    tail = f"; the end of {evidence}:\n{evidence.read_text()[-3000:]}" if evidence and evidence.exists() else ""
    fail(f"{what} did not come within {seconds:.0f} s{tail}")
