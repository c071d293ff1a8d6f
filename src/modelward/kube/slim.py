"""What is kept of an object: all but the bookkeeping that is never read, which is half of an object's size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from modelward.kube.client import MANAGER
from modelward.kube.kinds import DEPLOYMENT, STATEFUL_SET, Kind, Object

WITH_MANAGERS = frozenset({DEPLOYMENT, STATEFUL_SET})
"""Kinds whose managedFields say who else writes replicas or the template."""


def slim(kind: Kind, obj: Object) -> Object:
    """Return the object with its apiVersion and kind; of workloads, managedFields say who owns the spec."""
    whole = {"apiVersion": kind.api_version, "kind": kind.kind, **obj}
    metadata = obj["metadata"]
    if "managedFields" not in metadata:
        return whole
    kept = {key: value for key, value in metadata.items() if key != "managedFields"}
    if kind in WITH_MANAGERS:
        kept["managedFields"] = [_entry(entry) for entry in metadata["managedFields"]]
    return {**whole, "metadata": kept}


def with_shared_keys(obj: Mapping[str, Any]) -> Object:
    """Return an object that was decoded elsewhere with keys that all objects share: else each has its own of them."""
    shared: Object = orjson.loads(orjson.dumps(dict(obj)))
    return shared


def _entry(entry: Mapping[str, Any]) -> Object:
    """Return who wrote, and of the spec what we wrote ourselves; of others only whether they wrote the replicas."""
    kept = {key: entry[key] for key in ("manager", "operation") if key in entry}
    spec = (entry.get("fieldsV1") or {}).get("f:spec") or {}
    if not str(entry.get("manager", "")).startswith(MANAGER):
        spec = {key: spec[key] for key in ("f:replicas",) if key in spec}
    return {**kept, "fieldsV1": {"f:spec": spec}} if spec else kept
