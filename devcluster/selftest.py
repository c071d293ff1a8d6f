"""Proof that `down` is clean: what the machine showed before is what it shows after."""

import contextlib
import json
import time
from pathlib import Path

import cgroups
from console import fail, run, say, step
from settings import BIN, CONFIG, KUBECONFIG, PAUSE_IMAGE, SOURCE

import cluster

_KUBECTL = (BIN / "kubectl", "--kubeconfig", KUBECONFIG)
_POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "selftest"},
    "spec": {
        "containers": [{"name": "c", "image": PAUSE_IMAGE, "imagePullPolicy": "IfNotPresent"}],
        "volumes": [{"name": "v", "emptyDir": {"medium": "Memory"}}],
        "terminationGracePeriodSeconds": 0,
    },
}


def run_selftest() -> None:
    """Compare the machine before a life of the cluster with after it; the second life follows upon a crash."""
    cluster.prepare()  # the programs that show the machine's traces, too
    cluster.down()
    before = traces()
    with step("a life that ends with a pod running"):
        cluster.up()
        _run_pod()
        cluster.down()
        _compare(before, traces())
    with step("a life after a crash"):
        cluster.up()
        cluster.kill()
        cluster.up()
        _run_pod()
        run(*_KUBECTL, "delete", "pod", "selftest", "--force")
        cluster.down()
        _compare(before, traces())
    say("nothing is left: no process, mount, link, namespace, rule, set, cgroup, folder or changed kernel setting")


def traces() -> dict[str, list[str]]:
    """Everything that a cluster might leave on a machine, by kind."""
    return {
        "processes": _processes(),
        "mounts": [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()],
        "links": [link["ifname"] for link in json.loads(run("ip", "-j", "link"))],
        "routes": run("ip", "route").splitlines(),
        "namespaces": [path.name for path in Path("/run/netns").glob("*")],
        "rules": [line for line in run("iptables-save").splitlines() if line.startswith("-A") or " - [" in line],
        "sets": run("ipset", "list", "-n").split(),
        "cgroups": [str(path) for path in cgroups.remains()],
        "folders": [
            f
            for f in ("/run/containerd", "/run/netns", "/run/cni", "/var/lib/cni", "/var/log/pods")
            if Path(f).exists()
        ],
        "settings": [
            Path(f"/proc/sys/{name}").read_text()
            for name in ("net/ipv4/ip_forward", "vm/overcommit_memory", "kernel/panic")
        ],
    }


def _processes() -> list[str]:
    """Command lines of our programs, and of shims, which would belong to our containerd."""
    ours = (str(BIN), str(SOURCE / "node.py"), str(SOURCE / "provisioner.py"), str(CONFIG), "containerd-shim")
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            # Another user's kubectl is not a trace.
            if any(part.startswith(ours) for part in command[:4]) and "kubectl" not in command[:3]:
                found.append(" ".join(command))
    return sorted(found)


def _run_pod() -> None:
    run(*_KUBECTL, "delete", "pod", "selftest", "--ignore-not-found", "--force")
    run(*_KUBECTL, "apply", "-f", "-", stdin=json.dumps(_POD))
    run(*_KUBECTL, "wait", "pod/selftest", "--for=condition=Ready", "--timeout=60s")


def _compare(before: dict[str, list[str]], after: dict[str, list[str]]) -> None:
    time.sleep(0.2)
    left = {kind: sorted(set(after[kind]) ^ set(before[kind])) for kind in before}
    if any(left.values()):
        fail(f"down left something behind, or took something away: { {k: v for k, v in left.items() if v} }")
