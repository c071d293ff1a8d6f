"""What the operator shows the hub of the cluster's objects, for people to read: never a pod template or its env."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from modelward.api.objects import KubeObject

ShownKind = Literal["LLMEndpoint", "MonitoringPolicy", "Evaluator", "AlertSilence"]
SHOWN_KINDS: tuple[ShownKind, ...] = get_args(ShownKind)
_SCALING_AND_PRICES = ("engine", "replicas", "scaling", "paused")
MAX_OBJECT_BYTES = 512 << 10


@dataclass(frozen=True, slots=True, order=True)
class ShownName:
    """Which object."""

    kind: ShownKind
    namespace: str
    name: str


def shown_object(kind: ShownKind, obj: KubeObject) -> dict[str, Any]:
    """Return what is shown of an object; of an endpoint's spec a few fields by name, so that no other comes along."""
    about = obj["metadata"]
    row: dict[str, Any] = {
        "kind": kind,
        "namespace": about.get("namespace", ""),
        "name": about["name"],
        "uid": about.get("uid", ""),
        "created": about.get("creationTimestamp", ""),
    }
    spec, status = obj.get("spec"), obj.get("status")
    if kind == "LLMEndpoint":
        row["labels"] = about.get("labels") or {}
        row["spec"] = _of_endpoint(spec if isinstance(spec, Mapping) else {})
    elif kind in ("MonitoringPolicy", "AlertSilence"):
        row["spec"] = spec if isinstance(spec, Mapping) else {}
    return {**row, "status": status if isinstance(status, Mapping) else {}}


def _of_endpoint(spec: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: spec[name] for name in _SCALING_AND_PRICES if name in spec}
    backend, collector, usage = (_mapping(spec, name) for name in ("backend", "collector", "usage"))
    kind = next((name for name in ("workloadRef", "external", "template") if name in backend), "")
    prices = {"prices": usage["prices"]} if isinstance(usage.get("prices"), Mapping) else {}
    return {**shown, "backend": kind, "mode": str(collector.get("mode", "")), **prices}


def _mapping(spec: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = spec.get(name)
    return value if isinstance(value, Mapping) else {}


def name_from_json(row: Any) -> ShownName:
    """Return which object a row is of; ValueError when it is none."""
    if not isinstance(row, Mapping):
        raise ValueError("not an object")  # a row's fault is a ValueError
    kind, namespace, name = row.get("kind"), row.get("namespace"), row.get("name")
    known = next((one for one in SHOWN_KINDS if one == kind), None)
    if known is None or not isinstance(namespace, str) or not isinstance(name, str) or not namespace or not name:
        raise ValueError("an object has kind, namespace and name")
    return ShownName(known, namespace, name)
