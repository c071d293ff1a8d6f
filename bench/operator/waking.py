"""What a new leader's first work costs in CPU time alone: no control plane, so other programs disturb it little.

    python bench/operator/waking.py [--endpoints 300,1000,3000,5000] > waking.json

Each endpoint refers to a Deployment and has a pod; they are in ten namespaces and come in random order. Measured are
taking all of them into the store, asking for the work of all of them, the longest step of that (there are other turns
between two steps), and what one event of a Deployment wakes after it.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "unit" / "operator"))

from fake_api import FakeApi

from modelward.kube.kinds import DEPLOYMENT, Object
from modelward.operator.runtime import assembly
from modelward.operator.runtime.process import WATCHED, WOKEN_AT_ONCE

_NAMESPACES = 10


def measured(size: int) -> dict[str, Any]:
    """Return CPU milliseconds, and how many keys are asked for."""
    api = FakeApi()
    reconciler = assembly.build(api.context)
    objects = [obj for number in range(size) for obj in _objects(number)]
    random.Random(1).shuffle(objects)
    began = time.process_time()
    for obj in objects:
        api.put(obj)
    filled, longest, keys = time.process_time(), 0.0, 0
    gc.collect()
    gc.freeze()
    woken = time.process_time()
    for each in WATCHED:
        names = api.store.names(each.kind)
        for first in range(0, len(names), WOKEN_AT_ONCE):
            step = time.process_time()
            for name in names[first : first + WOKEN_AT_ONCE]:
                obj = api.store.get(each.kind, *name) or {}
                keys += sum(1 for _ in reconciler.keys_for(each.kind, obj, obj))
            longest = max(longest, time.process_time() - step)
    done = time.process_time()
    workload = api.store.list(DEPLOYMENT)[0]
    once = time.process_time()
    for _ in range(100):
        assert len(list(reconciler.keys_for(DEPLOYMENT, workload))) == 1
    found = {"filling_ms": filled - began, "waking_ms": done - woken, "longest_step_ms": longest}
    found["one_deployment_ms"] = (time.process_time() - once) / 100
    return {"endpoints": size, "keys": keys, **{key: round(1_000 * value, 3) for key, value in found.items()}}


def _objects(number: int) -> Iterator[Object]:
    place, chat, vllm = f"team-{number % _NAMESPACES}", f"chat-{number}", f"vllm-{number}"
    kinds = (
        ("modelward.dev/v1alpha1", "LLMEndpoint", chat, {}, {"backend": {"workloadRef": {"name": vllm}}}),
        ("apps/v1", "Deployment", vllm, {}, {"template": {"spec": {"containers": []}}}),
        ("v1", "Pod", f"pod-{number}", {"modelward.dev/endpoint": chat}, {}),
    )
    for api, kind, name, labels, spec in kinds:
        metadata = {"namespace": place, "name": name, "uid": name, "generation": 1, "labels": labels}
        status = {"observedGeneration": 1}
        yield {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec, "status": status}


def main() -> None:
    """Measure each size and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", default="300,1000,3000,5000")
    sizes = parser.parse_args().endpoints.split(",")
    print(json.dumps([measured(int(size)) for size in sizes], indent=2))


if __name__ == "__main__":
    main()
