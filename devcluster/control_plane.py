"""A control plane alone (etcd, API server, controller-manager), without root: enough for whatever needs no pod.

With nodes that are made up (fake_nodes.py) it has pods as well, of which only the objects are there. Its folder and its
ports are the caller's (MODELWARD_DEVCLUSTER_STATE, MODELWARD_DEVCLUSTER_PORTS), so that many stand side by side and
beside the whole cluster.
"""

import shutil
from pathlib import Path

import build
import certificates
import components
import configuration
import fake_nodes
import processes
from api import Client
from console import say, wait_for
from settings import API_PORT, KUBECONFIG, LOGS, STATE

_COMPONENTS = ("controller-manager", "apiserver", "etcd")


def up(nodes: int = 0, objects: Path | None = None) -> None:
    """Start what is not running and wait until namespaces get their service accounts, and so many nodes are ready.

    A new one begins with the `objects` that another one left behind.
    """
    build.build()
    if objects is not None and not (STATE / "etcd").exists():
        shutil.copytree(objects, STATE / "etcd")
    certificates.ensure()
    configuration.write_audit()
    processes.start("etcd", *components.etcd())
    processes.start("apiserver", *components.apiserver(), "--endpoint-reconciler-type=none")
    client = Client()
    wait_for("the API server", lambda: client.answers("/readyz"), evidence=LOGS / "apiserver.log")
    for_pods = (fake_nodes.CONTROLLERS, *fake_nodes.FAST) if nodes else ()
    processes.start("controller-manager", *components.controllers(), *for_pods)
    account = "/api/v1/namespaces/default/serviceaccounts/default"
    wait_for("the controllers", lambda: client.answers(account), evidence=LOGS / "controller-manager.log")
    if nodes:
        fake_nodes.up(nodes)
    say(f"control plane up on port {API_PORT}; kubeconfig {KUBECONFIG}")


def down(keep: Path | None = None) -> None:
    """Stop it and delete its folder; its objects go to the folder `keep`."""
    fake_nodes.down()
    for name in _COMPONENTS:
        processes.stop(name)
    if keep is not None and (STATE / "etcd").exists():
        shutil.copytree(STATE / "etcd", keep)
    shutil.rmtree(STATE, ignore_errors=True)
