"""What the operator costs, and how fast it is, at 300, 1,000 and more endpoints: start, idle, changes, kill.

    python bench/operator/measure.py [--endpoints 300,1000] [--long] > operator.json
    python bench/operator/table.py operator.json [EARLIER.json]     writes the table of docs/performance.md

Each size has a control plane of its own (etcd, API server, controller-manager, scheduler; made-up nodes by kwok:
`python3 devcluster tools` builds it), the mix of tests/faults/fleet.py (a third each Sidecar, ScrapeOnly and Gateway, a
policy with five evaluations and two objectives in each namespace), metrics pages that are served on loopback, and no
hub. The operator runs as it ships, on one core. `--long` adds 3,000 and 5,000. `--source` measures another tree.

`--saved FOLDER` keeps what each size has made in FOLDER, and begins with it where it is there: then nothing is
declared, and instead of a start the restart on all that an earlier operator made is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "faults"), str(ROOT / "tests" / "helpers"), str(Path(__file__).parent)]

_POD_CIDR = "127.73.0.0/16"
_PODS_PER_NODE = 200
_SETTLE_S, _WATCHED_S = 60.0, 120.0
LONG = (3_000, 5_000)


async def _measured(size: int, plane: Any, folder: Path, asked: argparse.Namespace, *, saved: bool) -> dict[str, Any]:
    import fleet as fleets
    from phases import Bench
    from pinned_operator import PinnedOperator
    from server_side import ApiServer

    from modelward.kube.client import Client

    found: dict[str, Any] = {"endpoints": size, "load_average": [os.getloadavg()[0]]}
    async with Client.connect(str(plane.kubeconfig)) as client:
        fleet = await fleets.settled(client, "bench", size, max(10, size // 100))
        operator = PinnedOperator(plane.kubeconfig, "bench-0", folder / "operator.log", asked.core, asked.source)
        bench = Bench(client, fleet, operator, ApiServer(plane.state))
        try:
            if saved:
                await _phase(found, "restart", bench.restart(300 + size))
            else:
                await _phase(found, "declare", bench.declare(600 + size))
                await _phase(found, "start", bench.start(300 + size))
            await _phase(found, "idle", bench.idle(asked.settle, asked.seconds))
            for per_s in asked.changes:
                await _phase(found, f"changes_{per_s:g}", bench.busy(per_s, asked.seconds))
            await _phase(found, "kill", bench.killed(300))
        finally:
            operator.stop()
    return found


async def _phase(found: dict[str, Any], name: str, work: Any) -> None:
    """Measure one phase; one that fails is reported and keeps no other from being measured."""
    print(f"{found['endpoints']} endpoints: {name}", file=sys.stderr, flush=True)
    began = time.monotonic()
    try:
        found[name] = {
            key: round(value, 3) if isinstance(value, float) else value for key, value in (await work).items()
        }
    except Exception as error:  # noqa: BLE001 - whatever it was, it stands in the result
        found[name] = {"failed": repr(error)[-1_000:]}
    found["load_average"].append(os.getloadavg()[0])
    print(f"  {time.monotonic() - began:.0f} s: {json.dumps(found[name])}", file=sys.stderr, flush=True)


def main() -> None:
    """Measure each size and print JSON."""
    import control_plane as alone
    import metrics_pages

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", default="300,1000")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--settle", type=float, default=_SETTLE_S)
    parser.add_argument("--seconds", type=float, default=_WATCHED_S)
    parser.add_argument("--changes", type=float, nargs="*", default=[5.0, 10.0], help="changes a second")
    parser.add_argument("--saved", type=Path, metavar="FOLDER", help="begin with what an earlier run kept, or keep it")
    parser.add_argument("--source", type=Path, default=ROOT / "src")
    asked = parser.parse_args()
    sizes = [int(size) for size in asked.endpoints.split(",")] + list(LONG if asked.long else ())
    results = []
    for size in sizes:
        kept = asked.saved / str(size) if asked.saved else None
        objects, keep = (kept, None) if kept and kept.exists() else (None, kept)
        nodes = size * 3 // 2 // _PODS_PER_NODE + 2
        with (
            TemporaryDirectory(prefix="modelward-bench-") as folder,
            alone.control_plane(nodes, _POD_CIDR, objects, keep) as plane,
            metrics_pages.serving("0.0.0.0", 1),
        ):
            results.append(asyncio.run(_measured(size, plane, Path(folder), asked, saved=objects is not None)))
    print(json.dumps({"cores": os.cpu_count(), "sizes": results}, indent=2))


if __name__ == "__main__":
    main()
