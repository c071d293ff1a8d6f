"""A control plane alone (etcd, API server, controller-manager), without root: enough for whatever needs no pod.

Its folder and its ports are the caller's (MODELWARD_DEVCLUSTER_STATE, MODELWARD_DEVCLUSTER_PORTS), so that many stand
side by side and beside the whole cluster.
"""

import shutil

import build
import certificates
import components
import configuration
import processes
from api import Client
from console import say, wait_for
from settings import API_PORT, KUBECONFIG, LOGS, STATE

_COMPONENTS = ("controller-manager", "apiserver", "etcd")


def up() -> None:
    """Start what is not running and wait until namespaces get their service accounts."""
    build.build()
    certificates.ensure()
    configuration.write_audit()
    processes.start("etcd", *components.etcd())
    processes.start("apiserver", *components.apiserver(), "--endpoint-reconciler-type=none")
    client = Client()
    wait_for("the API server", lambda: client.answers("/readyz"), 90, LOGS / "apiserver.log")
    processes.start("controller-manager", *components.controllers())
    account = "/api/v1/namespaces/default/serviceaccounts/default"
    wait_for("the controllers", lambda: client.answers(account), 60, LOGS / "controller-manager.log")
    say(f"control plane up on port {API_PORT}; kubeconfig {KUBECONFIG}")


def down() -> None:
    """Stop it and delete its folder."""
    for name in _COMPONENTS:
        processes.stop(name)
    shutil.rmtree(STATE, ignore_errors=True)
