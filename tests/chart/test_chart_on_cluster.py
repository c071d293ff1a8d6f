"""A real API server takes what the chart renders and what the examples say, and the rights suffice."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from chart_render import REPOSITORY, VALUES, Object, absent, documents, go, named, of_kind, render
from test_examples import FILES

if TYPE_CHECKING:
    from conftest import Cluster

pytestmark = pytest.mark.cluster

PROMETHEUS_OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
DRY = ("apply", "--server-side", "--force-conflicts", "--validate=strict", "--dry-run=server", "-f", "-")


def stream(objects: list[Object]) -> str:
    return yaml.safe_dump_all(objects)


@pytest.fixture(scope="module", autouse=True)
def crds(cluster: "Cluster") -> None:
    cluster.apply(of_kind(render({}), "CustomResourceDefinition"))
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=120s", "crd/llmendpoints.modelward.dev")


@pytest.fixture(scope="module")
def monitoring_crds(cluster: "Cluster") -> Iterator[None]:
    """The Prometheus operator's own CRDs, from its Go module."""
    command = [go(), "mod", "download", "-json", PROMETHEUS_OPERATOR]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd="/")
    if done.returncode:
        absent(f"the Go module of the Prometheus operator cannot be had: {done.stderr[-300:]}")
    folder = Path(json.loads(done.stdout)["Dir"]) / "example" / "prometheus-operator-crd"
    files = [folder / f"monitoring.coreos.com_{name}.yaml" for name in ("podmonitors", "prometheusrules")]
    had = cluster.kubectl("get", "crd", "-o", "name")
    for file in files:
        cluster.kubectl("apply", "--server-side", "-f", str(file))
        name = yaml.safe_load(file.read_text())["metadata"]["name"]
        cluster.kubectl("wait", "--for=condition=Established", "--timeout=120s", f"crd/{name}")
    yield
    if "podmonitors.monitoring.coreos.com" not in had:
        cluster.kubectl("delete", "--wait=false", *(word for file in files for word in ("-f", str(file))))


@pytest.mark.parametrize("name", [name for name in VALUES if name != "two namespaces"])
def test_the_api_server_takes_every_field(cluster: "Cluster", namespace: str, monitoring_crds: None, name: str) -> None:
    printed = cluster.kubectl(*DRY, input=stream(render(VALUES[name], namespace)))
    assert "deployment.apps/modelward serverside-applied" in printed


def test_pods_are_admitted_under_restricted_pod_security(cluster: "Cluster", namespace: str) -> None:
    cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted", "--overwrite")
    for name in ("defaults", "object store", "OpenShift"):
        objects = render(VALUES[name], namespace)
        cluster.apply(of_kind(objects, "ServiceAccount"))
        for item in of_kind(objects, "Deployment", "StatefulSet"):
            assert cluster.kubectl(*DRY, input=stream([pod_of(item, namespace)])), name
    cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce-")


def pod_of(workload: Object, namespace: str) -> Object:
    template = workload["spec"]["template"]
    claims = [c["metadata"]["name"] for c in workload["spec"].get("volumeClaimTemplates", [])]
    volumes = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"try-{workload['metadata']['name']}", "namespace": namespace},
        "spec": {**template["spec"], "volumes": [*template["spec"]["volumes"], *volumes]},
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_api_server_takes_the_example(cluster: "Cluster", namespace: str, path: Path) -> None:
    printed = cluster.kubectl(*DRY, "-n", namespace, input=path.read_text())
    assert "serverside-applied" in printed


def test_the_hub_may_make_its_config_map_and_no_other(cluster: "Cluster", namespace: str) -> None:
    objects = render({}, namespace)
    cluster.apply([o for o in objects if o["metadata"]["name"] == "modelward-hub" and o["kind"] != "StatefulSet"])
    hub = f"--as=system:serviceaccount:{namespace}:modelward-hub"

    def write(name: str) -> str:
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}}
        return cluster.kubectl(hub, "apply", "--server-side", "--validate=false", "-f", "-", input=stream([obj]))

    assert "serverside-applied" in write("modelward-hub-ca")
    with pytest.raises(AssertionError, match="forbidden"):
        write("another")


