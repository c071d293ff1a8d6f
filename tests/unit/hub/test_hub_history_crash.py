"""A hub that is killed while it seals loses no minute and counts none twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from history_rows import NOW_MS, Clock, kept

ENDPOINTS, MINUTES = 30, 340
ROUNDS = 12 if os.environ.get("MODELWARD_LONG") else 4
SCRIPT = f"""
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from history_rows import NOW_MS, Clock, batch, kept, row
MINUTE_MS = 60_000

async def work(first):
    async with kept(Path(sys.argv[1]), clock=Clock(NOW_MS)) as k:
        for minute in range(first, {MINUTES}):
            k.clock.ms = NOW_MS + (minute + 1) * MINUTE_MS
            rows = [row(minute, f"retail/e{{number}}") for number in range({ENDPOINTS})]
            await k.store.put(batch(*rows, epoch="one"))
            print(minute, flush=True)
            if minute % 20 == 19:
                k.clock.ms += 3 * 3_600_000  # all of it is due
                await k.store.seal()

asyncio.run(work(int(sys.argv[2])))
"""


def killed_while_sealing(path: Path, first: int, until: int) -> int:
    """Let a process put minutes from the first on, kill it when it begins to seal, and return the last it had put."""
    command = [sys.executable, "-c", SCRIPT, str(path), str(first)]
    done = first - 1
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            done = int(line)
            if done >= until and done % 20 == 19:
                break
        process.send_signal(signal.SIGKILL)
    return done


async def minutes_kept(path: Path, count: int) -> list[tuple[int | None, ...]]:
    async with kept(path, clock=Clock(NOW_MS + 8 * 3_600_000)) as k:
        found = [
            await k.asked("requests", (0, count), endpoint=("retail", f"e{number}")) for number in range(ENDPOINTS)
        ]
        return [next(line.values for line in series.lines if line.name == "ok") for series in found]


def test_a_kill_while_sealing_loses_no_minute_and_doubles_none(tmp_path: Path) -> None:
    chosen, path, done = random.Random(7), tmp_path / "h.db", -1
    for _ in range(ROUNDS):
        if done < MINUTES - 1:  # the last minute is put again, as an operator does whose answer was lost
            done = killed_while_sealing(path, max(0, done), done + chosen.randint(20, 90))
    assert done > 60
    assert asyncio.run(minutes_kept(path, done + 1)) == [(9,) * (done + 1)] * ENDPOINTS
