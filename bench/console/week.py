"""How long people wait for a search through seven days of transcripts, as JSON; fails where a question takes too long.

    python bench/console/week.py [--exchanges 100000] [--out bench/console/week.json]

A hub of this process keeps so many exchanges of a kilobyte each. The words that are looked for are in none, so all are
read. One question reads for at most 2 s or 64 MB, then offers to go on: `question` is what one takes, `whole_cpu_ms`
what all of them up to the end cost in CPU, client included: nearly what a person waits who goes on to the end, on a
machine that does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "helpers"), str(ROOT / "tests" / "console")]

import console_traffic as traffic  # noqa: E402

from modelward.api.exchange import exchange_to_json  # noqa: E402
from modelward.hub.server import Hub  # noqa: E402
from modelward.hub.settings import HubSettings  # noqa: E402
from modelward.hub_client.client import HubClient  # noqa: E402
from modelward.hub_client.views import ViewClient  # noqa: E402

WEEK_MS, AT_ONCE = 7 * 86_400_000, 2_000
MOST_MS = 3_000
"""What one question is promised to take at most."""
QUESTIONS = tuple((f"How do I raise the limit of card {n}?", f"In the app, number {n}.") for n in range(50))
PARAGRAPH = (
    "The limit of a card can be raised in the app under Profile, Limits, and holds from the next working day on. "
)


async def fill(hub: str, count: int, now_ms: int) -> None:
    """Send so many exchanges, the same time apart, oldest first."""
    step = WEEK_MS // count
    rows = [
        exchange_to_json(one) | {"response": f"{one.response} {PARAGRAPH * 4}"}
        for one in traffic.exchanges("retail/week", QUESTIONS, now_ms)
    ]
    async with HubClient(hub) as client:
        await client.put_rules({"retail/week": {"content": "Redacted", "keepForSeconds": 8 * 86_400}})
        for start in range(0, count, AT_ONCE):
            lines = [
                orjson.dumps(rows[n % len(rows)] | {"id": f"w-{n:06d}", "time_ms": now_ms - WEEK_MS + n * step})
                for n in range(start, min(count, start + AT_ONCE))
            ]
            taken = await client.post_exchanges(b"\n".join(lines))
            assert taken == (len(lines), 0), taken


async def searched(person: ViewClient, now_ms: int) -> tuple[list[float], float, int]:
    """Return how long each question took until the end is reached, the CPU of all, and how many exchanges were read."""
    took, read, cursor, cpu = list[float](), 0, "", time.process_time()
    while True:
        begun = time.perf_counter()
        asked = {"from": now_ms - WEEK_MS, "to": now_ms + 1, "text": "no such words", "cursor": cursor}
        page = await person.exchanges("retail", "week", asked)
        took.append((time.perf_counter() - begun) * 1_000)
        assert page.rows == ()
        read, cursor = read + page.scanned, page.cursor or ""
        if not cursor:
            return took, (time.process_time() - cpu) * 1_000, read


async def measured(count: int, turns: int) -> dict[str, Any]:
    """Fill a hub and search it."""
    now_ms = time.time_ns() // 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        settings = HubSettings(
            store_url=f"file://{folder}", listen="127.0.0.1:0", health_listen="127.0.0.1:0", auth=False
        )
        async with Hub(settings).running() as hub:
            url = f"http://127.0.0.1:{hub.ports[0]}"
            await fill(url, count, now_ms)
            async with ViewClient(url) as person:
                found = [await searched(person, now_ms) for _ in range(turns)]
    assert min(read for _, _, read in found) >= count, found
    each = sorted(one for took, _, _ in found for one in took)
    return {
        "exchanges": count,
        "questions": max(len(took) for took, _, _ in found),
        "question": {"p50_ms": round(statistics.median(each)), "max_ms": round(each[-1])},
        "whole_ms": round(statistics.median(sum(took) for took, _, _ in found)),
        "whole_cpu_ms": round(statistics.median(cpu for _, cpu, _ in found)),
    }


def main() -> None:
    """Measure, write, and fail where a question takes too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exchanges", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    found = asyncio.run(measured(asked.exchanges, asked.turns))
    text = json.dumps(found, indent=1) + "\n"
    asked.out.write_text(text, encoding="utf-8") if asked.out else print(text, end="")
    most = found["question"]["max_ms"]
    sys.exit(f"a question takes {most} ms" if most > MOST_MS else 0)


if __name__ == "__main__":
    main()
