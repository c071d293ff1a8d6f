"""From a fault to its message: the timing that ships, and the process that a Job runs for a team's own receiver.

    python bench/alerts/measure.py > bench/alerts/results.json

`timing` goes through the operator's own parts in virtual time (tests/unit/operator/alert_clockwork.py): rounds of
readings, verdict, status, the wait for others of the group, the message. All requests of an endpoint fail from a moment
on that lies at each second of a round, after 5 and after 15 minutes of good traffic. `job_process` is what
`modelward notify` takes by the clock, from its start until a receiver on this machine has the message. What a loaded
API server adds, and for a Job its scheduling and its container's start, is in neither.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "unit" / "operator"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "helpers"))

from aiohttp import web
from alert_clockwork import told_after_s
from posted_to import posted_to
from quantiles import quantiles
from receiver_cases import FIRING

from modelward.alerts.message import message_to_json
from modelward.api.notify_plan import NotifyOrder, NotifyPlan, notify_plan_to_json

_ROUND_S, _STARTS = 15, 8
_HOST = "hook.retail.svc"


async def _timing(healthy_s: int) -> dict[str, Any]:
    took = [await told_after_s(phase, healthy_s) for phase in range(_ROUND_S)]
    return {"healthy_s": healthy_s, **quantiles([one for one in took if one is not None], len(took))}


async def _job_process(folder: Path) -> dict[str, Any]:
    """Start the process as a Job does, with this machine's receiver behind a proxy as its way out."""
    arrived: asyncio.Queue[float] = asyncio.Queue()

    async def take(_: web.Request) -> web.Response:
        arrived.put_nowait(time.monotonic())
        return web.Response()

    runner, port = await posted_to(take)
    try:
        plan = _plan(folder)
        took = [await _start(plan, folder, port, arrived) for _ in range(_STARTS)]
    finally:
        await runner.cleanup()
    return quantiles(took, len(took))


def _plan(folder: Path) -> Path:
    receiver = {"name": "team", "webhook": {"url": f"http://{_HOST}/in"}}
    order = NotifyOrder("one", message_to_json(FIRING), receiver, "")
    plan = folder / "plan.json"
    plan.write_text(json.dumps(notify_plan_to_json(NotifyPlan("retail", (order,), (_HOST,)))))
    return plan


async def _start(plan: Path, folder: Path, port: int, arrived: asyncio.Queue[float]) -> float:
    run = "from modelward.cli.app import main; main()"
    where = ("--plan", str(plan), "--secrets", str(folder), "--termination-log", str(folder / "word"))
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", run, "notify", *where,
        env={**os.environ, "http_proxy": f"http://127.0.0.1:{port}"}, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await process.wait() == 0
    return arrived.get_nowait() - began


async def _measured() -> dict[str, Any]:
    with TemporaryDirectory(prefix="modelward-alerts-") as folder:
        process = await _job_process(Path(folder))
    return {
        "timing": [await _timing(healthy_s) for healthy_s in (300, 900)],
        "job_process": process,
        "load_average": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measured()), indent=2))
