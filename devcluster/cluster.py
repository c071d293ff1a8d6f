"""Bringing the cluster up, down, and saying how it is."""

import contextlib
import fcntl
import json
import shutil
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import addons
import build
import certificates
import cgroups
import components
import configuration
import folders
import host
import network
import node
import pause
import processes
import versions
from api import Client, RefusedError
from console import run, say, succeeds, wait_for
from settings import (
    AUDIT_LOG,
    CONTAINERD_SOCKET,
    KUBECONFIG,
    LOGS,
    NAME,
    NODE,
    RUN,
    SOURCE,
    STATE,
)

# Stopped in this order.
_COMPONENTS = ("provisioner", "coredns", "scheduler", "controller-manager", "node", "apiserver", "etcd")
_API_READY = RUN / "api-ready"
_EVER = datetime.min.replace(tzinfo=UTC)


def up() -> None:
    """Start what is not running and wait until pods can run; safe to repeat."""
    prepare()
    with _alone():
        if is_up():
            say(f"already up: {components.describe()}")
            return
        if not processes.running("node"):
            _clean_node()
        _start()
    say(f"up: {components.describe()}; kubeconfig {KUBECONFIG}")


def prepare() -> None:
    """Install the packages and build the programs that the cluster consists of."""
    host.require_root("the development cluster")
    host.install(versions.NODE_PACKAGES)
    build.build()


def down(*, purge: bool = False) -> None:
    """Stop everything and leave nothing behind; `purge` also forgets objects, images and volumes."""
    host.require_root("the development cluster")
    with _alone():
        for name in _COMPONENTS[:4]:
            processes.stop(name)
        _clean_node()
        for name in _COMPONENTS[5:]:
            processes.stop(name)
    if purge:
        shutil.rmtree(STATE, ignore_errors=True)
    say("down" + (" and purged" if purge else f"; objects, images and volumes are kept in {STATE}"))


def kill() -> None:
    """End everything as a crash would, and clean nothing: for the test that `up` copes with it."""
    for name in _COMPONENTS:
        processes.stop(name, first=signal.SIGKILL)


def is_up() -> bool:
    """Whether every process lives and the node is Ready."""
    return all(map(processes.running, _COMPONENTS)) and _node_ready(Client())


def status() -> str:
    """A few lines for people; the last one is the kubeconfig's path."""
    lines = [f"{name:20} {pid if (pid := processes.running(name)) else 'not running'}" for name in _COMPONENTS]
    ready = _API_READY.exists() and _node_ready(Client())
    lines += [f"node Ready: {ready}", f"logs: {LOGS}", f"audit: {AUDIT_LOG}", f"kubeconfig: {KUBECONFIG}"]
    return "\n".join(lines)


def _start() -> None:
    started = datetime.now(UTC).replace(microsecond=0)
    certificates.ensure()
    cgroups.up()
    folders.make(node.PRIVATE)  # before the network, which makes one of them; the node mounts over them
    network.up()
    configuration.write()
    _API_READY.unlink(missing_ok=True)
    processes.start("etcd", *components.etcd())
    processes.start("apiserver", *components.apiserver())
    _start_node()
    client = Client()
    wait_for("the API server", lambda: client.answers("/readyz"), evidence=LOGS / "apiserver.log")
    say("API server ready")
    _API_READY.touch()
    processes.start("controller-manager", *components.controllers())
    processes.start("scheduler", *components.scheduler())
    wait_for("the namespace kube-system", lambda: client.answers("/api/v1/namespaces/kube-system"))
    addons.apply(client)
    processes.start("coredns", *components.dns())
    processes.start("provisioner", sys.executable, "-u", SOURCE / "provisioner.py")
    _import_pause()
    wait_for("the node", lambda: _node_ready(client, since=started), evidence=LOGS / "kubelet.log")
    account = "/api/v1/namespaces/default/serviceaccounts/default"
    wait_for("the default service account", lambda: client.answers(account), evidence=LOGS / "controller-manager.log")


def _start_node() -> None:
    plan = {"logs": str(LOGS), "api_ready": str(_API_READY), "socket": str(CONTAINERD_SOCKET)}
    (RUN / "node-plan.json").write_text(json.dumps(plan | {"programs": components.node_programs()}))
    # nsenter, not `ip netns exec`: that one mounts a /sys of its own, without the cgroups.
    processes.start(
        "node", "nsenter", f"--net={network.NAMESPACE_FILE}", "unshare", "--mount", "--propagation=private", "--pid",
        "--fork", "--kill-child", "--mount-proc", sys.executable, SOURCE / "node.py", RUN / "node-plan.json",
    )  # fmt: skip


def _import_pause() -> None:
    version = components.ctr("version")
    wait_for("containerd", lambda: succeeds(*version), evidence=LOGS / "containerd.log")
    archive = RUN / "pause.tar"
    pause.write_archive(archive)
    run(*components.ctr("images", "import", archive))
    archive.unlink()


def _clean_node() -> None:
    """Kill the node's first process; the kernel does the rest. Also clears what a killed run has left."""
    pid = processes.running("node")
    inside = {child: processes.started_at(child) for child in processes.children(pid)} if pid else {}
    processes.stop("node", patience_seconds=0)
    wait_for("the end of the node's processes", lambda: not _alive(inside), 20)
    network.down()
    cgroups.down()
    CONTAINERD_SOCKET.unlink(missing_ok=True)
    CONTAINERD_SOCKET.with_name("containerd.sock.ttrpc").unlink(missing_ok=True)
    folders.remove_made()


def _alive(born: dict[int, int]) -> bool:
    return any(processes.started_at(pid) == ticks != 0 for pid, ticks in born.items())


def _node_ready(client: Client, since: datetime = _EVER) -> bool:
    """Whether kubelet reported Ready, after `since`: the last life's report stands until its first one in this life."""
    try:
        reported = client.call("GET", f"/api/v1/nodes/{NODE}").get("status", {}).get("conditions", [])
    except (OSError, RefusedError):
        return False
    return any(
        condition["type"] == "Ready"
        and condition["status"] == "True"
        and datetime.fromisoformat(condition["lastHeartbeatTime"]) >= since
        for condition in reported
    )


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Two callers at once take turns."""
    lock = Path("/run") / f"{NAME}.lock"
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
