"""Which fields of an object a manager owns, as paths into it, and how another writer changes or removes one of them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str | int, ...]
"""Names of fields and positions in lists, from the object down."""


def owned(obj: Mapping[str, Any], *managers: str) -> list[Path]:
    """Return the paths of all fields and list items that these managers have applied, the identity left out."""
    found: dict[Path, None] = {}
    for entry in obj["metadata"].get("managedFields", ()):
        if entry["manager"] in managers and entry["operation"] == "Apply":
            found |= dict.fromkeys(_paths(entry["fieldsV1"], obj, ()))
    return list(found)


def _paths(fields: Mapping[str, Any], value: Any, path: Path) -> Iterator[Path]:
    for key, below in fields.items():
        step = _step(key, value)
        if step is None:
            continue
        here = (*path, step)
        if not below or key.startswith("k:"):
            yield here
        yield from _paths(below, value[step], here)


def _step(key: str, value: Any) -> str | int | None:
    sort, _, name = key.partition(":")
    if sort == "f":
        return name if name in value else None
    if sort == "k":
        wanted = json.loads(name)
        return next((at for at, item in enumerate(value) if all(item.get(k) == v for k, v in wanted.items())), None)
    return None  # the item itself ("."), and values of sets


def without(obj: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the object with one field or list item taken out."""
    changed, parent = _down_to(obj, path)
    del parent[path[-1]]
    return changed


def altered(obj: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the object with another value in one field; a list or an object loses its content."""
    changed, parent = _down_to(obj, path)
    parent[path[-1]] = _other(parent[path[-1]])
    return changed


def _down_to(obj: Mapping[str, Any], path: Path) -> tuple[dict[str, Any], Any]:
    changed = copy.deepcopy(dict(obj))
    parent: Any = changed
    for step in path[:-1]:
        parent = parent[step]
    return changed, parent


def _other(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return f"{value}-x"
        case list():
            return []
        case dict():
            return {}
    raise TypeError(f"no other value for {value!r}")


def text(path: Path) -> str:
    """Return a path as people write it."""
    return ".".join(map(str, path))
