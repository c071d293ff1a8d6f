"""What another writer has changed in the pod template of a model server that Modelward runs.

It stays as it is, because a revert would restart the model server, but status reports it. managedFields say whose a
field is: one that `modelward-template` applied and does not own any more was changed, or removed, by another writer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Fields = Mapping[str, Any]
"""A tree of fields as managedFields have it: `f:` before names, `k:` before the keys of list items, `{}` at leaves."""


def edited(written: Mapping[str, Any], workload: Mapping[str, Any], manager: str) -> list[str]:
    """Return the fields that a user wrote for the pods, and that another writer has set otherwise on the workload.

    A field that differs and is still ours was changed on its way in (by an admission policy), which is no edit.
    """
    owned = _owned(workload, manager)
    return list(_differing(written, workload["spec"]["template"], owned, ""))


def differs(written: Mapping[str, Any], workload: Mapping[str, Any]) -> bool:
    """Return whether the workload's pod template says anything else than the user wrote, whoever made it so."""
    return any(_differing(written, workload["spec"]["template"], {}, ""))


def _owned(workload: Mapping[str, Any], manager: str) -> Fields:
    for entry in workload["metadata"].get("managedFields") or ():
        if entry.get("manager") == manager and entry.get("operation") == "Apply":
            spec: Fields = (entry.get("fieldsV1") or {}).get("f:spec") or {}
            found: Fields = spec.get("f:template") or {}
            return found
    return {}


def _differing(written: Any, live: Any, owned: Fields, path: str) -> Iterator[str]:
    if isinstance(written, Mapping) and isinstance(live, Mapping):
        for key, value in written.items():
            below = owned.get(f"f:{key}")
            if below != {}:  # a leaf of ours is as we applied it
                yield from _differing(value, live.get(key), below or {}, f"{path}.{key}".lstrip("."))
    elif _named(written) and isinstance(live, Sequence):
        for item in written:
            there = next((one for one in live if one.get("name") == item["name"]), None)
            yield from _differing(item, there, _item(owned, item), f"{path}[{item['name']}]")
    elif live != written and not owned and (live is not None or written not in ("", False, [], {})):
        yield path


def _named(value: Any) -> bool:
    return (
        isinstance(value, list | tuple) and bool(value) and all(isinstance(v, Mapping) and "name" in v for v in value)
    )


def _item(owned: Fields, item: Mapping[str, Any]) -> Fields:
    """Return what is owned of a list item, which managedFields find by some of its fields."""
    for key, below in owned.items():
        sort, _, wanted = key.partition(":")
        if sort == "k" and all(item.get(name, value) == value for name, value in json.loads(wanted).items()):
            fields: Fields = below
            return fields
    return {}
