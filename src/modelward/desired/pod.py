"""What all pods of ours have in common: restricted security, the hub's token, and the cluster's pod settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelward.desired.installation import PodSettings
from modelward.desired.names import TOKEN_AUDIENCE

USER_ID = 65_532
"""`nonroot` of the distroless images; our images use it too."""
TOKEN_VOLUME = "modelward-token"  # noqa: S105  # a volume's name
TOKEN_DIRECTORY = "/var/run/modelward"  # noqa: S105  # a path
TOKEN_SECONDS = 3_600


def restricted_security() -> dict[str, Any]:
    """Return a container's security context that passes the Pod Security Standard `restricted`."""
    return {
        "runAsNonRoot": True,
        "runAsUser": USER_ID,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def token_volume() -> dict[str, Any]:
    """Return the volume with the token that the hub accepts; it works without the automounted one."""
    token = {"audience": TOKEN_AUDIENCE, "expirationSeconds": TOKEN_SECONDS, "path": "token"}
    return {"name": TOKEN_VOLUME, "projected": {"sources": [{"serviceAccountToken": token}]}}


def token_mount() -> dict[str, Any]:
    """Return the mount of `token_volume`."""
    return {"name": TOKEN_VOLUME, "mountPath": TOKEN_DIRECTORY, "readOnly": True}


def environment(settings: PodSettings) -> list[dict[str, Any]]:
    """Return the variables that the cluster gives to our containers."""
    return [{"name": name, "value": value} for name, value in sorted(settings.env.items()) if value]


def settled_spec(spec: Mapping[str, Any], settings: PodSettings) -> dict[str, Any]:
    """Return a pod spec with the cluster's settings where it has none of its own; pull secrets are added to its own.

    A field that the spec has wins whole: a node selector of the cluster beside that of a user could fit no node.
    """
    settled = {name: value for name, value in _scheduling(settings).items() if not spec.get(name)}
    secrets = [dict(secret) for secret in spec.get("imagePullSecrets") or ()]
    known = {secret.get("name") for secret in secrets}
    secrets += [{"name": name} for name in settings.image_pull_secrets if name not in known]
    return {**spec, **settled, **({"imagePullSecrets": secrets} if secrets else {})}


def _scheduling(settings: PodSettings) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "nodeSelector": dict(settings.node_selector),
        "tolerations": [dict(toleration) for toleration in settings.tolerations],
        "priorityClassName": settings.priority_class_name,
    }
    return {name: value for name, value in fields.items() if value}


def settled_metadata(
    settings: PodSettings, labels: Mapping[str, str], annotations: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return a pod template's metadata; what is given wins over the cluster's labels and annotations."""
    notes = {**settings.annotations, **(annotations or {})}
    return {"labels": {**settings.labels, **labels}, **({"annotations": notes} if notes else {})}
