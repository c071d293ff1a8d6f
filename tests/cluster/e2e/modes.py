"""One namespace with an endpoint of every backend and mode, as users declare them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from installation import Installed, deployment, endpoint, scripted

PACE = ("--tokens-per-second", "100", "--concurrency", "16")
VLLM = (*PACE, "--dialect", "vllm")
OF_TEMPLATE = ("short", "long", "fronted", "scraped")
OF_WORKLOAD = ("watched", "relayed", "adopted", "given-back", "left")
ALL = (*OF_TEMPLATE, *OF_WORKLOAD, "remote")


@dataclass(frozen=True, slots=True)
class Modes:
    """The namespace, and the uids of the users' pods before any LLMEndpoint named their Deployment."""

    installed: Installed
    namespace: str
    users_pods: dict[str, set[str]]

    def pods(self, name: str) -> list[dict[str, Any]]:
        """Return the pods of the model behind an endpoint that are not on their way out."""
        found = self.installed.items("pods", self.namespace, self.selector(name))
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def uids(self, name: str) -> set[str]:
        """Return the uids of all pods of the model behind an endpoint."""
        return self.installed.pod_uids(self.namespace, self.selector(name))

    def selector(self, name: str) -> str:
        """Return the labels by which the model's pods are found."""
        if name in OF_TEMPLATE:
            return f"modelward.dev/endpoint={name},modelward.dev/component=model"
        return f"app=my-{name}"

    def model_url(self, name: str) -> str:
        """Return where one pod of the model answers, with nothing of ours in between."""
        return f"http://{self.pods(name)[0]['status']['podIP']}:8080"

    def url(self, name: str) -> str:
        """Return where clients of an endpoint ask: our Service, or the user's own where we only watch."""
        service = {"watched": "my-watched"}.get(name, f"{name}-collector" if name in OF_WORKLOAD else name)
        return self.installed.url(service, self.namespace)


def declarations() -> list[dict[str, Any]]:
    """Return the LLMEndpoints; `given-back` and `left` are adopted to be let go of again."""
    return [
        small("short", {"template": scripted(*PACE, cpu="10m")}, engine="llamacpp", replicas=2),
        small("long", {"template": {"port": 8080, "podTemplate": pod_template()}}, engine="llamacpp"),
        small("fronted", {"template": scripted(*PACE, cpu="10m")}, "Gateway", engine="llamacpp"),
        small("scraped", {"template": scripted(*VLLM, cpu="10m")}, "ScrapeOnly", engine="vllm"),
        small("watched", {"workloadRef": {"name": "my-watched"}}, engine="vllm"),
        small("relayed", {"workloadRef": {"name": "my-relayed"}}, "Gateway", engine="vllm"),
        *(
            small(name, {"workloadRef": {"name": f"my-{name}", "container": "server"}}, "Sidecar", engine="vllm")
            for name in ("adopted", "given-back", "left")
        ),
        small("remote", {"external": {"url": "http://my-watched:8080/v1"}}, engine="openai"),
    ]


def small(name: str, backend: dict[str, Any], mode: str | None = None, **spec: Any) -> dict[str, Any]:
    """Return an endpoint whose collectors ask for little, so that all modes fit on two cores at once."""
    resources = {"requests": {"cpu": "10m", "memory": "48Mi"}}
    return endpoint(name, backend, collector={"resources": resources, **({"mode": mode} if mode else {})}, **spec)


def pod_template() -> dict[str, Any]:
    """Return a whole pod template, with what a user has of their own in it."""
    container = {
        "name": "model",
        "image": "localhost/banking-bot:dev",
        "imagePullPolicy": "IfNotPresent",
        "args": ["/app/scripted.py", "--port", "8080", *PACE],
        "env": [{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 1},
    }
    spec = {
        "containers": [container, sleeper()],
        "volumes": [{"name": "cache", "emptyDir": {}}],
        "terminationGracePeriodSeconds": 5,
    }
    return {"metadata": {"labels": {"cost-centre": "42"}, "annotations": {"note": "theirs"}}, "spec": spec}


def sleeper() -> dict[str, Any]:
    """Return another container of the user's, such as those that ship logs."""
    return {
        "name": "logs",
        "image": "localhost/banking-bot:dev",
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", "import signal; signal.sigwait([signal.SIGTERM])"],
    }


def workloads() -> list[dict[str, Any]]:
    """Return the users' Deployments, a Service of their own, and an autoscaler that has the say over replicas."""
    return [
        deployment("my-watched", *VLLM),
        users_service("my-watched"),
        deployment("my-relayed", *VLLM, replicas=2),
        users_adopted(),
        autoscaler("my-adopted"),
        deployment("my-given-back", *VLLM),
        users_service("my-given-back"),
        deployment("my-left", *VLLM),
        users_service("my-left"),
    ]


def users_adopted(**annotations: str) -> dict[str, Any]:
    """Return the Deployment as its owner keeps it in Git: without replicas, because the autoscaler writes them."""
    made = deployment("my-adopted", *VLLM, sidecars=[sleeper()])
    del made["spec"]["replicas"]
    made["metadata"]["annotations"] |= annotations
    return made


def users_service(name: str) -> dict[str, Any]:
    """Return the user's own Service, which leads past any collector."""
    spec = {"selector": {"app": name}, "ports": [{"port": 8080, "targetPort": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def autoscaler(name: str) -> dict[str, Any]:
    """Return an autoscaler without numbers to go by: it still sees to it that there are two."""
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": target,
            "minReplicas": 2,
            "maxReplicas": 4,
            "metrics": [{"type": "Resource", "resource": cpu}],
        },
    }
