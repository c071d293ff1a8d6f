"""The Service by which clients reach an endpoint through its collector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelward.api.llmendpoint import COLLECTOR_PORT, LLMEndpoint
from modelward.desired import names
from modelward.desired.finding import Finding
from modelward.desired.ownership import child_metadata
from modelward.reasons.accepted import AcceptedReason


def service(
    endpoint: LLMEndpoint, workload: Mapping[str, Any] | None = None, *, direct_port: int | None = None
) -> dict[str, Any] | Finding | None:
    """Return our Service, or None where a workload is only watched: its own Services lead to it.

    `workload` is the adopted one, whose pods are found by its own selector. A model that Modelward runs without a
    collector is reached directly. `direct_port` is the model's own where not every pod has a sidecar (it is being put
    in, or was removed by another writer): where no collector listens requests would fail.
    """
    template = endpoint.spec.backend.template
    if endpoint.mode == "Gateway":
        return _service(endpoint, names.selector(endpoint.metadata.name, "gateway"), COLLECTOR_PORT)
    if template is not None:
        port = (direct_port or COLLECTOR_PORT) if endpoint.mode == "Sidecar" else template.port
        return _service(endpoint, names.selector(endpoint.metadata.name, "model"), port)
    if endpoint.mode == "ScrapeOnly" or workload is None:
        return None
    selector = _match_labels(workload)
    return selector if isinstance(selector, Finding) else _service(endpoint, selector, direct_port or COLLECTOR_PORT)


def pods_service(endpoint: LLMEndpoint, workload: Mapping[str, Any] | None, port: int) -> dict[str, Any] | Finding:
    """Return the headless Service whose name has an address for each ready pod of the model, for a gateway to ask.

    `workload` is the one that is watched, None for a model that Modelward runs.
    """
    name = endpoint.metadata.name
    selector = names.selector(name, "model") if workload is None else _match_labels(workload)
    if isinstance(selector, Finding):
        return selector
    ports = [{"name": "http", "port": port, "protocol": "TCP", "targetPort": port}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": child_metadata(endpoint, names.model_pods(name), "gateway"),
        "spec": {"type": "ClusterIP", "clusterIP": "None", "selector": dict(selector), "ports": ports},
    }


def _match_labels(workload: Mapping[str, Any]) -> Mapping[str, str] | Finding:
    selector = workload["spec"]["selector"]
    labels: Mapping[str, str] = selector.get("matchLabels") or {}
    if labels and not selector.get("matchExpressions"):
        return labels
    named = f"{workload['kind']} {workload['metadata']['name']}"
    return Finding(
        AcceptedReason.REFUSED, f"{named} selects its pods by matchExpressions, which a Service cannot; use ScrapeOnly"
    )


def service_url(endpoint: LLMEndpoint) -> str:
    """Return the URL of our Service inside the cluster, for `status.address`; it names no cluster domain."""
    port = "" if endpoint.spec.service.port == 80 else f":{endpoint.spec.service.port}"  # HTTP's own
    return f"http://{endpoint.service_name}.{endpoint.metadata.namespace}.svc{port}"


def _service(endpoint: LLMEndpoint, selector: Mapping[str, str], target_port: int) -> dict[str, Any]:
    component: names.Component = "gateway" if endpoint.mode == "Gateway" else "model"
    port = {
        "name": "http",
        "port": endpoint.spec.service.port,
        "protocol": "TCP",
        "appProtocol": "http",
        "targetPort": target_port,
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": child_metadata(endpoint, endpoint.service_name, component),
        "spec": {"type": "ClusterIP", "selector": dict(selector), "ports": [port]},
    }
