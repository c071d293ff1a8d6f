"""`kubectl modelward` as people run it: a file on the PATH that kubectl finds, and a real API server."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from modelward.cli.plugin_file import write_plugin

pytestmark = pytest.mark.cluster

NAMESPACE = "plugin-users"
FIRES = {
    "policy": "baseline", "name": "Check/topic", "state": "Firing", "severity": "Warning",
    "since": "2026-11-27T11:30:00Z", "message": "31% > 10%", "deliveries": [{"receiver": "team", "told": "Firing"}],
}  # fmt: skip
FAILED = {
    "policy": "baseline", "name": "topic", "verdict": "Failed", "rate": "31%", "low": "24%", "high": "39%",
    "samples": 140, "reason": "AboveLimit", "message": "31% (24-39) > 10%",
}  # fmt: skip


@pytest.fixture(scope="module")
def shell(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what runs `kubectl modelward …` with the plugin's folder in front of the PATH."""
    root = Path(__file__).parents[2]
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(root / "crds"))
    for plural in ("llmendpoints", "alertsilences"):
        cluster.kubectl("wait", "--for=condition=Established", f"crd/{plural}.modelward.dev", "--timeout=120s")
    cluster.kubectl("create", "namespace", NAMESPACE)
    folder = tmp_path_factory.mktemp("plugin")
    write_plugin(folder)
    kubectl = cluster.program("kubectl")
    path = os.pathsep.join((str(folder), str(Path(kubectl).parent), os.environ["PATH"]))

    def run(*words: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [kubectl, *words],
            env=os.environ | {"KUBECONFIG": str(cluster.kubeconfig), "PATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout, done.stderr

    yield run
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def test_endpoints_are_listed_explained_and_their_alerts_acknowledged(cluster: Any, shell: Any) -> None:
    code, told, _ = shell("modelward", "status", "-n", NAMESPACE)
    assert (code, "kubectl apply -f examples/" in told) == (0, True)
    endpoint = {
        "apiVersion": "modelward.dev/v1alpha1",
        "kind": "LLMEndpoint",
        "metadata": {"name": "chat"},
        "spec": {"backend": {"external": {"url": "https://api.example.com/v1"}}},
    }
    cluster.apply(endpoint, NAMESPACE)
    status = {
        "health": "Degraded", "healthSince": "2026-11-27T11:48:00Z", "summary": "topic 31% (24-39) > 10%",
        "evaluations": [FAILED], "alerts": [FIRES],
    }  # fmt: skip
    patch = json.dumps({"status": status})
    cluster.kubectl("patch", "llmep", "chat", "-n", NAMESPACE, "--subresource=status", "--type=merge", "-p", patch)
    _, told, _ = shell("modelward", "status", "-n", NAMESPACE)
    assert told.splitlines()[1].split()[:3] == [NAMESPACE, "chat", "Degraded"]
    _, told, _ = shell("modelward", "why", "chat", "-n", NAMESPACE)
    assert "31% (24%-39%)" in told
    assert f"kubectl modelward ack -n {NAMESPACE} chat Check/topic" in told

    code, told, complaint = shell(
        "modelward", "ack", "chat", "Check/topic", "-n", NAMESPACE, "--comment", "rolling back"
    )
    assert (code, complaint) == (0, "")
    assert told.startswith("alertsilence.modelward.dev/ack-chat-")
    (made,) = json.loads(cluster.kubectl("get", "llmsil", "-n", NAMESPACE, "-o", "json"))["items"]
    assert made["spec"]["untilResolved"] is True
    assert made["spec"]["author"], "whoever reads it knows whom to ask"

    code, _, complaint = shell("modelward", "why", "nothing", "-n", NAMESPACE)
    assert code == 1
    assert 'error: Error from server (NotFound): llmendpoints.modelward.dev "nothing" not found' in complaint


def test_kubectl_completes_the_plugin_s_words(shell: Any) -> None:
    code, told, _ = shell("__complete", "modelward", "stat")
    assert code == 0
    assert told.split() == ["status", ":4"]
