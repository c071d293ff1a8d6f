"""The definitions: complete, deterministic, equal to the files, and only ever growing."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelward.api import crd
from modelward.api.base import Model
from modelward.api.evaluator import BESIDE_KIND
from modelward.api.quantity import timestamp
from modelward.api.structural import Schema, walk

ROOT = Path(__file__).parents[3]
RELEASED = sorted((ROOT / "tests" / "fixtures" / "crds").glob("*/*.yaml"))
UPPER = ("maximum", "maxLength", "maxItems", "maxProperties")
LOWER = ("minimum", "minLength", "minItems", "minProperties")
_NO_END = float("inf")


@cache
def documents() -> tuple[dict[str, Any], ...]:
    """Return the definitions, made once: each property below asks for them many times."""
    return tuple(crd.documents())


@cache
def schema_by(kind: str) -> Schema:
    """Return the schema of a kind."""
    (schema,) = (schema_of(document) for document in documents() if document["spec"]["names"]["kind"] == kind)
    return schema


def schema_of(document: dict[str, Any]) -> Schema:
    schema: Schema = document["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def nodes() -> Iterator[tuple[str, Schema]]:
    for kind, document in zip(crd.KINDS, documents(), strict=True):
        for path, node in walk(schema_of(document)):
            yield kind.short_name + path, node


@pytest.mark.parametrize("kind", [kind.name for kind in crd.KINDS])
def test_a_definition_is_the_same_text_each_time_and_reads_back_as_the_same_object(kind: str) -> None:
    text = crd.render(kind)
    assert text == crd.render(kind)
    assert "&id" not in text
    assert len(text) < 200_000
    (document,) = (document for document in crd.documents() if document["spec"]["names"]["kind"] == kind)
    assert yaml.safe_load(text) == document


def test_names_are_those_that_people_type() -> None:
    names = [document["spec"]["names"] for document in crd.documents()]
    assert [name["shortNames"] for name in names] == [["llmep"], ["mpol"], ["llmeval"], ["llmrun"], ["llmsil"]]
    assert all(name["categories"] == ["llm"] for name in names)
    assert [document["metadata"]["name"] for document in crd.documents()] == [
        "llmendpoints.modelward.dev",
        "monitoringpolicies.modelward.dev",
        "evaluators.modelward.dev",
        "evaluationruns.modelward.dev",
        "alertsilences.modelward.dev",
    ]


def test_every_field_tells_explain_what_it_is() -> None:
    silent = [
        path for path, node in nodes() if "description" not in node and not path.endswith(("[]", "{}", ".metadata"))
    ]
    assert silent == []


def test_no_field_is_a_float() -> None:
    assert [path for path, node in nodes() if node.get("type") == "number"] == []


def test_every_key_of_a_list_map_is_required_or_defaulted() -> None:
    for path, node in nodes():
        for key in node.get("x-kubernetes-list-map-keys", ()):
            item = node["items"]
            assert key in item.get("required", ()) or "default" in item["properties"][key], f"{path}: {key}"


def test_every_pattern_is_understood_by_the_api_server_too() -> None:
    """RE2 has no look-around, back references or possessive quantifiers."""
    beyond_re2 = re.compile(r"\(\?[=!<]|\\[1-9]|[+*?}]\+")
    assert [path for path, node in nodes() if beyond_re2.search(pattern_of(node))] == []


def test_free_form_fields_keep_what_they_hold() -> None:
    kept = {path for path, node in nodes() if node.get("x-kubernetes-preserve-unknown-fields")}
    assert kept == {
        "llmep.spec.backend.template.podTemplate",
        "mpol.spec.evaluations[].check.config",
        "llmeval.spec.config",
        "llmeval.spec.container.config",
        "llmeval.spec.webhook.config",
    }


def test_every_column_shows_a_field_that_there_is() -> None:
    for kind, document in zip(crd.KINDS, documents(), strict=True):
        known = {path for path, _ in walk(schema_of(document))}
        for column in kind.columns:
            path = re.sub(r"\[\?.*?\]", "[]", column.path)
            assert path in known or path == ".metadata.creationTimestamp", f"{kind.name} {column.name}"


def values(schema: Schema) -> st.SearchStrategy[Any]:
    """Generate what a structural schema accepts."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("x-kubernetes-int-or-string"):
        return st.integers(0, 1000) | st.sampled_from(["500m", "16Gi"])
    match schema["type"]:
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema.get("minimum", 0), schema.get("maximum", 2**31))
        case "string":
            return _texts(schema)
        case "array":
            return st.lists(values(schema["items"]), min_size=schema.get("minItems", 0), max_size=2)
        case _:
            return _objects(schema)


def pattern_of(schema: Schema) -> str:
    """Return the pattern of a text, from the keyword or the rule that says it in words; empty where there is none."""
    forms = (
        re.fullmatch(r"self\.matches\(r'(.*)'\)", one["rule"]) for one in schema.get("x-kubernetes-validations", ())
    )
    said: str = schema.get("pattern", "")
    return said or next((form[1] for form in forms if form), "")


@cache
def _part(kind: str, part: str) -> st.SearchStrategy[Any]:
    return values(schema_by(kind)["properties"][part])


def _texts(schema: Schema) -> st.SearchStrategy[str]:
    if schema.get("format") == "date-time":
        return st.integers(0, 4_000_000_000_000).map(timestamp)
    low, high = schema.get("minLength", 0), min(schema["maxLength"], 80)
    pattern = pattern_of(schema)
    if not pattern:
        return st.text("abc ÄΩ", min_size=low, max_size=high)
    return st.from_regex(pattern.removesuffix("$") + r"\Z").filter(lambda text: low <= len(text) <= high)


