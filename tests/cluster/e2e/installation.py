"""Modelward as users install it, and what tests ask of it: conditions, pods, Services, scripted engines."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from waiting import PROCESS_PATIENCE_S

SYSTEM = "modelward-system"
ENDPOINTS = "llmendpoints.modelward.dev"
REPOSITORY = Path(__file__).resolve().parents[3]
T = TypeVar("T")


class Cluster(Protocol):
    """The part of the fixture `cluster` that is needed here."""

    def kubectl(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002 - subprocess's name for it
        """Run kubectl and return what it printed."""
        ...

    def helm(self, *arguments: str) -> str:
        """Run Helm and return what it printed."""
        ...


@dataclass(frozen=True, slots=True)
class Installed:
    """A cluster with Modelward in it, and what the tests ask of it."""

    cluster: Cluster

    def apply(self, namespace: str, *objects: dict[str, Any]) -> None:
        """Apply as a user does, with client-side `kubectl apply`."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        self.cluster.kubectl("apply", "-n", namespace, "-f", "-", input=text)

    def dry_run(self, namespace: str, object_: dict[str, Any]) -> dict[str, Any]:
        """Return what the API server would make of an object."""
        arguments = ("create", "--dry-run=server", "-o", "json", "-n", namespace, "-f", "-")
        made: dict[str, Any] = json.loads(self.cluster.kubectl(*arguments, input=json.dumps(object_)))
        return made

    def get(self, kind: str, name: str, namespace: str) -> dict[str, Any]:
        """Return one object."""
        found: dict[str, Any] = json.loads(self.cluster.kubectl("get", kind, name, "-n", namespace, "-o", "json"))
        return found

    def items(self, kind: str, namespace: str, selector: str = "") -> list[dict[str, Any]]:
        """Return all objects of a kind."""
        where = ("-l", selector) if selector else ()
        found = json.loads(self.cluster.kubectl("get", kind, "-n", namespace, *where, "-o", "json"))
        items: list[dict[str, Any]] = found["items"]
        return items

    def status(self, name: str, namespace: str) -> dict[str, Any]:
        """Return an endpoint's status, empty while there is none."""
        found: dict[str, Any] = self.get(ENDPOINTS, name, namespace).get("status", {})
        return found

    def condition(self, name: str, namespace: str, type_: str) -> tuple[str, str, str]:
        """Return (status, reason, message) of an endpoint's condition; empty strings while there is none."""
        for one in self.status(name, namespace).get("conditions", []):
            if one["type"] == type_:
                return one["status"], one["reason"], one.get("message", "")
        return "", "", ""

    def until(self, what: str, look: Callable[[], T | None], limit_s: float = PROCESS_PATIENCE_S) -> T:
        """Poll until something comes; the failure names it and shows where the namespace stands."""
        deadline = time.monotonic() + limit_s
        while True:
            found = look()
            if found is not None and found is not False:
                return found
            assert time.monotonic() < deadline, f"{what} did not come within {limit_s:.0f} s"
            time.sleep(0.5)

    def until_condition(
        self, name: str, namespace: str, type_: str, status: str, limit_s: float = PROCESS_PATIENCE_S
    ) -> str:
        """Wait for a condition's status; return its reason."""

        def look() -> str | None:
            now, reason, _ = self.condition(name, namespace, type_)
            return reason if now == status else None

        try:
            return self.until(f"{type_}={status} of {namespace}/{name}", look, limit_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.condition(name, namespace, type_)}") from None

    def pod_uids(self, namespace: str, selector: str) -> set[str]:
        """Return the uids of the pods that a selector finds."""
        return {pod["metadata"]["uid"] for pod in self.items("pods", namespace, selector)}

    def url(self, service: str, namespace: str) -> str:
        """Return where a Service answers from this machine."""
        spec = self.get("service", service, namespace)["spec"]
        return f"http://{spec['clusterIP']}:{spec['ports'][0]['port']}"


def helm_install(cluster: Cluster, *settings: str) -> None:
    """Install or upgrade the release; the pods roll when the image behind the tag is another one."""
    image = subprocess.run(
        ["buildah", "images", "--quiet", "localhost/modelward:dev"], capture_output=True, text=True, check=True
    ).stdout.strip()
    cluster.helm(
        *("upgrade", "--install", "modelward", str(REPOSITORY / "helm" / "modelward")),
        *("-n", SYSTEM, "--create-namespace", "--take-ownership", "--wait", "--timeout", "3m"),
        *("--set", "image.repository=localhost/modelward,image.tag=dev"),
        *("--set", "collectorImage.repository=localhost/modelward-collector,collectorImage.tag=dev"),
        *("--set", "statusInterval=2s,scrapeInterval=2s"),
        *("--set-string", f"operator.podAnnotations.image={image},hub.podAnnotations.image={image}"),
        *(part for setting in settings for part in ("--set", setting)),
    )


def rolled_out(workload: dict[str, Any]) -> bool:
    """Return whether all pods of a Deployment are ready and of its newest template, and no others are left."""
    status = workload.get("status", {})
    counts = {status.get(one) for one in ("replicas", "updatedReplicas", "readyReplicas")}
    return status.get("observedGeneration") == workload["metadata"]["generation"] and counts == {
        workload["spec"]["replicas"]
    }


def scripted(*arguments: str, cpu: str = "50m") -> dict[str, Any]:
    """Return the short form of a template that runs the scripted engine."""
    return {
        "image": "localhost/banking-bot:dev",
        "args": ["/app/scripted.py", "--port", "8080", *arguments],
        "port": 8080,
        "resources": {"requests": {"cpu": cpu, "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
    }


def deployment(name: str, *arguments: str, replicas: int = 1, **pod: Any) -> dict[str, Any]:
    """Return a user's own Deployment of the scripted engine."""
    container = {
        "name": "server",
        "image": "localhost/banking-bot:dev",
        "imagePullPolicy": "IfNotPresent",
        "args": ["/app/scripted.py", "--port", "8080", *arguments],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 1},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name}, "annotations": {"team": "theirs"}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [container, *pod.get("sidecars", ())], "terminationGracePeriodSeconds": 5},
            },
        },
    }


def endpoint(name: str, backend: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """Return an LLMEndpoint labelled `watch: yes`."""
    return {
        "apiVersion": "modelward.dev/v1alpha1",
        "kind": "LLMEndpoint",
        "metadata": {"name": name, "labels": {"watch": "yes"}},
        "spec": {"backend": backend, **spec},
    }


QUESTIONS = REPOSITORY / "examples" / "banking" / "questions.txt"


def questions(path: Path = QUESTIONS) -> list[tuple[str, bool]]:
    """Return (question, whether it is about banking)."""
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    return [(str(row["question"]), bool(row["inScope"])) for row in rows]
