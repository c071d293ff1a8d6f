"""The node's first process: containerd, kubelet and kube-proxy in mount, process and network namespaces of their own.

When it dies, the kernel ends every container and shim and drops every mount with it: that is what makes `down` clean.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

# Folders that these programs use by fixed name: private and empty for each life of the node.
PRIVATE = ("/run/containerd", "/run/netns", "/run/cni", "/var/lib/cni", "/var/log/pods", "/var/log/containers")
_RESTART_AFTER_SECONDS = 1.0


def main(plan_file: str) -> None:
    """Mount, start, then reap and restart for ever.

    `plan_file`: {"logs": DIR, "socket": FILE, "api_ready": FILE, "programs": {NAME: [ARGUMENT...]}}.
    """
    plan = json.loads(Path(plan_file).read_text())
    _mounts()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    alive: dict[int, str] = {}
    for name, command in plan["programs"].items():
        if name == "kubelet":  # it would otherwise back off from an API server that is still starting
            _wait_for(Path(plan["socket"]), Path(plan["api_ready"]))
        alive[_start(command, Path(plan["logs"]) / f"{name}.log", "wb")] = name
    while True:
        pid, status = os.wait()  # also reaps what the containers' shims leave behind
        name = alive.pop(pid, "")
        if name:
            print(f"{name} ended with {os.waitstatus_to_exitcode(status)}; starting it again", flush=True)
            time.sleep(_RESTART_AFTER_SECONDS)
            alive[_start(plan["programs"][name], Path(plan["logs"]) / f"{name}.log", "ab")] = name


def _wait_for(*files: Path) -> None:
    while not all(file.exists() for file in files):
        time.sleep(0.05)


def _mounts() -> None:
    # Pods may ask for mount propagation, which needs a shared root; it is shared within this namespace only.
    _mount("--make-rshared", "/")
    for folder in PRIVATE:
        _mount("-t", "tmpfs", "tmpfs", folder)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _start(command: list[str], log: Path, mode: str) -> int:
    with log.open(mode) as output:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT).pid


if __name__ == "__main__":
    main(sys.argv[1])
