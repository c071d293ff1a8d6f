"""A subset of JSON Schema 2020-12 that can be checked in bounded time, without a library.

It has what describes an answer: types, enumerations, bounds, properties, items, patterns (RE2) and combinations. There
are no references, formats or dynamic keywords: a schema with any other keyword is refused, and not checked in part.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from modelward.evaluate import patterns

MAX_NODES, MAX_DEPTH = 1_000, 24
"""Of a schema. Depth bounds the recursion, and both bound what one value of the document can cost."""
MAX_STEPS = 200_000
"""Pairs of a value and a schema that one check looks at; more raise TooComplexError."""
_ANNOTATIONS = frozenset({"$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated"})


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "number": _is_number,
    "integer": lambda v: _is_number(v) and float(v).is_integer(),
}
_BOUNDS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "minLength": ("string", lambda v, n: len(v) >= n),
    "maxLength": ("string", lambda v, n: len(v) <= n),
    "minItems": ("array", lambda v, n: len(v) >= n),
    "maxItems": ("array", lambda v, n: len(v) <= n),
    "minProperties": ("object", lambda v, n: len(v) >= n),
    "maxProperties": ("object", lambda v, n: len(v) <= n),
    "minimum": ("number", lambda v, n: v >= n),
    "maximum": ("number", lambda v, n: v <= n),
    "exclusiveMinimum": ("number", lambda v, n: v > n),
    "exclusiveMaximum": ("number", lambda v, n: v < n),
}
_COMBINED = ("allOf", "anyOf", "oneOf")
_KNOWN = _ANNOTATIONS | set(_BOUNDS) | set(_COMBINED) | {
    "type", "enum", "const", "pattern", "properties", "required", "additionalProperties", "items", "prefixItems",
    "uniqueItems", "not",
}  # fmt: skip


class TooComplexError(Exception):
    """A document is too large for its schema; whether it fits was not found out."""


def fault(schema: Any) -> str:
    """Return what is wrong with a schema, or the empty string."""
    try:
        count = _count(schema, 0)
    except _UnusableError as error:
        return str(error)
    return f"it has {count} parts, and {MAX_NODES} at most" if count > MAX_NODES else ""


def fits(schema: Any, value: Any) -> bool:
    """Return whether decoded JSON fits a schema that has no fault. Raises TooComplexError."""
    return _Check().fits(schema, value)


class _UnusableError(Exception):
    """What is wrong with a schema."""


def _count(schema: Any, depth: int) -> int:
    if isinstance(schema, bool):
        return 1
    if not isinstance(schema, Mapping):
        raise _UnusableError("a schema is an object, true or false")
    if depth > MAX_DEPTH:
        raise _UnusableError(f"it is nested deeper than {MAX_DEPTH}")
    for keyword, wanted in schema.items():
        if keyword not in _KNOWN:
            raise _UnusableError(f"the keyword {str(keyword)[:64]} is not supported")
        if not _usable(keyword, wanted):
            raise _UnusableError(f"the value of {keyword} is not usable")
    return 1 + sum(_count(part, depth + 1) for part in _parts(schema))


def _parts(schema: Mapping[str, Any]) -> list[Any]:
    parts = [*schema.get("properties", {}).values(), *schema.get("prefixItems", ())]
    parts += [schema[keyword] for keyword in ("additionalProperties", "items", "not") if keyword in schema]
    return parts + [part for keyword in _COMBINED for part in schema.get(keyword, ())]


def _usable(keyword: str, wanted: Any) -> bool:
    if keyword in _BOUNDS:
        return _is_number(wanted)
    match keyword:
        case "type":
            names = wanted if isinstance(wanted, list) else [wanted]
            return bool(names) and all(isinstance(name, str) and name in _TYPES for name in names)
        case "pattern":
            return isinstance(wanted, str) and _is_pattern(wanted)
        case "required":
            return isinstance(wanted, list) and all(isinstance(name, str) for name in wanted)
        case "properties":
            return isinstance(wanted, Mapping)
        case "enum" | "prefixItems" | "allOf" | "anyOf" | "oneOf":
            return isinstance(wanted, list) and bool(wanted)
        case "uniqueItems":
            return isinstance(wanted, bool)
    return True


def _is_pattern(text: str) -> bool:
    try:
        patterns.readable(text)
    except ValueError:
        return False
    return True


def _canonical(value: Any) -> str:
    """Return a text that is equal for equal JSON; 1 and 1.0 are equal, 1 and true are not."""
    if _is_number(value) and float(value).is_integer():
        return str(int(value))
    if isinstance(value, list):
        return f"[{','.join(map(_canonical, value))}]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(k)}:{_canonical(value[k])}" for k in sorted(value)) + "}"
    return json.dumps(value)


@dataclass
class _Check:
    steps: int = 0

    def fits(self, schema: Any, value: Any) -> bool:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise TooComplexError
        if isinstance(schema, bool):
            return schema
        return self._value_fits(schema, value) and self._parts_fit(schema, value) and self._combined_fit(schema, value)

    def _value_fits(self, schema: Mapping[str, Any], value: Any) -> bool:
        kinds = schema.get("type", ())
        if kinds and not any(_TYPES[kind](value) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
            return False
        for keyword, (kind, holds) in _BOUNDS.items():
            if keyword in schema and _TYPES[kind](value) and not holds(value, schema[keyword]):
                return False
        if "enum" in schema and _canonical(value) not in map(_canonical, schema["enum"]):
            return False
        if "const" in schema and _canonical(value) != _canonical(schema["const"]):
            return False
        return not ("pattern" in schema and isinstance(value, str) and not patterns.found(schema["pattern"], value))

    def _parts_fit(self, schema: Mapping[str, Any], value: Any) -> bool:
        if isinstance(value, dict):
            known, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
            if not set(schema.get("required", ())) <= set(value):
                return False
            return all(self.fits(known.get(name, rest), part) for name, part in value.items())
        if isinstance(value, list):
            first, rest = schema.get("prefixItems", ()), schema.get("items", True)
            if schema.get("uniqueItems") and len(set(map(_canonical, value))) < len(value):
                return False
            return all(self.fits(first[i] if i < len(first) else rest, part) for i, part in enumerate(value))
        return True

    def _combined_fit(self, schema: Mapping[str, Any], value: Any) -> bool:
        return (
            all(self.fits(part, value) for part in schema.get("allOf", ()))
            and ("anyOf" not in schema or any(self.fits(part, value) for part in schema["anyOf"]))
            and ("oneOf" not in schema or sum(self.fits(part, value) for part in schema["oneOf"]) == 1)
            and ("not" not in schema or not self.fits(schema["not"], value))
        )
