"""What endpoints at rest cost in memory and CPU time alone: no control plane, so other programs disturb it little.

    python bench/operator/resting.py [--endpoints 1000,5000] > resting.json

Each endpoint is in mode Sidecar with one pod whose page never changes, and a policy of five evaluations and two
objectives; an hour of readings is kept of it. Measured are the CPU time of the reconcile that makes it and of one at
rest, what all of them write at rest, resident memory, and how long a collection of garbage holds everything up: one
that goes over all there is, as Python makes them, and one of those that the operator makes.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "unit" / "operator"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "faults"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "helpers"))

import fleet
from merging_api import MergingApi
from metrics_pages import collector_page
from pinned_operator import used

from modelward.desired import names
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, Object
from modelward.metrics.collector_page import snapshot_from_collector
from modelward.metrics.exposition import parse
from modelward.metrics.snapshot import Snapshot
from modelward.operator.observe.observer import IDLE_S
from modelward.operator.runtime import assembly, garbage
from modelward.scrape.pages import PageTarget, Scraper

_NAMESPACES, _HOUR_MS, _AT_REST = 10, 3_600_000, 2
_ONE_READY = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
_API = "modelward.dev/v1alpha1"


@dataclass(slots=True)
class Steady:
    """A scraper whose pages never change; the clock is its own."""

    page: Snapshot
    now_ms: int = 1_795_480_000_000

    async def scrape(self, target: PageTarget, before: Snapshot | None = None) -> Snapshot:
        """Return the page as that of a pod."""
        return replace(before or replace(self.page, pod=target.pod), at_ms=self.now_ms)


async def measured(size: int) -> dict[str, Any]:
    """Return CPU milliseconds, bytes and writes of so many endpoints."""
    api, scraper = MergingApi(), Steady(snapshot_from_collector(parse(collector_page()), "", 0))
    dispatcher = assembly.build(api.context, lambda: scraper.now_ms)
    empty = used_bytes()
    for number in range(_NAMESPACES):
        about = {"name": "baseline", "namespace": f"team-{number}", "generation": 1}
        spec = {"endpointSelector": {"matchLabels": {"team": "retail"}}, **fleet.policy(5)}
        api.put({"apiVersion": _API, "kind": "MonitoringPolicy", "metadata": about, "spec": spec})
    for number in range(size):
        for obj in _objects(number):
            api.put(obj)

    async def reconcile() -> tuple[float, int]:
        began, written = time.process_time(), 0
        for namespace, name in api.store.names(LLM_ENDPOINT):
            await dispatcher.endpoints.reconcile(namespace, name)
            written += len(api.verbs("apply", "status", "patch", "event", "scale", "create"))
            for log in (api.writes, api.bodies, api.applied):
                log.clear()
        return 1_000 * (time.process_time() - began) / size, written

    made_ms, _ = await reconcile()
    for workload in api.store.list(DEPLOYMENT):
        api.put({**workload, "status": {**_ONE_READY, "observedGeneration": workload["metadata"].get("generation")}})
    read_ms = 0.0
    for number in range(round(_HOUR_MS / 1_000 / IDLE_S)):
        scraper.now_ms += round(IDLE_S * 1_000)
        began = time.process_time()
        await dispatcher.endpoints.observer.round(cast("Scraper", scraper))
        read_ms += 1_000 * (time.process_time() - began) / size
        if number < _AT_REST:
            await reconcile()
    rest_ms, written = await reconcile()
    return {
        "endpoints": size,
        "made_ms_per_endpoint": made_ms,
        "reconcile_at_rest_ms": rest_ms,
        "reading_taken_in_ms": read_ms / round(_HOUR_MS / 1_000 / IDLE_S),
        "writes_at_rest": written,
        "kb_per_endpoint": (used_bytes() - empty) / size / 1_000,
        **_collections(),
    }


def _collections() -> dict[str, float]:
    """Return the seconds that a collection takes that goes over all there is, and one after what is there is frozen."""
    gc.unfreeze()
    whole = _collected_s()
    garbage.freeze()
    return {"whole_collection_s": whole, "own_collection_s": _collected_s()}


def _collected_s() -> float:
    began = time.process_time()
    gc.collect()
    return time.process_time() - began


def used_bytes() -> int:
    """Return the resident memory of this process."""
    return used(os.getpid()).rss_bytes


def _objects(number: int) -> Iterator[Object]:
    place, name = f"team-{number % _NAMESPACES}", f"sidecar-{number}"
    about = {"name": name, "namespace": place, "generation": 1, "labels": {"team": "retail"}}
    yield {"apiVersion": _API, "kind": "LLMEndpoint", "metadata": about, "spec": fleet.spec(name)}
    running = {"name": names.COLLECTOR, "ready": True, "started": True, "state": {"running": {}}}
    status = {
        "phase": "Running",
        "podIP": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
        "conditions": [{"type": "Ready", "status": "True"}],
        "initContainerStatuses": [running],
        "containerStatuses": [{**running, "name": "model"}],
    }
    spec = {"initContainers": [{"name": names.COLLECTOR}], "containers": [{"name": "model"}]}
    metadata = {"namespace": place, "name": f"{name}-pod", "labels": dict(names.selector(name, "model"))}
    yield {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def _in_a_process(size: int) -> dict[str, Any]:
    found = asyncio.run(measured(size))
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in found.items()}


def main() -> None:
    """Measure each size in a process of its own and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", default="1000,5000")
    sizes = [int(size) for size in parser.parse_args().endpoints.split(",")]
    with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        print(json.dumps(pool.map(_in_a_process, sizes, chunksize=1), indent=2))


if __name__ == "__main__":
    main()
