"""Items of ours in a list whose key another writer changed: a port that got another number, a container another name.

An apply alone would put ours beside them, since the API server identifies items by their keys: two of a name, which it
refuses, or a container of ours twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelward.operator.endpoint.difference import covers, identity, merge_keys


def put_back(actual: Any, wanted: Any) -> Any:
    """Return what is there with each displaced item as it is wanted; equal to `actual` where none is displaced."""
    if isinstance(wanted, Mapping) and isinstance(actual, Mapping):
        return {key: put_back(value, wanted[key]) if key in wanted else value for key, value in actual.items()}
    keys = merge_keys(wanted) if isinstance(wanted, list | tuple) else None
    if keys is None or not isinstance(actual, list):
        return actual
    return [_item(actual, at, wanted, keys) for at in range(len(actual))]


def _item(actual: Sequence[Any], at: int, wanted: Sequence[Any], keys: tuple[str, ...]) -> Any:
    item = actual[at]
    if not isinstance(item, Mapping):
        return item
    of_ours = {identity(one, keys): one for one in wanted}
    if identity(item, keys) in of_ours:
        return put_back(item, of_ours[identity(item, keys)])
    there = {identity(one, keys) for one in actual if isinstance(one, Mapping)}
    missing = [(place, one) for place, one in enumerate(wanted) if identity(one, keys) not in there]
    return next((one for place, one in missing if _moved(item, one, keys, in_place=place == at)), item)


def _moved(item: Mapping[str, Any], ours: Mapping[str, Any], keys: tuple[str, ...], *, in_place: bool) -> bool:
    """Return whether this is our item under another key: with our name, or in our place and otherwise the same."""
    if "name" in ours and "name" not in keys and item.get("name") == ours["name"]:
        return "mountPath" not in keys or in_place  # a volume may be mounted twice
    return in_place and covers(item, {key: value for key, value in ours.items() if key not in keys})
