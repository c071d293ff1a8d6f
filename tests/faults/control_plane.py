"""A control plane of a test session's own: etcd, API server and controller-manager, with our CRDs, and no node."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

REPOSITORY = Path(__file__).resolve().parents[2]
CRDS = REPOSITORY / "crds"
_CACHE_HOME = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
_CACHE = Path(os.environ.get("MODELWARD_DEVCLUSTER_CACHE") or _CACHE_HOME / "modelward" / "devcluster")
_PORTS = 8


class NoControlPlaneError(Exception):
    """It does not start here; the message is what the program said."""


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """Where it is, and what an administrator does to it from outside; tests speak to it through a `Client`."""

    kubeconfig: Path
    state: Path
    ports: int

    @property
    def audit_log(self) -> Path:
        """Every request that was answered, as JSON lines (level Metadata)."""
        return self.state / "logs" / "audit.log"

    def kubectl(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002 - subprocess's name for it
        """Run kubectl and return what it printed; AssertionError with its words where it fails."""
        env = os.environ | {"KUBECONFIG": str(self.kubeconfig)}
        command = (str(_CACHE / "bin" / "kubectl"), *arguments)
        done = subprocess.run(command, input=input, env=env, capture_output=True, text=True, check=False, timeout=240)
        if done.returncode:
            raise AssertionError(f"`kubectl {' '.join(arguments)}` failed: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def apply(self, *objects: object, namespace: str | None = None) -> None:
        """Server-side apply as the manager `kubectl`."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        where = ("-n", namespace) if namespace else ()
        self.kubectl("apply", "--server-side", "--force-conflicts", *where, "-f", "-", input=text)

    def install_crds(self) -> None:
        """Apply our CRDs and wait until they are served."""
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRDS))
        names = [f"crd/{path.stem.partition('_')[2]}.modelward.dev" for path in sorted(CRDS.glob("*_*"))]
        self.kubectl("wait", "--for=condition=Established", "--timeout=120s", *names)


@contextmanager
def control_plane(
    nodes: int = 0, pod_cidr: str = "", objects: Path | None = None, keep: Path | None = None
) -> Iterator[ControlPlane]:
    """Start one in a temporary folder on free ports and stop it at the end; raises NoControlPlaneError.

    With `nodes` there are so many made-up ones, whose pods get loopback addresses of `pod_cidr`. What it holds at the
    end goes to the folder `keep`, and another one begins with it as its `objects`.
    """
    state, ports = Path(mkdtemp(prefix="modelward-control-plane-")), _free_ports()
    environ = {"MODELWARD_DEVCLUSTER_STATE": str(state), "MODELWARD_DEVCLUSTER_PORTS": str(ports)}
    environ |= {"MODELWARD_DEVCLUSTER_FAKE_PODS": pod_cidr} if pod_cidr else {}
    try:
        begin = (f"--objects={objects}",) if objects else ()
        printed = _devcluster(environ, "control-plane", f"--nodes={nodes}", *begin)
        here = ControlPlane(Path(printed.strip().splitlines()[-1]), state, ports)
        here.install_crds()
        yield here
    finally:
        _devcluster(environ, "control-plane", "--down", *((f"--keep={keep}",) if keep else ()))
        shutil.rmtree(state, ignore_errors=True)


def _devcluster(environ: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, str(REPOSITORY / "devcluster"), *arguments]
    done = subprocess.run(command, env=os.environ | environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoControlPlaneError(done.stderr.strip()[-2000:])
    return done.stdout


def _free_ports() -> int:
    """Return the first of some neighbouring ports of which none is in use."""
    first = 17_000 + (os.getpid() * 16) % 12_000
    for base in range(first, first + 4_000, 16):
        with ExitStack() as stack:
            try:
                for port in range(base, base + _PORTS):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return base
    raise NoControlPlaneError(f"no {_PORTS} free ports in a row from {first} on")
