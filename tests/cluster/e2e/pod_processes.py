"""Processes of pods as this machine sees them: the devcluster's pods run on it, so that a signal is a real fault."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path


def processes(pods: Collection[str], word: str) -> list[int]:
    """Return the ids of Modelward's processes in these pods that have a word, such as `hub`, in their command."""
    pids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return [pid for pid in pids if _pod_of(pid, word.encode()) in pods]


def _pod_of(pid: int, word: bytes) -> str:
    try:
        if word not in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
            return ""
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    return next((one[14:].decode() for one in environment if one.startswith(b"MODELWARD_POD=")), "")


@contextmanager
def stopped(pods: Collection[str], word: str) -> Iterator[list[int]]:
    """Keep such processes stopped, also those that take the place of one that was killed for not answering."""
    found: list[int] = []
    thaw = threading.Event()

    def freeze() -> None:
        for pid in processes(pods, word):
            if pid not in found:
                os.kill(pid, signal.SIGSTOP)
                found.append(pid)

    def keep_frozen() -> None:
        while not thaw.wait(1):
            freeze()

    freeze()
    keeper = threading.Thread(target=keep_frozen, daemon=True)
    keeper.start()
    try:
        yield found
    finally:
        thaw.set()
        keeper.join(10)
        for pid in set(found) & set(processes(pods, word)):
            os.kill(pid, signal.SIGCONT)
