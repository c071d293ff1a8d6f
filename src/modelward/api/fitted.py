"""Values cut to the bounds of the field that takes them.

What we write ourselves comes in part from pods, tenants and other controllers. A status that its own schema refuses
would stay as it was, with conditions that no longer hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

from pydantic.fields import FieldInfo

_LARGEST = 2**53 - 1
"""The largest integer that every reader of JSON takes as it is."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The longest value that a field takes, None without a bound, and the same of each item of a tuple."""

    longest: int | None
    items: Bounds | None


def bounds_of(fields: Mapping[str, FieldInfo]) -> Mapping[str, Bounds]:
    """Return the bounds of a model's fields, by name and alias; read once of each model."""
    found = {name: _bounds(field) for name, field in fields.items()}
    return {field.alias: found[name] for name, field in fields.items() if field.alias} | found


def fitted(bounds: Mapping[str, Bounds], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a model, by field name or alias, none longer or larger than its field takes."""
    return {name: _fit(value, bounds[name]) if name in bounds else value for name, value in data.items()}


def _fit(value: Any, bounds: Bounds) -> Any:
    if isinstance(value, (tuple, list)):
        items = bounds.items
        return tuple(_fit(one, items) if items else one for one in value[: bounds.longest])
    if isinstance(value, str):
        return _readable(value)[: bounds.longest]
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-_LARGEST, min(_LARGEST, value))
    return value


def _bounds(field: FieldInfo) -> Bounds:
    items = _items(field)
    return Bounds(_longest(field), _bounds(items) if items is not None else None)


def _longest(field: FieldInfo) -> int | None:
    return next((mark.max_length for mark in field.metadata if hasattr(mark, "max_length")), None)


def _items(field: FieldInfo) -> FieldInfo | None:
    """Return the field that each item of a tuple is; None where items have no bounds of their own."""
    item = next(iter(get_args(field.annotation)), None)
    if get_origin(item) is not Annotated:
        return None
    return next((mark for mark in get_args(item) if isinstance(mark, FieldInfo)), None)


def _readable(text: str) -> str:
    """Return the text without halves of characters, which JSON can carry and UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
