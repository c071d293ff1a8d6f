"""The gateway: collectors in a Deployment of their own, before pods that are not ours to change or an external API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from modelward.api.llmendpoint import ADMIN_PORT, LLMEndpoint
from modelward.desired import collector_container, names
from modelward.desired.finding import Finding
from modelward.desired.installation import Installation
from modelward.desired.ownership import child_metadata
from modelward.desired.pod import settled_metadata, settled_spec
from modelward.desired.quality_of_service import GATEWAY, collector_resources
from modelward.reasons.accepted import AcceptedReason

LEAVE_SECONDS = 10
"""How long a leaving gateway still takes requests, until every node knows that it left."""
GRACE_SECONDS = 15


def url_problem(endpoint: LLMEndpoint) -> Finding | None:
    """Return why a gateway cannot connect to the external URL, where its pattern cannot tell (port 99999)."""
    external = endpoint.spec.backend.external
    try:
        parts = urlsplit(external.url if external is not None else "http://localhost")
        problem = "" if parts.hostname and parts.port != 0 else "it has no host, or port 0"
    except ValueError as error:
        problem = str(error)
    return Finding(AcceptedReason.INVALID_SPEC, f"spec.backend.external.url: {problem}") if problem else None


def gateway_workload(endpoint: LLMEndpoint, installation: Installation, port: int | None) -> dict[str, Any]:
    """Return the gateway's Deployment; it may roll with a new release, because it holds no model and drains.

    `port` is the model server's; None before an external API. Pods are found by the name of a headless Service, not by
    a list that the operator would have to keep: they come and go while it is away.
    """
    name = endpoint.metadata.name
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": child_metadata(endpoint, names.gateway(name), "gateway"),
        "spec": {
            "replicas": endpoint.spec.gateway.replicas,
            "selector": {"matchLabels": names.selector(name, "gateway")},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {
                "metadata": settled_metadata(installation.pod, names.labels(name, "gateway")),
                "spec": settled_spec(_pod_spec(endpoint, installation, port), installation.pod),
            },
        },
    }


def _pod_spec(endpoint: LLMEndpoint, installation: Installation, port: int | None) -> dict[str, Any]:
    name = endpoint.metadata.name
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": names.selector(name, "gateway")},
    }
    return {
        "serviceAccountName": names.GATEWAY_ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": LEAVE_SECONDS + endpoint.spec.drain_seconds + GRACE_SECONDS,
        "topologySpreadConstraints": [spread],
        "containers": [_container(endpoint, installation, port)],
        "volumes": list(collector_container.volumes(name)),
    }


def _container(endpoint: LLMEndpoint, installation: Installation, port: int | None) -> dict[str, Any]:
    name = endpoint.metadata.name
    resources = collector_resources(endpoint.spec.collector.resources, GATEWAY, guaranteed=False)
    container = collector_container.collector(name, _arguments(endpoint, port), installation, resources)
    probe = {"httpGet": {"path": "/readyz", "port": ADMIN_PORT}, "periodSeconds": 5, "timeoutSeconds": 3}
    return {
        **container,
        "readinessProbe": probe,
        "lifecycle": {"preStop": {"sleep": {"seconds": LEAVE_SECONDS}}},
    }


def _arguments(endpoint: LLMEndpoint, port: int | None) -> Sequence[str]:
    external = endpoint.spec.backend.external
    drain = ("--drain-seconds", str(endpoint.spec.drain_seconds))
    if external is not None:
        return ("--upstream", external.url, *drain)
    host = f"{names.model_pods(endpoint.metadata.name)}.{endpoint.metadata.namespace}.svc"
    return ("--upstream-name", f"http://{host}:{port}", *drain)
