"""The collector as a native sidecar: a container and volumes that can be put into any pod as whole new list items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelward.api.llmendpoint import ADMIN_PORT, COLLECTOR_PORT
from modelward.desired.installation import Installation
from modelward.desired.names import COLLECTOR, collector_config
from modelward.desired.pod import environment, restricted_security, token_mount, token_volume

CONFIG_VOLUME = "modelward-config"
CONFIG_DIRECTORY = "/etc/modelward/collector"
SPOOL_VOLUME = "modelward-spool"
SPOOL_DIRECTORY = "/var/lib/modelward"
SPOOL_LIMIT = "96Mi"
"""The collector keeps 64 MB at most; a pod over its limit would be evicted."""

REVISION_LABELS: Mapping[str, str] = {
    "Deployment": "pod-template-hash",
    "StatefulSet": "controller-revision-hash",
}
"""The pod label that distinguishes the revisions of a workload."""


def sidecar(
    endpoint: str,
    port: int,
    installation: Installation,
    resources: Mapping[str, Any],
    *,
    workload_kind: str = "Deployment",
    drain_seconds: int | None = None,
) -> dict[str, Any]:
    """Return the init container that keeps running beside a model server listening on `port`.

    It has no probe of any kind: a collector that is ill must not take the model out of service. `drain_seconds` is
    set where the pod's grace period is ours to choose.
    """
    revision = REVISION_LABELS[workload_kind]
    arguments = ["--upstream", f"http://127.0.0.1:{port}"]
    if drain_seconds is not None:
        arguments += ["--drain-seconds", str(drain_seconds)]
    return {
        **collector(endpoint, arguments, installation, resources, revision_label=revision),
        "restartPolicy": "Always",
    }


def collector(
    endpoint: str,
    arguments: Sequence[str],
    installation: Installation,
    resources: Mapping[str, Any],
    *,
    revision_label: str | None = None,
) -> dict[str, Any]:
    """Return the collector's container; without `revision_label` its own pod's revision says nothing of the model's."""
    return {
        "name": COLLECTOR,
        "image": installation.collector_image,
        "imagePullPolicy": "IfNotPresent",
        "args": list(arguments),
        "env": [*_identity(endpoint, revision_label), *environment(installation.pod)],
        "ports": [
            {"name": "mw-traffic", "containerPort": COLLECTOR_PORT, "protocol": "TCP"},
            {"name": "mw-admin", "containerPort": ADMIN_PORT, "protocol": "TCP"},
        ],
        "volumeMounts": [
            {"name": CONFIG_VOLUME, "mountPath": CONFIG_DIRECTORY, "readOnly": True},
            token_mount(),
            {"name": SPOOL_VOLUME, "mountPath": SPOOL_DIRECTORY},
        ],
        "resources": resources,
        "securityContext": restricted_security(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def volumes(endpoint: str) -> list[dict[str, Any]]:
    """Return the collector's volumes; the configuration is optional, so that a pod starts without it."""
    return [
        {"name": CONFIG_VOLUME, "configMap": {"name": collector_config(endpoint), "optional": True}},
        token_volume(),
        {"name": SPOOL_VOLUME, "emptyDir": {"sizeLimit": SPOOL_LIMIT}},
    ]


def _identity(endpoint: str, revision_label: str | None) -> list[dict[str, Any]]:
    variables = [
        _from_field("MODELWARD_NAMESPACE", "metadata.namespace"),
        _from_field("MODELWARD_POD", "metadata.name"),
        {"name": "MODELWARD_ENDPOINT", "value": endpoint},
    ]
    if revision_label:
        variables.append(_from_field("MODELWARD_REVISION", f"metadata.labels['{revision_label}']"))
    return variables


def _from_field(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}
