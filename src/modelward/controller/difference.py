"""Whether an object on the server already is what we want, so that a quiet reconcile writes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

APPLIED_HASH = "modelward.dev/applied-hash"
"""Notes on a child what we last wanted: a field that we no longer want is not seen by `covers`."""

_ITEM_KEYS = (("name",), ("mountPath",), ("containerPort", "protocol"), ("port", "protocol"), ("key",), ("type",))
_VOLATILE = ("uid", "managedFields", "resourceVersion")


def stamped(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object with the hash of itself among its annotations."""
    metadata = dict(wanted["metadata"])
    body = {**wanted, "metadata": {key: value for key, value in metadata.items() if key not in _VOLATILE}}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]
    metadata["annotations"] = {**metadata.get("annotations", {}), APPLIED_HASH: digest}
    return {**wanted, "metadata": metadata}


def covers(actual: Any, wanted: Any) -> bool:
    """Tell whether everything wanted is in what is there; what others added (labels, limits, sidecars) is theirs."""
    if isinstance(wanted, Mapping):
        if not isinstance(actual, Mapping):
            return False
        return all(key in actual and covers(actual[key], value) for key, value in wanted.items())
    if isinstance(wanted, (list, tuple)):
        return isinstance(actual, list) and _list_covers(actual, wanted)
    return bool(actual == wanted)


def _list_covers(actual: Sequence[Any], wanted: Sequence[Any]) -> bool:
    keys = _keys_of(wanted)
    if keys is None:
        return len(actual) == len(wanted) and all(covers(a, w) for a, w in zip(actual, wanted, strict=True))
    there = {_identity(item, keys): item for item in actual if isinstance(item, Mapping)}
    return all(covers(there.get(_identity(item, keys)), item) for item in wanted)


def _keys_of(items: Sequence[Any]) -> tuple[str, ...] | None:
    """Return the keys by which the API server merges such a list, None where it is one atom."""
    if not items or not all(isinstance(item, Mapping) for item in items):
        return None
    return next((keys for keys in _ITEM_KEYS if all(keys[0] in item for item in items)), None)


def _identity(item: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[Any, ...]:
    defaults = {"protocol": "TCP"}
    return tuple(item.get(key, defaults.get(key)) for key in keys)
