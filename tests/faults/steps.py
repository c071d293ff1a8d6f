"""How a spec changes in one step, drawn by hypothesis: one field, a whole new spec, or one thing wrong."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import schema_rules
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from schema_mutants import Mutant, Place, mutants, places, value_at, with_value, without
from schema_rules import breakers, mended
from schema_semantics import OVERLAYS, REFERENCES, SCHEMAS, field_values, specs
from schema_strategies import SchemaPath, at, leaves
from semantic_mutants import Semantic, applicable

Spec = dict[str, Any]
_TRIES = 5
_REPEATABLE = settings(
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
    max_examples=100,
)
"""Without `explain`, which traces every line to explain a failure, and here is none: it takes twenty times as long."""


def fields(kind: str) -> list[SchemaPath]:
    """Return the paths of all that can be changed on its own: what is overlaid counts as one field."""
    laid = OVERLAYS[kind]
    found: dict[SchemaPath, None] = {}
    for path in leaves(SCHEMAS[kind]):
        above = next((path[:length] for length in range(1, len(path) + 1) if path[:length] in laid), path)
        if above not in laid or laid[above] is not None:
            found[above] = None
    return list(found)


@st.composite
def changed_field(draw: st.DrawFn, kind: str, spec: Spec) -> Spec:
    """Return the spec with one field changed, and whatever a rule then asks to follow it."""
    open_to = [path for path in fields(kind) if of_this_backend(path, spec)]
    for _ in range(_TRIES):
        place, changed = _changed(draw, kind, spec, draw(st.sampled_from(open_to)))
        changed = _as_people_write(mended(SCHEMAS[kind], changed, place))
        if changed != spec:
            return dict(changed)
    return spec


@st.composite
def new_spec(draw: st.DrawFn, kind: str, spec: Spec) -> Spec:
    """Return another spec altogether, with the same kind of backend."""
    fresh = copy.deepcopy(draw(specs(kind)))
    if "backend" in spec:
        (which,) = spec["backend"].keys()
        fresh["backend"] = {which: draw(field_values(kind, ("backend", which)))}
    return _as_people_write(schema_rules.mended(SCHEMAS[kind], fresh))


@st.composite
def refused_spec(draw: st.DrawFn, kind: str, spec: Spec) -> Mutant:
    """Return the spec with one thing wrong that the API server refuses."""
    return draw(st.sampled_from([*mutants(SCHEMAS[kind], spec), *breakers(SCHEMAS[kind], spec)]))


@st.composite
def senseless_spec(draw: st.DrawFn, kind: str, spec: Spec) -> Semantic | None:
    """Return a way in which the spec can be wrong that only the operator finds; None where there is none."""
    ways = applicable(kind, spec)
    return draw(st.sampled_from(ways)) if ways else None


@dataclass(frozen=True, slots=True)
class Alternative:
    """A spec with another value of one field; `value` is that value as JSON, empty where it is left out."""

    value: str
    spec: Spec


def alternatives(kind: str, spec: Spec, path: SchemaPath, *, everywhere: bool = True) -> list[Alternative]:
    """Return the spec with one field as it could also be: every word, another value, left out; the smallest of each.

    Without `everywhere` only in the first and the last of a list's items.
    """
    found: list[tuple[Place, Spec]] = []
    schema, there = at(SCHEMAS[kind], path), places(spec, path)
    for place in there if everywhere else dict.fromkeys((*there[:1], *there[-1:])):
        words = (
            REFERENCES if path[-1] == "workloadRef" else schema.get("enum", ()) if path not in OVERLAYS[kind] else ()
        )
        values = words or _another(kind, path, value_at(spec, place))
        found += [(place, with_value(spec, place, value)) for value in values]
        if isinstance(place[-1], str) and place[-1] not in at(SCHEMAS[kind], path[:-1]).get("required", ()):
            found.append((place, without(spec, place)))
    if not found and path[-1] not in ("[]", "{}") and places(spec, path[:-1]):
        above = places(spec, path[:-1])[0]
        place = (*above, path[-1])
        found = [(place, _with_new(spec, place, value)) for value in _another(kind, path, None)]
    made: list[Alternative] = []
    for place, changed in found:
        whole = mended(SCHEMAS[kind], changed, place)
        if whole != spec and whole not in [one.spec for one in made]:
            made.append(Alternative(_value_of(changed, place), whole))
    return made


def _value_of(spec: Spec, place: Place) -> str:
    try:
        return json.dumps(value_at(spec, place))
    except (KeyError, IndexError):
        return ""


def _another(kind: str, path: SchemaPath, value: Any) -> list[Any]:
    """Return the simplest other value of a field, if it can have another."""
    found: list[Any] = json.loads(_simplest(kind, path, json.dumps(value)))
    return found


@cache
def _simplest(kind: str, path: SchemaPath, but: str) -> str:
    """Return it, or nothing, as JSON: the search for it is slow, and many objects leave the same fields out."""
    others: tuple[Any, ...] = (json.loads(but), {}, [])
    try:
        return json.dumps([find(field_values(kind, path), lambda other: other not in others, settings=_REPEATABLE)])
    except NoSuchExample:
        return "[]"


def _with_new(spec: Spec, place: Place, value: Any) -> Spec:
    grown = copy.deepcopy(spec)
    value_at(grown, place[:-1])[place[-1]] = value
    return grown


def _as_people_write(spec: Spec) -> Spec:
    """Return the spec without empty resources.

    Server-side apply of an empty map over one whose items the same manager owned makes a null of it, which the API
    server then refuses itself.
    """
    whole = copy.deepcopy(dict(spec))
    for holder in (whole.get("collector", {}), whole.get("backend", {}).get("template", {})):
        if holder.get("resources") == {}:
            del holder["resources"]
    return whole


def of_this_backend(path: SchemaPath, spec: Spec) -> bool:
    return path[0] != "backend" or len(path) < 2 or path[1] in spec["backend"]


def _changed(draw: st.DrawFn, kind: str, spec: Spec, path: SchemaPath) -> tuple[Place, Spec]:
    there = places(spec, path)
    if there:
        place = draw(st.sampled_from(there))
        required = at(SCHEMAS[kind], path[:-1]).get("required", ())
        if path[-1] not in (*required, "[]", "{}") and draw(st.integers(0, 4)) == 0:
            return place, without(spec, place)
        return place, with_value(spec, place, draw(field_values(kind, path)))
    length = next(length for length in range(1, len(path) + 1) if not places(spec, path[:length]))
    above = draw(st.sampled_from(places(spec, path[: length - 1])))
    if path[length - 1] in ("[]", "{}"):
        return above, with_value(spec, above, draw(field_values(kind, path[: length - 1])))
    place = (*above, path[length - 1])
    return place, _with_new(spec, place, draw(field_values(kind, path[:length])))
