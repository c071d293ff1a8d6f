"""What a collector may use, such that it never takes a pod out of its class.

A pod is Guaranteed only while every container has limits for cpu and memory equal to its requests; one that loses
the class loses its exclusive cores and is evicted earlier (kubernetes.io/docs/concepts/workloads/pods/pod-qos).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from modelward.api.amount import amount
from modelward.api.collector_config import SMALLEST_MEMORY_BYTES
from modelward.api.llmendpoint import Resources

SIDECAR: Mapping[str, Mapping[str, str]] = {
    "requests": {"cpu": "50m", "memory": "96Mi"},
    "limits": {"memory": "192Mi"},
}
"""No limit on cpu: throttling a proxy shows in every token."""
GUARANTEED = {"cpu": "500m", "memory": "192Mi"}
"""Where a limit on cpu must be, it leaves room for bursts."""
GATEWAY: Mapping[str, Mapping[str, str]] = {
    "requests": {"cpu": "100m", "memory": "128Mi"},
    "limits": {"memory": "512Mi"},
}


def is_guaranteed(containers: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether a pod of these containers (init containers among them) is of class Guaranteed."""
    listed = list(containers)
    return bool(listed) and all(_holds(container.get("resources") or {}) for container in listed)


def _holds(resources: Mapping[str, Any]) -> bool:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name in ("cpu", "memory"):
        limit = amount(str(limits.get(name, "")))
        if not limit or amount(str(requests.get(name, limits[name]))) != limit:
            return False
    return True


def too_small(resources: Mapping[str, Mapping[str, str]]) -> str:
    """Return the memory limit of a collector's resources if it is too small to serve with; empty where it is enough."""
    limit = resources.get("limits", {}).get("memory", "")
    size = amount(limit)
    return limit if size is not None and size < SMALLEST_MEMORY_BYTES else ""


def collector_resources(
    written: Resources | None, defaults: Mapping[str, Mapping[str, str]], *, guaranteed: bool
) -> dict[str, dict[str, str]]:
    """Return a collector's requests and limits: the user's where written, and equal ones in a Guaranteed pod."""
    user = written.wire() if written is not None else {}
    if guaranteed:
        both = {**GUARANTEED, **(user.get("requests") or {}), **(user.get("limits") or {})}
        return {"requests": dict(both), "limits": dict(both)}
    if user:
        return {kind: dict(amounts) for kind, amounts in user.items() if amounts}
    return {kind: dict(amounts) for kind, amounts in defaults.items()}
