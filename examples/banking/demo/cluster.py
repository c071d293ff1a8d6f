"""The demo's hands on the cluster: the one-node Kubernetes, kubectl and helm."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
DEVCLUSTER = [sys.executable, str(ROOT / "devcluster")]


def devcluster(*arguments: str) -> None:
    """Run a command of the one-node Kubernetes with its own progress shown."""
    subprocess.run([*DEVCLUSTER, *arguments], check=True, cwd=ROOT)


def image_id(name: str) -> str:
    """Return the id of one of our images, as it was built last."""
    return _run(["buildah", "images", "--quiet", name], None).strip()


class Cluster:
    """The running one-node Kubernetes."""

    def __init__(self) -> None:
        self.kubeconfig = self._ask("kubeconfig")

    def kubectl(self, *arguments: str, feed: str | None = None) -> str:
        """Run kubectl and return what it printed; raises with kubectl's own words."""
        return _run([*DEVCLUSTER, "kubectl", *arguments], feed)

    def helm(self, *arguments: str) -> str:
        """Run helm and return what it printed."""
        return _run([*DEVCLUSTER, "helm", *arguments], None)

    def get(self, kind: str, name: str, namespace: str) -> dict[str, Any]:
        """Return one object."""
        found: dict[str, Any] = json.loads(self.kubectl("get", kind, name, "-n", namespace, "-o", "json"))
        return found

    def watch(self, kind: str, namespace: str) -> subprocess.Popen[str]:
        """Start `kubectl get -w`; the caller ends it."""
        return subprocess.Popen(
            [*DEVCLUSTER, "kubectl", "get", kind, "-n", namespace, "-w"], stdout=subprocess.PIPE, text=True
        )

    @staticmethod
    def _ask(*arguments: str) -> str:
        return _run([*DEVCLUSTER, *arguments], None).strip()


class CommandFailedError(Exception):
    """A command failed; the message is the command and its last words."""


def _run(command: list[str], feed: str | None) -> str:
    done = subprocess.run(command, input=feed, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr or done.stdout).strip()[-1500:]
        raise CommandFailedError(f"{' '.join(command[:6])} …: {words}")
    return done.stdout
