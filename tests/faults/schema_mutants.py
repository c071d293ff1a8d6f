"""Specs with exactly one field wrong by the schema, each with the reason why the API server must refuse it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schema_strategies import ITEM, PATTERNS, VALUE, Schema, SchemaPath, nodes, pattern_of

Step = str | int
Place = tuple[Step, ...]
"""Where a value stands in a spec: property names and positions."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A spec that is wrong in one place; `reason` says how, `field` is the last property name of that place."""

    spec: Any
    place: Place
    reason: str

    @property
    def field(self) -> str:
        """The name by which a refusal must call it."""
        return next((step for step in reversed(self.place) if isinstance(step, str)), "spec")


def mutants(schema: Schema, spec: Any) -> Iterator[Mutant]:
    """Yield all mutants of a valid spec, field by field, wherever the schema forbids something."""
    for path, part in nodes(schema):
        for place in places(spec, path):
            for wrong, reason in _wrong(part, value_at(spec, place)):
                yield Mutant(with_value(spec, place, wrong), place, reason)
            yield from _incomplete(spec, place, part)


def places(spec: Any, path: SchemaPath) -> list[Place]:
    """Return where a path leads to in a spec; empty where the spec says nothing of it."""
    found: list[Place] = [()]
    for step in path:
        found = [(*place, key) for place in found for key in _keys(value_at(spec, place), step)]
    return found


def _keys(value: Any, step: str) -> list[Step]:
    if step == ITEM:
        return list(range(len(value)))
    if step == VALUE:
        return sorted(value)
    return [step] if step in value else []


def value_at(spec: Any, place: Place) -> Any:
    """Return what stands at a place."""
    for step in place:
        spec = spec[step]
    return spec


def with_value(spec: Any, place: Place, value: Any) -> Any:
    """Return the spec with another value at a place."""
    if not place:
        return value
    changed = copy.deepcopy(spec)
    value_at(changed, place[:-1])[place[-1]] = value
    return changed


def without(spec: Any, place: Place) -> Any:
    """Return the spec without what stands at a place."""
    changed = copy.deepcopy(spec)
    del value_at(changed, place[:-1])[place[-1]]
    return changed


def _incomplete(spec: Any, place: Place, schema: Schema) -> Iterator[Mutant]:
    for name in schema.get("required", ()):
        if name in value_at(spec, place):
            yield Mutant(without(spec, (*place, name)), (*place, name), "is required and missing")


def _wrong(schema: Schema, value: Any) -> Iterator[tuple[Any, str]]:
    if schema.get("x-kubernetes-int-or-string"):
        yield 1.5, "is a fraction where text or a whole number belongs"
        yield True, "is a truth value where text or a whole number belongs"
        yield "9" * (schema["maxLength"] + 1), "is too long"
        return
    for other, named in _OTHER_TYPES.get(schema["type"], ()):
        yield other, f"is {named} where {schema['type']} belongs"
    yield from _OF_TYPE[schema["type"]](schema, value)


def _wrong_object(schema: Schema, value: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    if "properties" in schema:
        yield {**value, "sneaky": 1}, "has a field that the schema does not know"
    if "maxProperties" in schema:
        inner = schema["additionalProperties"]
        filler = "1" if inner.get("type", "string") == "string" else 1
        yield {f"k{number}": filler for number in range(schema["maxProperties"] + 1)}, "has too many entries"


def _wrong_array(schema: Schema, value: list[Any]) -> Iterator[tuple[Any, str]]:
    keys = schema.get("x-kubernetes-list-map-keys")
    if keys and value:
        yield [*value, value[0]], "names the same item twice"
    if schema.get("minItems"):
        yield [], "has too few items"
    if value:
        many = [_renamed(value[0], keys, number) for number in range(schema["maxItems"] + 1)]
        yield many, "has too many items"


def _renamed(item: Any, keys: list[str] | None, number: int) -> Any:
    return {**item, **dict.fromkeys(keys, f"n{number}")} if keys else item


def _wrong_string(schema: Schema, value: str) -> Iterator[tuple[Any, str]]:
    if "enum" in schema:
        yield value.swapcase(), "has the letters of another case"
        yield "nothing-like-it", "is none of the words that are allowed"
        return
    if schema.get("format") == "date-time":
        yield "yesterday", "is no time"
        yield "2026-13-01T00:00:00Z", "is in a month that there is not"
        return
    if pattern := pattern_of(schema):
        yield from PATTERNS[pattern].beyond
    if schema.get("minLength"):
        yield "", "is empty"
    yield _longer(schema, value), "is too long"


def _longer(schema: Schema, value: str) -> str:
    """Return a text that keeps the pattern where it can, so that only its length is wrong."""
    return (value or "x") + "x" * int(schema["maxLength"])


def _wrong_integer(schema: Schema, _value: int) -> Iterator[tuple[Any, str]]:
    yield schema["minimum"] - 1, "is below the minimum"
    yield schema["maximum"] + 1, "is above the maximum"
    yield schema["minimum"] + 0.5, "is a fraction"
    yield 2**63, "does not fit into 64 bits"


def _wrong_boolean(_schema: Schema, _value: bool) -> Iterator[tuple[Any, str]]:
    yield 2, "is a number where a truth value belongs"


_OF_TYPE: Mapping[str, Callable[[Schema, Any], Iterator[tuple[Any, str]]]] = {
    "object": _wrong_object,
    "array": _wrong_array,
    "string": _wrong_string,
    "integer": _wrong_integer,
    "boolean": _wrong_boolean,
}
_OTHER_TYPES: Mapping[str, tuple[tuple[Any, str], ...]] = {
    "object": (("text", "text"), ([], "a list")),
    "array": (("text", "text"), ({"a": 1}, "an object")),
    "string": ((7, "a number"), (True, "a truth value"), (["a"], "a list")),
    "integer": (("1", "text"), (False, "a truth value")),
    "boolean": (("true", "text"),),
}
