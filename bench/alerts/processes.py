"""From a fault to its message, by the clock: an operator as a process, a real API server, real sockets.

    python bench/alerts/processes.py [--endpoints 16] > bench/alerts/results-processes.json

The operator runs with all the timing that ships, before an API server of its own (no node is real; kwok makes the pods,
`python3 devcluster tools` builds it). Each endpoint has one pod whose metrics page is served on loopback, with 10
requests a second; after some minutes of good traffic all of its requests fail, from a random moment on that is its own.
The receiver is the platform's, a webhook on this machine. It takes about six minutes.

    python bench/alerts/processes.py --job > bench/alerts/results-job.json

does the same for a team's own receiver, to which a Job goes, on the development cluster with its real node and the
images of this checkout (`make cluster`): pods of a stand-in engine whose pages turn slow, and a receiver as a pod.
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

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "faults"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "helpers"))

import control_plane
import measured_operator
import yaml
from faulty_fleet import OBJECTIVE, PORT, FaultyFleet
from quantiles import quantiles
from user import User, deployment, reference

from modelward.kube.client import Client
from modelward.kube.kinds import LLM_ENDPOINT, POD

HEALTHY_S, SPAN_S, PATIENCE_S = 230.0, 30.0, 120.0
_POD_CIDR, _HOST = "127.77.0.0/16", "hook.retail.svc"


def _settings(port: int) -> dict[str, Any]:
    receiver = {"name": "oncall", "webhook": {"url": f"http://{_HOST}/in"}}
    out = {"env": {"http_proxy": f"http://127.0.0.1:{port}"}}
    return {"alerts": {"receivers": [receiver]}, "podSettings": out}


async def _settle(user: User, fleet: FaultyFleet) -> None:
    alerts = {
        "receivers": [{"name": "oncall", "shared": "oncall"}],
        "routes": [{"receivers": ["oncall"], "alerts": ["Objective"], "groupBy": ["Endpoint"]}],
    }
    await user.policy(objectives=[OBJECTIVE], alerts=alerts)
    for name in fleet.names:
        workload = deployment(name)
        workload["spec"]["template"]["spec"]["containers"][0]["ports"] = [{"containerPort": PORT}]
        await user.apply(workload)
        await user.endpoint(name, reference(name))


async def _addresses(client: Client, user: User, fleet: FaultyFleet) -> None:
    """Wait until each endpoint's pod has an address."""
    while len(fleet.by_address) < len(fleet.names):
        for pod in (await client.list(POD, user.namespace)).items:
            name, address = pod["metadata"]["labels"].get("app"), pod["status"].get("podIP")
            fleet.by_address |= {address: name} if address and name in fleet.names else {}
        await asyncio.sleep(0.5)


async def _read(client: Client, user: User, names: tuple[str, ...]) -> None:
    """Wait until each endpoint's status says that its numbers are fresh."""
    fresh = 0
    while fresh < len(names):
        found = (await client.list(LLM_ENDPOINT, user.namespace)).items
        conditions = [one for obj in found for one in obj.get("status", {}).get("conditions", ())]
        fresh = sum((one["type"], one["status"]) == ("MetricsAvailable", "True") for one in conditions)
        await asyncio.sleep(1.0)


async def _measure(plane: control_plane.ControlPlane, folder: Path, endpoints: int, seed: int) -> dict[str, Any]:
    fleet = FaultyFleet(tuple(f"chat-{number}" for number in range(endpoints)))
    receiver, port = await fleet.receive()
    settings = folder / "settings.yaml"
    settings.write_text(yaml.safe_dump(_settings(port)))
    async with Client.connect(str(plane.kubeconfig)) as client:
        user = await User.settled(client, "retail")
        with measured_operator.operating(
            plane.kubeconfig, "retail", folder / "operator.log", {}, "--settings", str(settings)
        ) as operator:
            async with asyncio.timeout(HEALTHY_S):
                await _settle(user, fleet)
                await _addresses(client, user, fleet)
                pages = await fleet.serve_pages()
                await _read(client, user, fleet.names)
            fleet.plan(HEALTHY_S, SPAN_S, seed)
            last = max(fleet.faults.values())
            while len(fleet.told) < endpoints and time.monotonic() < last + PATIENCE_S:
                operator.alive()
                await asyncio.sleep(0.5)
    await pages.cleanup()
    await receiver.cleanup()
    return _result(fleet, HEALTHY_S)


def _result(fleet: FaultyFleet, healthy_s: float) -> dict[str, Any]:
    found = quantiles(fleet.took, len(fleet.names))
    load = round(os.getloadavg()[0], 1)
    return {**found, "healthy_s": healthy_s, "odd": fleet.odd, "load_average": load, "cores": os.cpu_count()}


def main() -> None:
    """Measure once and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--job", action="store_true", help="a team's own receiver, on the development cluster")
    asked = parser.parse_args()
    if asked.job:
        from by_job import measured

        print(json.dumps(measured(asked.endpoints, asked.seed), indent=2))
        return
    with (
        TemporaryDirectory(prefix="modelward-alerts-") as folder,
        control_plane.control_plane(nodes=1, pod_cidr=_POD_CIDR) as plane,
    ):
        print(json.dumps(asyncio.run(_measure(plane, Path(folder), asked.endpoints, asked.seed)), indent=2))


if __name__ == "__main__":
    main()
