"""Pydantic's JSON schema as the structural OpenAPI v3 schema that a CustomResourceDefinition needs.

The API server accepts a subset: no references, no unions, the type of every node written down
(https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema).
What it cannot express is refused here, at generation, and not by a user's cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from modelward.api.form import FORMS

Schema = dict[str, Any]

_COPIED = (
    "format",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minimum",
    "maximum",
)
_DROPPED = frozenset({"title", "examples", "discriminator"})
_EXCLUSIVE = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
_HANDLED = frozenset(
    {"type", "description", "default", "properties", "required", "items", "additionalProperties", "const"}
)
_LIMITS = {"string": ("maxLength", "enum", "format"), "array": ("maxItems",)}


def structural(model: type[BaseModel], *, defaults: bool = True, words: bool = False) -> Schema:
    """Return the structural schema of a model, so that the models stay the only place where a field is described.

    With `defaults` false only list-map keys keep theirs: a status says what was observed, and the API server must
    not fill it. With `words` the forms of texts are CEL rules, whose messages a person can act on; without, they are
    plain patterns. Raises ValueError with the path of what a structural schema cannot hold (unions, floats) and
    for strings, lists and maps without a limit, since the cost of CEL rules is reckoned from the limits.
    """
    source = model.model_json_schema(by_alias=True)
    result = _node(source, source.get("$defs", {}), model.__name__)
    if not defaults:
        _drop_defaults(result, frozenset())
    if words:
        _put_in_words(result)
    return result


def walk(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Yield every node of a structural schema with its path, such as `.spec.env[].name`, parents first."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from walk(child, f"{path}.{name}")
    if "items" in schema:
        yield from walk(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from walk(schema["additionalProperties"], f"{path}{{}}")


def _node(source: Schema, definitions: Mapping[str, Schema], path: str) -> Schema:
    source = _optional(_inlined(source, definitions), definitions, path)
    unknown = [key for key in source if not _is_known(key)]
    if unknown or not ("type" in source or "x-kubernetes-int-or-string" in source):
        raise ValueError(f"{path}: a structural schema cannot hold {', '.join(unknown) or 'a node without a type'}")
    result: Schema = {}
    if "description" in source:
        result["description"] = " ".join(source["description"].split())
    result |= {key: source[key] for key in ("type", *_COPIED) if key in source}
    result |= {key: value for key, value in source.items() if key.startswith("x-kubernetes-")}
    if "const" in source:
        result["enum"] = [source["const"]]
    for key, bound in _EXCLUSIVE.items():
        if key in source:
            result |= {bound: source[key], key: True}
    result |= _children(source, definitions, path)
    if source.get("default") not in (None, []):
        result["default"] = _terse(source["default"], result)
    _check_limits(result, path)
    return result


def _is_known(key: str) -> bool:
    known = key in _COPIED or key in _HANDLED or key in _DROPPED or key in _EXCLUSIVE
    return known or key == "$defs" or key.startswith("x-kubernetes-")


def _inlined(source: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Replace a reference by its definition; what stands beside the reference (a description) wins."""
    if "$ref" not in source:
        return source
    target = definitions[source["$ref"].removeprefix("#/$defs/")]
    return _inlined({**target, **{key: value for key, value in source.items() if key != "$ref"}}, definitions)


def _optional(source: Schema, definitions: Mapping[str, Schema], path: str) -> Schema:
    """Turn `X or null` into X: in Kubernetes a field without a value is left out."""
    if "anyOf" not in source:
        return source
    arms = [arm for arm in source["anyOf"] if arm.get("type") != "null"]
    if len(arms) != 1:
        raise ValueError(f"{path}: a structural schema cannot hold a union; use one optional field per arm and a rule")
    beside = {key: value for key, value in source.items() if key != "anyOf"}
    return {**_optional(_inlined(arms[0], definitions), definitions, path), **beside}


def _children(source: Schema, definitions: Mapping[str, Schema], path: str) -> Schema:
    result: Schema = {}
    if source.get("required"):
        result["required"] = source["required"]
    if "properties" in source:
        result["properties"] = {
            name: _node(child, definitions, f"{path}.{name}") for name, child in source["properties"].items()
        }
    if "items" in source:
        result["items"] = _node(source["items"], definitions, f"{path}[]")
    if isinstance(source.get("additionalProperties"), dict):
        result["additionalProperties"] = _node(source["additionalProperties"], definitions, f"{path}{{}}")
    return result


def _terse(default: Any, schema: Schema) -> Any:
    """Leave out of an object's default what its own fields default to, since the API server fills it in again."""
    if not isinstance(default, dict):
        return default
    properties = schema.get("properties", {})
    terse = {name: _terse(value, properties.get(name, {})) for name, value in default.items() if value is not None}
    return {name: value for name, value in terse.items() if properties.get(name, {}).get("default") != value}


def _check_limits(schema: Schema, path: str) -> None:
    if schema.get("type") == "number":
        raise ValueError(f"{path}: custom resources hold no floats; use a string with its unit or an integer")
    limits = _LIMITS.get(schema.get("type", "string"), ())
    if "additionalProperties" in schema:
        limits = ("maxProperties",)
    if limits and not any(limit in schema for limit in limits):
        raise ValueError(f"{path}: needs {limits[0]}, or the cost of CEL rules has no bound")


def _drop_defaults(schema: Schema, keys: frozenset[str]) -> None:
    for name, child in schema.get("properties", {}).items():
        if name not in keys:
            child.pop("default", None)
        _drop_defaults(child, frozenset())
    if "items" in schema:
        _drop_defaults(schema["items"], frozenset(schema.get("x-kubernetes-list-map-keys", ())))


def _put_in_words(schema: Schema) -> None:
    for _, node in walk(schema):
        form = FORMS.get(node.get("pattern", ""))
        if form is not None:
            del node["pattern"]
            node["x-kubernetes-validations"] = [form.rule(), *node.get("x-kubernetes-validations", ())]
