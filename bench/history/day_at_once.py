"""What a day of history costs that comes at once, and the questions of an endpoint's page right after it, as JSON.

    python bench/history/day_at_once.py [--against SRC]

Milliseconds of CPU, medians of five runs. `--against` names the `src` folder of another checkout: both are run in turn,
each in a process of its own, and the ratio is told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests" / "console"))
RUNS = 5
ONCE = "--once"


async def once() -> dict[str, float]:
    """Put a day of one endpoint as one batch, then ask as the page does."""
    from console_traffic import minutes

    from modelward.api.history import MINUTE_MS, BatchKey, HistoryBatch
    from modelward.api.series import HISTORY_METRICS, HistoryQuery
    from modelward.hub.history.place import HistoryPlace
    from modelward.hub.history.retention import HistoryBounds
    from modelward.hub.history.store import HistoryStore

    day_ms = 1440 * MINUTE_MS
    now_ms = 1_795_478_400_000 + 57 * MINUTE_MS
    with tempfile.TemporaryDirectory() as folder:
        store = HistoryStore(HistoryPlace(Path(folder) / "h.db", HistoryBounds(1 << 30, 1 << 30)), lambda: now_ms)
        await store.open()
        batch = HistoryBatch(BatchKey("leader", now_ms - MINUTE_MS), tuple(minutes("retail", "chat", now_ms)))
        begun = time.process_time()
        await store.put(batch)
        put = time.process_time() - begun
        begun = time.process_time()
        for metric in HISTORY_METRICS:
            query = HistoryQuery(metric, now_ms - day_ms, now_ms, points=288)
            assert any((await store.answer(("retail", "chat"), query)).seen)
        asked = time.process_time() - begun
        await store.close()
    return {"put_ms": round(put * 1_000, 1), "questions_ms": round(asked * 1_000, 1)}


def measured(source: Path) -> dict[str, float]:
    """Return what one run of a checkout's code takes."""
    environment = {**os.environ, "PYTHONPATH": str(source)}
    ended = subprocess.run((sys.executable, __file__, ONCE), check=True, stdout=subprocess.PIPE, env=environment)
    return dict(json.loads(ended.stdout))


def medians(rows: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each figure."""
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def main() -> None:
    """Measure in turn, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path)
    parser.add_argument(ONCE, action="store_true")
    asked = parser.parse_args()
    if asked.once:
        print(json.dumps(asyncio.run(once())))
        return
    sources = [ROOT / "src", *([asked.against.resolve()] if asked.against else [])]
    rows: list[list[dict[str, float]]] = [[] for _ in sources]
    for _ in range(RUNS):
        for place, source in enumerate(sources):
            rows[place].append(measured(source))
    found: dict[str, object] = {"now": medians(rows[0])}
    if asked.against:
        found["against"] = medians(rows[1])
        found["ratio"] = {
            name: round(medians(rows[1])[name] / value, 2) for name, value in medians(rows[0]).items() if value
        }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
