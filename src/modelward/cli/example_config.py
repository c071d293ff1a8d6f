"""An example of an evaluator's settings, made from their schema and tried against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from modelward.evaluate.manifest import EvaluatorConfig

_TEXT = "questions about orders and deliveries"


def example_config(config: type[EvaluatorConfig]) -> dict[str, Any]:
    """Return the shortest settings that the evaluator takes: its schema's own example, else what it requires.

    Where it requires one of several settings and the schema cannot say so, the first that it takes.
    """
    schema = config.model_json_schema()
    tried = [dict(one) for one in (*schema.get("examples", ()), *_candidates(schema))]
    return next((one for one in tried if _taken(config, one)), tried[-1])


def _candidates(schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    properties, defs = schema.get("properties", {}), schema.get("$defs", {})
    required = {name: _sample(properties[name], defs) for name in schema.get("required", ())}
    yield required
    for name, its in properties.items():
        if name not in required:
            yield {**required, name: _sample(its, defs)}


def _sample(its: Mapping[str, Any], defs: Mapping[str, Any]) -> Any:
    if "$ref" in its:
        return _sample(defs[str(its["$ref"]).rpartition("/")[2]], defs)
    if "anyOf" in its:
        return _sample(its["anyOf"][0], defs)
    if "enum" in its or "const" in its:
        return its["const"] if "const" in its else its["enum"][0]
    kind = its.get("type")
    if kind == "array":
        return [_sample(its.get("items", {}), defs)]
    if kind == "object":
        return {name: _sample(its["properties"][name], defs) for name in its.get("required", ())}
    if kind in ("integer", "number"):
        return its.get("minimum", 1)
    return True if kind == "boolean" else str(_TEXT)[: its.get("maxLength", len(_TEXT))]


def _taken(config: type[EvaluatorConfig], settings: Mapping[str, Any]) -> bool:
    try:
        config.model_validate(settings)
    except ValidationError:
        return False
    return True
