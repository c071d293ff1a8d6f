"""Whether an object on the server already is what we want, so that a quiet reconcile writes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from modelward.api.amount import amount

APPLIED_HASH = "modelward.dev/applied-hash"
"""Notes on a child what we last wanted: a field that we no longer want is not seen by `covers`."""

_ITEM_KEYS = (
    ("uid",), ("mountPath",), ("containerPort", "protocol"), ("port", "protocol"), ("topologyKey", "whenUnsatisfiable"),
    ("name",), ("key",), ("type",),
)  # fmt: skip
"""The API server's own; most items have a name as well, which is not their key."""
_AMOUNTS = frozenset({"limits", "requests"})
_VOLATILE = ("uid", "managedFields", "resourceVersion")


def stamped(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object with the hash of itself among its annotations."""
    metadata = dict(wanted["metadata"])
    body = {**wanted, "metadata": {key: value for key, value in metadata.items() if key not in _VOLATILE}}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]
    metadata["annotations"] = {**metadata.get("annotations", {}), APPLIED_HASH: digest}
    return {**wanted, "metadata": metadata}


def covers(actual: Any, wanted: Any) -> bool:
    """Return whether everything wanted is in what is there; what others added (labels, limits, sidecars) is theirs."""
    if isinstance(wanted, Mapping):
        if not isinstance(actual, Mapping):
            return False
        return all(_field_covers(key, actual, value) for key, value in wanted.items())
    if isinstance(wanted, (list, tuple)):
        return isinstance(actual, list) and _list_covers(actual, wanted)
    return bool(actual == wanted)


def _field_covers(key: str, actual: Mapping[str, Any], wanted: Any) -> bool:
    if key not in actual:
        # The server drops what is empty, but for an object: `emptyDir: {}` says something. So does each false that we
        # write: `enableServiceLinks` and its like are true where they are absent.
        return wanted in ("", None, [])
    if key in _AMOUNTS and isinstance(wanted, Mapping) and isinstance(actual[key], Mapping):
        return all(name in actual[key] and _amount(actual[key][name]) == _amount(w) for name, w in wanted.items())
    return covers(actual[key], wanted)


def _amount(text: Any) -> Any:
    """Return the number that a resource quantity stands for: the server writes 1000m as 1 and 1024Mi as 1Gi."""
    found = amount(str(text))
    return text if found is None else found


def _list_covers(actual: Sequence[Any], wanted: Sequence[Any]) -> bool:
    keys = merge_keys(wanted)
    if keys is None:
        return len(actual) == len(wanted) and all(covers(a, w) for a, w in zip(actual, wanted, strict=True))
    there = {identity(item, keys): item for item in actual if isinstance(item, Mapping)}
    return all(covers(there.get(identity(item, keys)), item) for item in wanted)


def merge_keys(items: Sequence[Any]) -> tuple[str, ...] | None:
    """Return the keys by which the API server merges such a list, None where it is one atom."""
    if not items or not all(isinstance(item, Mapping) for item in items):
        return None
    return next((keys for keys in _ITEM_KEYS if all(keys[0] in item for item in items)), None)


def identity(item: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the values of an item's keys, by which the API server identifies it in its list."""
    defaults = {"protocol": "TCP"}
    return tuple(item.get(key, defaults.get(key)) for key in keys)
