"""What is new about an object: what people declare, or only what is reported of it."""

from __future__ import annotations

from collections.abc import Mapping

from modelward.kube.kinds import Object

_DECLARED = ("uid", "generation", "labels", "annotations", "deletionTimestamp")


def declared(obj: Object) -> tuple[object, ...]:
    """Return what changes with everything that people declare of an object of ours, and with no status."""
    metadata = obj["metadata"]
    return tuple(metadata.get(part) for part in _DECLARED)


def carried_out(obj: Object) -> bool:
    """Return whether the status of an object of ours speaks of its spec as it is now."""
    return bool(reported(obj, "observedGeneration") == obj["metadata"].get("generation"))


def reported(obj: Object, part: str) -> object:
    """Return a part of an object's status; None where there is none, or no status that could have parts."""
    status = obj.get("status")
    return status.get(part) if isinstance(status, Mapping) else None
