"""Nodes that kwok makes up, for a control plane that is alone: many pods at the price of none.

Pods get addresses of 127.0.0.0/8 (MODELWARD_DEVCLUSTER_FAKE_PODS), so that whoever listens there answers for them.
"""

import os

import build
import components
import processes
from api import Client
from console import wait_for
from settings import BIN, KUBECONFIG, LOGS, SOURCE

STAGES = SOURCE / "fake-nodes.yaml"
POD_CIDR = os.environ.get("MODELWARD_DEVCLUSTER_FAKE_PODS", "127.64.0.0/16")
CONTROLLERS = "--controllers=*,-endpoints-controller,-endpointslice-controller,-endpointslice-mirroring-controller"
"""Endpoints may not be loopback addresses; controllers that would try for ever are left out."""
FAST = ("--kube-api-qps=1000", "--kube-api-burst=2000")
_ROOM = {"cpu": "256", "memory": "1Ti", "pods": "250"}
PROGRAMS = ("kwok", "scheduler")


def up(count: int) -> None:
    """Start scheduler and kwok, and wait until so many nodes are ready."""
    build.build(tuple(tool for tool in build.TOOLS if tool.name == "kwok"))
    processes.start("scheduler", *components.scheduler(), *FAST)
    processes.start("kwok", BIN / "kwok", f"--kubeconfig={KUBECONFIG}", f"--config={STAGES}", f"--cidr={POD_CIDR}",
                    "--manage-all-nodes=true", "--node-ip=127.0.0.1", "--node-lease-duration-seconds=120",
                    "--server-address=")  # fmt: skip
    client = Client()
    for number in range(count):
        name = f"fake-{number}"
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
        client.apply(f"/api/v1/nodes/{name}", node)
        client.apply(f"/api/v1/nodes/{name}/status", node | {"status": {"capacity": _ROOM, "allocatable": _ROOM}})
    wait_for("the nodes", lambda: ready(client) >= count, evidence=LOGS / "kwok.log")


def down() -> None:
    """Stop them."""
    for name in PROGRAMS:
        processes.stop(name)


def ready(client: Client) -> int:
    """Return how many nodes are ready."""
    nodes = client.call("GET", "/api/v1/nodes")["items"]
    conditions = [one for node in nodes for one in node.get("status", {}).get("conditions", ())]
    return sum((one["type"], one["status"]) == ("Ready", "True") for one in conditions)
