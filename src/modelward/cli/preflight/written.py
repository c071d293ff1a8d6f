"""Which fields of an LLMEndpoint changed, derived from what the template gate compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelward.desired.names import ROLLOUT_AT

_FIELDS = {
    "template": "spec.backend.template",
    "workload": "spec.backend.workloadRef",
    "mode": "spec.collector.mode",
    "resources": "spec.collector.resources",
    "drainSeconds": "spec.drainSeconds",
    "rolloutAt": f"annotation {ROLLOUT_AT}",
    "endpoint": "metadata.uid",
}


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the paths of what differs, as a user writes them; an item of a list stands by its name or number."""
    found: list[str] = []
    for key, field in _FIELDS.items():
        found += _differences(field, before.get(key), after.get(key))
    return tuple(found)


def _differences(path: str, before: Any, after: Any) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from _differences(f"{path}.{key}", before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(f"{path}[{_label(new, number)}]", old, new)
    else:
        yield path


def _label(item: Any, number: int) -> str:
    return str(item.get("name", number)) if isinstance(item, Mapping) else str(number)