def test_in_some_namespaces_only_it_may_read_their_annotations_and_nothing_elsewhere(
    cluster: "Cluster", namespace: str
) -> None:
    objects = render({"watchNamespaces": [namespace]}, namespace)
    cluster.apply(of_kind(objects, "ServiceAccount", "Role", "RoleBinding"))
    operator = f"--as=system:serviceaccount:{namespace}:modelward"
    assert namespace in cluster.kubectl(operator, "get", "namespace", namespace)
    for words in (("namespace", "default"), ("pods", "-n", "default"), ("crd", "llmendpoints.modelward.dev")):
        with pytest.raises(AssertionError, match="Forbidden"):
            cluster.kubectl(operator, "get", *words)


@pytest.fixture
def operator(cluster: "Cluster", namespace: str, tmp_path: Path) -> Iterator[str]:
    """The operator as a process with the rights and settings of the chart and no more; yields its URL."""
    objects = render({"watchNamespaces": [namespace], "hub": {"enabled": False}, "statusInterval": "5s"}, namespace)
    cluster.apply(of_kind(objects, "ServiceAccount", "Role", "RoleBinding"))
    token = cluster.kubectl("create", "token", "modelward", "-n", namespace, "--duration=10m").strip()
    config = yaml.safe_load(cluster.kubectl("config", "view", "--raw", "--minify", "--flatten"))
    config["users"][0]["user"] = {"token": token}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    text = named(objects, "ConfigMap", "modelward-settings")["data"]["settings.yaml"]
    (tmp_path / "settings.yaml").write_text(text)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    environment = os.environ | {"KUBECONFIG": str(tmp_path / "kubeconfig"), "MODELWARD_LISTEN": address}
    arguments = ["operator", "--settings", str(tmp_path / "settings.yaml")]
    command = [sys.executable, "-c", "from modelward.cli.app import main; main()", *arguments]
    log = tmp_path / "log"
    with log.open("w") as out, subprocess.Popen(command, env=environment, stdout=out, stderr=out) as process:
        try:
            until(lambda: "leader_election_master_status{name=" in metrics(f"http://{address}", process, log))
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(30)


def metrics(url: str, process: "subprocess.Popen[bytes] | None" = None, log: Path | None = None) -> str:
    """Return the operator's /metrics, empty while it does not answer; fail with its log when it has ended."""
    if process is not None and log is not None and process.poll() is not None:
        pytest.fail(f"the operator ended ({process.returncode}): {log.read_text()[-3000:]}")
    try:
        with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def test_the_rights_suffice_for_all_that_the_operator_does(cluster: "Cluster", namespace: str, operator: str) -> None:
    examples = [REPOSITORY / "examples" / f"{name}.yaml" for name in ("external-api", "template", "watch-a-deployment")]
    found = [document for path in examples for document in documents(path.read_text())]
    for i, document in enumerate(found):
        document["metadata"]["name"] = f"try-{i}"
    endpoints = [document for document in found if document["kind"] == "LLMEndpoint"]
    cluster.apply(found, namespace)
    for endpoint in endpoints:
        until(lambda name=endpoint["metadata"]["name"]: judged(cluster, namespace, name))
    made = cluster.kubectl("get", "deployments,services,configmaps,serviceaccounts", "-n", namespace, "-o", "name")
    for name in ("deployment.apps/try-0-gateway", "serviceaccount/modelward-gateway", "deployment.apps/try-2"):
        assert name in made
    cluster.kubectl("scale", "llmendpoints.modelward.dev", "try-2", "-n", namespace, "--replicas=2")
    until(lambda: cluster.kubectl("get", "deployment/try-2", "-n", namespace, "-o", "jsonpath={.spec.replicas}") == "2")
    cluster.kubectl("delete", "llmendpoints.modelward.dev,monitoringpolicies.modelward.dev", "--all", "-n", namespace)
    counted = [line for line in metrics(operator).splitlines() if line.startswith("rest_client_requests_total")]
    assert any('code="200",method="PATCH"' in line for line in counted)
    assert [line for line in counted if 'code="403"' in line or 'code="401"' in line] == []


def judged(cluster: "Cluster", namespace: str, name: str) -> bool:
    status: dict[str, Any] = json.loads(
        cluster.kubectl("get", "llmendpoints.modelward.dev", name, "-n", namespace, "-o", "json")
    ).get("status", {})
    return bool(status.get("observedGeneration")) and bool(status.get("conditions"))


def until(holds: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.5)
