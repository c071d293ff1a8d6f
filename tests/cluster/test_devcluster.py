"""The development cluster is a real one: what our own tests on it rely on, each tried once."""

import json
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Cluster

pytestmark = pytest.mark.cluster

IMAGE = "localhost/modelward-collector:dev"
PYTHON = "/opt/modelward/bin/python"


def pod(name: str, script: str, **spec: Any) -> dict[str, Any]:
    """A pod that runs a Python script once."""
    container = {"name": "main", "image": IMAGE, "imagePullPolicy": "IfNotPresent", "command": [PYTHON, "-c", script]}
    container |= spec.pop("container", {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container], **spec},
    }


@pytest.fixture(scope="module", autouse=True)
def _python_to_run(images: None) -> None:
    """These tests run Python in pods: that of the collector's image."""


def finished(cluster: "Cluster", namespace: str, name: str) -> str:
    """Wait for a pod to succeed and return its log."""
    cluster.kubectl(
        "wait", "-n", namespace, f"pod/{name}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s"
    )
    return cluster.kubectl("logs", "-n", namespace, name)


def test_the_node_is_ready_and_of_the_stamped_version(cluster: "Cluster") -> None:
    node = json.loads(cluster.kubectl("get", "nodes", "-o", "json"))["items"][0]
    conditions = {condition["type"]: condition["status"] for condition in node["status"]["conditions"]}
    assert conditions["Ready"] == "True"
    assert node["status"]["nodeInfo"]["kubeletVersion"].startswith("v1.")


def test_a_pod_resolves_services_by_full_and_short_name(cluster: "Cluster", namespace: str) -> None:
    script = (
        "import socket\n"
        "for name in ('kubernetes.default.svc.cluster.local', 'kubernetes.default', 'own'):\n"
        "    print(name, socket.gethostbyname(name))"
    )
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "own"},
        "spec": {"ports": [{"port": 80}], "selector": {"app": "none"}},
    }
    cluster.apply([service], namespace)
    time.sleep(1)
    cluster.apply(pod("resolver", script), namespace)
    answers = dict(line.split() for line in finished(cluster, namespace, "resolver").splitlines())
    own = cluster.kubectl("get", "service", "-n", namespace, "own", "-o", "jsonpath={.spec.clusterIP}")
    assert answers["own"] == own
    assert answers["kubernetes.default"] == answers["kubernetes.default.svc.cluster.local"]


def test_a_claim_is_bound_and_a_pod_without_root_writes_to_it(cluster: "Cluster", namespace: str) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    mounted = pod(
        "writer",
        "open('/data/file', 'w').write('kept'); print(open('/data/file').read())",
        container={"volumeMounts": [{"name": "data", "mountPath": "/data"}]},
        volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    )
    cluster.apply([claim, mounted], namespace)
    assert finished(cluster, namespace, "writer").strip() == "kept"
    assert cluster.kubectl("get", "pvc", "-n", namespace, "data", "-o", "jsonpath={.status.phase}") == "Bound"
    volume = cluster.kubectl("get", "pvc", "-n", namespace, "data", "-o", "jsonpath={.spec.volumeName}")
    cluster.kubectl("delete", "-n", namespace, "pod/writer", "pvc/data")
    cluster.kubectl("wait", f"pv/{volume}", "--for=delete", "--timeout=120s")


def test_a_native_sidecar_serves_beside_the_container_and_exec_reaches_it(cluster: "Cluster", namespace: str) -> None:
    sidecar = {
        "name": "sidecar",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "restartPolicy": "Always",
        "command": [PYTHON, "-m", "http.server", "8000", "--directory", "/etc"],
        "startupProbe": {"httpGet": {"path": "/hostname", "port": 8000}, "periodSeconds": 1, "failureThreshold": 30},
    }
    script = (
        "import time, urllib.request as u\n"
        "print(u.urlopen('http://127.0.0.1:8000/hostname').status, flush=True)\n"
        "time.sleep(60)"
    )
    cluster.apply(pod("paired", script, initContainers=[sidecar]), namespace)
    cluster.kubectl("wait", "-n", namespace, "pod/paired", "--for=condition=Ready", "--timeout=120s")
    said = cluster.kubectl("exec", "-n", namespace, "paired", "-c", "sidecar", "--", "id", "-u")
    assert said.strip() == "65532"
    for _ in range(50):
        if cluster.kubectl("logs", "-n", namespace, "paired", "-c", "main").strip() == "200":
            return
        time.sleep(0.2)
    pytest.fail("the container does not reach its sidecar")


def test_a_service_answers_on_this_machine_and_in_pods(cluster: "Cluster", namespace: str) -> None:
    server = pod("server", "", container={"command": [PYTHON, "-m", "http.server", "8000", "--directory", "/etc"]})
    server["metadata"]["labels"] = {"app": "server"}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "server"},
        "spec": {"ports": [{"port": 80, "targetPort": 8000}], "selector": {"app": "server"}},
    }
    address = "jsonpath={.spec.clusterIP}"
    caller = (
        "import time, urllib.request as u\n"
        "for _ in range(50):\n"
        "    try:\n"
        "        print(u.urlopen('http://server/hostname', timeout=2).status)\n"
        "        break\n"
        "    except OSError:\n"
        "        time.sleep(0.2)"
    )
    cluster.apply([server, service, pod("caller", caller)], namespace)
    assert finished(cluster, namespace, "caller").strip() == "200"
    host = cluster.kubectl("get", "service", "-n", namespace, "server", "-o", address)
    with urllib.request.urlopen(f"http://{host}/hostname", timeout=30) as answer:
        assert answer.status == 200


def test_admission_policies_of_both_kinds_are_served(cluster: "Cluster") -> None:
    kinds = cluster.kubectl("api-resources", "--api-group=admissionregistration.k8s.io", "-o", "name")
    assert "validatingadmissionpolicies" in kinds
    assert "mutatingadmissionpolicies" in kinds


def test_a_blocking_owner_reference_needs_the_right_to_finalize(cluster: "Cluster", namespace: str) -> None:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "writer"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "get", "patch"]}],
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "writer"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "writer"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}],
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "owner"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "owner"}},
            "template": {
                "metadata": {"labels": {"app": "owner"}},
                "spec": {"containers": [{"name": "c", "image": IMAGE}]},
            },
        },
    }
    cluster.apply([role, binding, deployment], namespace)
    uid = cluster.kubectl("get", "deployment", "-n", namespace, "owner", "-o", "jsonpath={.metadata.uid}")
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "owner", "uid": uid, "blockOwnerDeletion": True}
    child = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "child", "ownerReferences": [owner]}}
    account = f"system:serviceaccount:{namespace}:default"
    with pytest.raises(AssertionError, match="cannot set blockOwnerDeletion"):
        cluster.kubectl("create", "-n", namespace, "--as", account, "-f", "-", input=json.dumps(child))
