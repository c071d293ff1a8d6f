"""The gateway: collectors in a Deployment of their own, before pods that are not ours to change or an external API."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from modelward.api.collector_config import UPSTREAMS_FILE_NAME
from modelward.api.llmendpoint import ADMIN_PORT, LLMEndpoint
from modelward.desired import collector_container, names
from modelward.desired.installation import Installation
from modelward.desired.ownership import child_metadata
from modelward.desired.pod import settled_metadata, settled_spec
from modelward.desired.quality_of_service import GATEWAY, collector_resources

UPSTREAMS_VOLUME = "modelward-upstreams"
UPSTREAMS_DIRECTORY = "/etc/modelward/upstreams"
LEAVE_SECONDS = 5
"""How long a leaving gateway still takes requests, until every node knows that it left."""
GRACE_SECONDS = 15


def gateway_workload(endpoint: LLMEndpoint, installation: Installation) -> dict[str, Any]:
    """Return the gateway's Deployment; it may roll with a new release, for it holds no model and drains."""
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
                "spec": settled_spec(_pod_spec(endpoint, installation), installation.pod),
            },
        },
    }


def _pod_spec(endpoint: LLMEndpoint, installation: Installation) -> dict[str, Any]:
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
        "containers": [_container(endpoint, installation)],
        "volumes": [*collector_container.volumes(name), *_upstream_volumes(endpoint)],
    }


def _container(endpoint: LLMEndpoint, installation: Installation) -> dict[str, Any]:
    name = endpoint.metadata.name
    resources = collector_resources(endpoint.spec.collector.resources, GATEWAY, guaranteed=False)
    container = collector_container.collector(name, _arguments(endpoint), installation, resources)
    if _upstream_volumes(endpoint):
        mount = {"name": UPSTREAMS_VOLUME, "mountPath": UPSTREAMS_DIRECTORY, "readOnly": True}
        container["volumeMounts"] = [*container["volumeMounts"], mount]
    probe = {"httpGet": {"path": "/readyz", "port": ADMIN_PORT}, "periodSeconds": 5, "timeoutSeconds": 3}
    return {
        **container,
        "readinessProbe": probe,
        "lifecycle": {"preStop": {"sleep": {"seconds": LEAVE_SECONDS}}},
    }


def _arguments(endpoint: LLMEndpoint) -> Sequence[str]:
    external = endpoint.spec.backend.external
    if external is not None:
        return ("--upstream", external.url)
    return ("--upstream-file", f"{UPSTREAMS_DIRECTORY}/{UPSTREAMS_FILE_NAME}")


def _upstream_volumes(endpoint: LLMEndpoint) -> list[dict[str, Any]]:
    if endpoint.spec.backend.external is not None:
        return []
    source = {"name": names.upstreams(endpoint.metadata.name), "optional": True}
    return [{"name": UPSTREAMS_VOLUME, "configMap": source}]


def upstreams(endpoint: LLMEndpoint, pod_ips: Iterable[str], port: int) -> dict[str, Any]:
    """Return the ConfigMap that tells the gateway which pods serve, by their IPs (v4 or v6)."""
    hosts = (f"[{ip}]" if ":" in ip else ip for ip in sorted(set(pod_ips)))
    content = {"upstreams": [f"http://{host}:{port}" for host in hosts]}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": child_metadata(endpoint, names.upstreams(endpoint.metadata.name), "config"),
        "data": {UPSTREAMS_FILE_NAME: json.dumps(content, separators=(",", ":"))},
    }
