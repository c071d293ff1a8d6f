"""What a collector may use, such that it never takes a pod out of its class.

A pod is Guaranteed only while every container has limits for cpu and memory equal to its requests; one that loses
the class loses its exclusive cores and is evicted earlier (kubernetes.io/docs/concepts/workloads/pods/pod-qos).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from modelward.api.llmendpoint import Resources

_SUFFIXES: Mapping[str, Fraction] = {
    **{suffix: Fraction(10) ** power for suffix, power in zip("num", (-9, -6, -3), strict=True)},
    "": Fraction(1),
    **{suffix: Fraction(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Fraction(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}
_QUANTITY = re.compile(r"^([+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+)(?:[eE]([+-]?[0-9]{1,2})|([A-Za-z]{0,2}))$")

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


def quantity(text: str) -> Fraction | None:
    """Return the value of a Kubernetes quantity such as `1500m` or `2Gi`; None when it is none."""
    match = _QUANTITY.match(text.strip())
    if match is None or (match[3] or "") not in _SUFFIXES:
        return None
    return Fraction(match[1]) * (Fraction(10) ** int(match[2]) if match[2] else _SUFFIXES[match[3] or ""])


def is_guaranteed(containers: Iterable[Mapping[str, Any]]) -> bool:
    """Tell whether a pod of these containers (init containers among them) is of class Guaranteed."""
    listed = list(containers)
    return bool(listed) and all(_holds(container.get("resources") or {}) for container in listed)


def _holds(resources: Mapping[str, Any]) -> bool:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name in ("cpu", "memory"):
        limit = quantity(str(limits.get(name, "")))
        if not limit or quantity(str(requests.get(name, limits[name]))) != limit:
            return False
    return True


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