def _objects(schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return st.dictionaries(st.text("ab", min_size=1, max_size=3), st.integers() | st.text("ab"), max_size=2)
    if "additionalProperties" in schema:
        return st.dictionaries(st.text("ab", max_size=3), values(schema["additionalProperties"]), max_size=2)
    required = schema.get("required", ())
    fields = {name: values(child) for name, child in schema.get("properties", {}).items()}
    return st.fixed_dictionaries(
        {name: field for name, field in fields.items() if name in required},
        optional={name: field for name, field in fields.items() if name not in required},
    )


@pytest.mark.parametrize("kind", crd.KINDS, ids=lambda kind: kind.name)
@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_the_schema_accepts_the_model_reads_and_writes_back_within_the_schema(
    kind: crd.KindDocument, data: st.DataObject
) -> None:
    schema = schema_by(kind.name)
    spec = data.draw(_part(kind.name, "spec"))
    if kind.name == "Evaluator":  # its model holds the rule of one kind too
        kinds = {
            name: part for name, part in schema["properties"]["spec"]["properties"].items() if name not in BESIDE_KIND
        }
        kept = data.draw(st.sampled_from(sorted(kinds)))
        spec = {kept: data.draw(values(kinds[kept]))}
    status = data.draw(_part(kind.name, "status"))
    read = kind.model.model_validate({"metadata": {"name": "chat"}, "spec": spec, "status": status})
    written = read.wire()
    assert _pruned(written["spec"], schema["properties"]["spec"]) == []
    assert _pruned(written["status"], schema["properties"]["status"]) == []
    assert json.loads(json.dumps(written)) == written
    assert kind.model.model_validate(written) == read


def _pruned(value: Any, schema: Schema, path: str = "") -> list[str]:
    """Return the paths that the API server would drop."""
    if isinstance(value, list):
        return [lost for item in value for lost in _pruned(item, schema["items"], f"{path}[]")]
    if not isinstance(value, dict) or schema.get("x-kubernetes-preserve-unknown-fields"):
        return []
    if "additionalProperties" in schema:
        return []
    known = schema["properties"]
    lost = [f"{path}.{name}" for name in value if name not in known]
    return lost + [deep for name in value if name in known for deep in _pruned(value[name], known[name], name)]


def _fields(model: type[Model]) -> Iterator[str]:
    return (field.alias or name for name, field in model.model_fields.items())


def test_every_field_of_a_status_has_a_place_in_the_schema() -> None:
    for kind, document in zip(crd.KINDS, documents(), strict=True):
        status = kind.model.model_fields["status"].annotation
        assert isinstance(status, type)
        assert issubclass(status, Model)
        assert set(_fields(status)) == set(schema_of(document)["properties"]["status"]["properties"])


def test_there_is_a_released_definition_of_every_kind() -> None:
    assert {path.name for path in RELEASED} >= set(crd.files())


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_was_released_stays_readable(path: Path) -> None:
    """Within a version the kinds only grow: no field goes, none becomes required, no limit tightens."""
    old = yaml.safe_load(path.read_text())
    (new,) = (document for document in crd.documents() if document["metadata"] == old["metadata"])
    assert new["spec"]["names"] == old["spec"]["names"]
    assert list(_narrowed(schema_of(old), schema_of(new))) == []


def _narrowed(old: Schema, new: Schema) -> Iterator[str]:
    after = dict(walk(new))
    for path, before in walk(old):
        if path not in after:
            yield f"{path} is gone"
            continue
        now = after[path]
        yield from [] if _as_wide(pattern_of(before), pattern_of(now)) else [f"{path}: pattern changed"]
        same = ("type", "format", "default", "x-kubernetes-list-type", "x-kubernetes-list-map-keys")
        yield from (f"{path}: {key} changed" for key in same if before.get(key) != now.get(key))
        yield from (f"{path}: {name} became required" for name in _missing(now, before, "required"))
        yield from (f"{path}: {name} is no longer allowed" for name in _missing(before, now, "enum"))
        yield from (f"{path}: {key} tightened" for key in UPPER if now.get(key, _NO_END) < before.get(key, _NO_END))
        yield from (f"{path}: {key} tightened" for key in LOWER if now.get(key, -_NO_END) > before.get(key, -_NO_END))


def _as_wide(old: str, new: str) -> bool:
    """Return whether a pattern is as it was, or takes what it took and something else."""
    return old == new or (bool(old) and new.startswith(f"^({old.removeprefix('^').removesuffix('$')}|"))


def _missing(longer: Schema, shorter: Schema, key: str) -> list[Any]:
    return [name for name in longer.get(key, ()) if name not in shorter.get(key, ())]


def test_a_narrower_schema_is_noticed() -> None:
    assert _as_wide("^[a-z]%$", "^([a-z]%|[0-9])$")
    assert not _as_wide("^[a-z]%$", "^[a-y]%$")
    text = {"type": "string", "maxLength": 5, "enum": ["a", "b"]}
    old = {"type": "object", "properties": {"kept": text, "lost": text}}
    narrow = {"type": "string", "maxLength": 4, "enum": ["a"]}
    new = {"type": "object", "required": ["kept"], "properties": {"kept": narrow}}
    assert list(_narrowed(old, new)) == [
        ": kept became required",
        ".kept: b is no longer allowed",
        ".kept: maxLength tightened",
        ".lost is gone",
    ]


def test_a_rule_over_an_object_with_a_default_asks_whether_its_fields_are_there() -> None:
    """The API server checks such a default before it fills in the fields, and refuses the whole definition."""
    for path, node in nodes():
        for rule in node.get("x-kubernetes-validations", ()) if isinstance(node.get("default"), dict) else ():
            for field in re.findall(r"self\.(\w+)", rule["rule"]):
                assert field in node["default"] or f"has(self.{field})" in rule["rule"], (path, rule["message"])
