"""All that Modelward and its user have in a namespace, with what differs between any two lives of it masked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from modelward.kube.client import Client
from modelward.kube.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    JOB,
    OWN_KINDS,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
    Object,
)

KINDS = (*OWN_KINDS, DEPLOYMENT, STATEFUL_SET, JOB, SERVICE, CONFIG_MAP, SERVICE_ACCOUNT)
_CLUSTERS_OWN = frozenset({("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")})
_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OF_A_UID = re.compile(r'[0-9a-f]{64}|(?<=generation\\": \\")[0-9a-f]{12}')
"""The key of conversations is made from the endpoint's uid, and the generation of a configuration from that key."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_OF_THIS_LIFE = frozenset({"resourceVersion", "creationTimestamp", "clusterIP", "clusterIPs", "time"})
_LOG = frozenset({"changes", "f:changes"})
"""What each life saw happen; a state that lasted no longer than a crash is seen by none."""
_HASHES = frozenset({"modelward.dev/applied-hash", "modelward.dev/injected-generation"})
"""What is computed from the rest of an object, its namespace and its owner's uid included."""
_MASKED = _OF_THIS_LIFE | _LOG | _HASHES

Snapshot = dict[str, Any]
"""Masked objects by `Kind/name`."""


async def objects(client: Client, namespace: str) -> list[Object]:
    """Return everything in a namespace that a user or Modelward made, but for pods, ReplicaSets and Events."""
    listings = [await client.list(kind, namespace) for kind in KINDS]
    items = [item for listing in listings for item in listing.items]
    return [item for item in items if (item["kind"], item["metadata"]["name"]) not in _CLUSTERS_OWN]


async def snapshot(client: Client, namespace: str, *, generations: bool = True) -> Snapshot:
    """Return a namespace's objects, comparable with those of another life, also in another namespace.

    Masked are uids (replaced by whom they name), versions, times, addresses, the namespace's own name, and the status
    of built-in kinds. `generations` keeps metadata.generation: the same number of changes, not only the same end.
    """
    found = await objects(client, namespace)
    uids = {item["metadata"]["uid"]: f"{item['kind']}/{item['metadata']['name']}" for item in found}
    masked = {f"{item['kind']}/{item['metadata']['name']}": _object(item, uids, namespace) for item in found}
    if not generations:
        for item in masked.values():
            item["metadata"].pop("generation", None)
            item.get("status", {}).pop("observedGeneration", None)
    return masked


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """Return where two snapshots differ, a line each; empty when they are the same."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            line
            for key in sorted(before.keys() | after.keys())
            for line in differences(before.get(key, "absent"), after.get(key, "absent"), f"{path}.{key}")
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [line for at, (one, other) in pairs for line in differences(one, other, f"{path}[{at}]")]
    return [] if before == after else [f"{path.lstrip('.')}: {_told(str(before), str(after))}"]


def _told(before: str, after: str) -> str:
    """Return both, of long ones what stands from a little before their first difference on."""
    same = next((at for at, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), 0)
    begin = max(0, same - 80) if max(len(before), len(after)) > 300 else 0
    return f"{before[begin:][:300]} -> {after[begin:][:300]}"


def _object(item: Object, uids: dict[str, str], namespace: str) -> Object:
    masked: Object = _masked(item, uids, namespace)
    if item["kind"] not in {kind.kind for kind in OWN_KINDS}:
        masked.pop("status", None)
    metadata = masked["metadata"]
    metadata["managedFields"] = _managers(metadata.get("managedFields", ()))
    return masked


def _managers(entries: Iterable[Object]) -> list[Object]:
    """Who owns which fields; what the cluster's controllers report in a status is theirs."""
    kept = [entry for entry in entries if entry["manager"] != "kube-controller-manager"]
    return sorted(kept, key=lambda entry: (entry["manager"], entry["operation"], entry.get("subresource", "")))


def _masked(item: Object, uids: dict[str, str], namespace: str) -> Any:
    text = _OF_A_UID.sub("KEY", json.dumps(_without(item)).replace(namespace, "NAMESPACE"))
    text = _UID.sub(lambda found: uids.get(found.group(), "stranger"), text)
    return json.loads(_TIME.sub("TIME", text))


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(inner) for key, inner in value.items() if key not in _MASKED}
    return [_without(inner) for inner in value] if isinstance(value, list) else value
