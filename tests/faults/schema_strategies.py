"""Strategies made from the structural schemas in crds/: whatever the API server takes for a field, and its edges.

A path is a tuple of property names, with `[]` for the items of a list and `{}` for the values of a map. What a schema
cannot say (an amount of memory, an image, a workload that exists) is laid over it by path, see `semantics`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from modelward.api.form import (
    ALERT,
    API_URL,
    CHANNEL,
    HOST_PORT,
    IMAGE,
    KAPPA,
    KIND,
    LABEL,
    MAIL_ADDRESS,
    QUERY_VALUE,
    REPOSITORY,
    SECRET_KEY,
    SECRET_NAME,
    TEXT_URL,
)

CRDS = Path(__file__).resolve().parents[2] / "crds"
ITEM, VALUE = "[]", "{}"
RULES_KEYWORD = "x-kubernetes-validations"
KEYWORDS = frozenset(
    {
        "type", "description", "properties", "required", "default", "enum", "pattern", "format", "minLength",
        "maxLength", "minimum", "maximum", "items", "maxItems", "minItems", "additionalProperties", "maxProperties",
        "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type", "x-kubernetes-validations",
        "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields",
    }
)  # fmt: skip
"""All that a schema of ours says; a keyword that is not among them would go untested."""
_FORM = re.compile(r"self\.matches\(r'([^']*)'\)")

Schema = Mapping[str, Any]
SchemaPath = tuple[str, ...]
Overlay = Mapping[SchemaPath, "st.SearchStrategy[Any] | None"]
"""Strategies that take a field's place; None leaves the field out."""
_ASCII = st.characters(min_codepoint=33, max_codepoint=126)
_FEW = 3


@dataclass(frozen=True, slots=True)
class Edges:
    """The values of a pattern that lie on its border, and those just beyond with the reason why they are wrong."""

    inside: tuple[str, ...]
    beyond: tuple[tuple[str, str], ...]


_DURATION = r"^([0-9]{1,5}(h|m|s|ms)){1,4}$"
_PERCENT = r"^(100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)%$"
_LABEL_FAULTS = (
    ("-a", "begins with a dash"),
    ("a-", "ends with a dash"),
    ("Abc", "has a capital"),
    ("a.b", "has a dot"),
    ("a_b", "has an underscore"),
    ("a\n", "has a line break"),
)
PATTERNS: Mapping[str, Edges] = {
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$": Edges(("a", "0", "a--b", "z" * 63), _LABEL_FAULTS),
    r"^[a-z]([-a-z0-9]*[a-z0-9])?$": Edges(("a", "z" * 63), (*_LABEL_FAULTS, ("1a", "begins with a digit"))),
    _DURATION: Edges(
        ("0s", "1ms", "5m1h", "99999h" * 4),
        (
            ("10", "has no unit"),
            ("1d", "days are no unit"),
            ("-1s", "is negative"),
            ("1.5h", "is a fraction"),
            ("123456s", "has six digits"),
            ("1h1h1h1h1h", "has five parts"),
            ("", "is empty"),
        ),
    ),
    _PERCENT: Edges(
        ("0%", "0.0001%", "99.9999%", "100%", "100.0000%"),
        (
            ("5", "has no percent sign"),
            ("101%", "is above 100"),
            ("100.1%", "is above 100"),
            ("-1%", "is negative"),
            ("1.23456%", "has five decimals"),
            (".5%", "has no whole part"),
        ),
    ),
    r"^((100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)%|[0-9]{1,9}(\.[0-9]{1,4})?)$": Edges(
        ("0%", "0.0001%", "100.0000%", "0.0001", "999999999.9999"),
        (
            ("101%", "is above 100%"),
            ("-1%", "is negative"),
            ("-1", "is negative"),
            ("1.23456", "has five decimals"),
            ("1234567890", "has ten digits"),
            (".5", "has no whole part"),
            ("1 %", "has a space"),
        ),
    ),
    r"^[0-9]{1,6}(\.[0-9]{1,6})?$": Edges(
        ("0", "0.000001", "999999.999999", "5.00"),
        (
            ("-1", "is negative"),
            ("1.2345678", "has seven decimals"),
            ("1234567", "has seven digits"),
            (".5", "has no whole part"),
            ("5,00", "has a comma"),
            ("$5", "has a sign of a currency"),
        ),
    ),
    r"^[A-Za-z][-A-Za-z0-9]{0,62}$": Edges(
        ("x", "X-Team", "x" * 63),
        (
            ("x team", "has a space"),
            ("9x", "begins with a digit"),
            ("x_team", "has an underscore"),
            ("x:", "has a colon"),
        ),
    ),
    r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,60}[A-Za-z0-9]?$": Edges(
        ("a", "ragas", "a_.-b", "x" * 62),
        (("a b", "has a space"), ("-a", "begins with a dash"), ("é", "has an accent"), ("a/b", "has a slash")),
    ),
    r"^[A-Z]{3}$": Edges(("USD", "AAA"), (("usd", "is written small"), ("US", "has two letters"))),
    r"^[0-9]{1,6}(Ki|Mi)?$": Edges(
        ("0", "1", "999999Mi"),
        (("1Gi", "is gibibytes"), ("1K", "is no unit"), ("-1", "is negative"), ("1234567", "has seven digits")),
    ),
    r"^https?://[^\s/?#]+(/[^\s?#]*)?$": Edges(
        ("http://a", "https://" + "a" * 504, "https://a:8443/v1/"),
        (
            ("ftp://a", "is no HTTP"),
            ("http://", "has no host"),
            ("//a", "has no scheme"),
            ("http://a?b", "has a query"),
            ("http://a#b", "has a fragment"),
            ("http://a b", "has a space"),
        ),
    ),
    TEXT_URL.pattern: Edges(
        ("https://a", "https://a.b:8443/v1/", "https://[::1]", "http://a.b.svc", "http://a.b.svc.cluster.local:80/x"),
        (
            ("http://a", "is plain HTTP to no Service"),
            ("http://a.b", "is no full name of a Service"),
            ("http://a.b.svc.c", "is a host outside"),
            ("https://a@b", "has a user"),
            ("https://a?b", "has a query"),
            ("https://a#b", "has a fragment"),
            ("https://a b", "has a space"),
            ("https://", "has no host"),
            ("ftp://a", "is no HTTP"),
        ),
    ),
    SECRET_NAME.pattern: Edges(
        ("modelward-a", "modelward-" + "z" * 53),
        (("a", "has no prefix"), ("modelward-", "has nothing behind its prefix"), ("modelward-A", "has a capital")),
    ),
    LABEL.pattern: Edges(
        ("a", "A b-c_d", "z" * 32), (("-a", "begins with a dash"), ("a ", "ends with a space"), ("a.b", "has a dot"))
    ),
    KAPPA.pattern: Edges(
        ("0.0", "0.4", "0.99"),
        (
            ("1.0", "is above 0.99"),
            ("-0.4", "is negative"),
            ("0.123", "has three decimals"),
            ("0", "has no decimals"),
            (".4", "has no whole part"),
            ("40%", "is a share"),
        ),
    ),
    QUERY_VALUE.pattern: Edges(("a", "2024-10-21", ".-_"), (("a=b", "has an equals sign"), ("a b", "has a space"))),
    SECRET_KEY.pattern: Edges(("a", ".a_B-0"), (("a b", "has a space"), ("a/b", "has a slash"))),
    IMAGE.pattern: Edges(("a", "a:1", "a.b:80/c/d@sha256:0"), (("a b", "has a space"), ("a\n", "has a line break"))),
    KIND.pattern: Edges(
        ("a", "EMAIL", "a.b-c_d", "z" * 63),
        (("-a", "begins with a dash"), ("a b", "has a space"), ("é", "has an accent")),
    ),
    ALERT.pattern: Edges(
        ("NotReady", "OverBudget", "Modelward", "Check", "Check/a", "Objective/a-b", "BudgetBurn/" + "z" * 63),
        (
            ("notready", "is written small"),
            ("NotReady/a", "is of no check"),
            ("Check/", "has no name behind its slash"),
            ("Check/A", "has a capital"),
            ("Everything", "is no alert"),
        ),
    ),
    MAIL_ADDRESS.pattern: Edges(
        ("a@b", "on.call+llm@example.com"),
        (("a", "has no host"), ("@b", "has no name"), ("A <a@b>", "has a name before it"), ("a@b c", "has a space")),
    ),
    HOST_PORT.pattern: Edges(
        ("a:1", "smtp.example.com:587"),
        (("a", "has no port"), (":25", "has no host"), ("a:b", "has a word for its port"), ("a b:1", "has a space")),
    ),
    REPOSITORY.pattern: Edges(
        ("a/b", "retail/chat.bot_1"),
        (("a", "has no owner"), ("a/b/c", "has three parts"), ("-a/b", "begins with a dash"), ("a/b c", "has a space")),
    ),
    CHANNEL.pattern: Edges(("C0123456789", "#alerts", "@a"), (("#", "has no name"), ("a b", "has a space"))),
    API_URL.pattern: Edges(
        ("https://a", "https://github.example.com:8443/api/v3"),
        (("http://a", "is plain HTTP"), ("https://a?b", "has a query"), ("https://", "has no host")),
    ),
}
_TIMES = st.datetimes().map(lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20))


def roots() -> dict[str, Schema]:
    """Return the schema of each kind's objects, as it is installed."""
    documents = [yaml.safe_load(path.read_text()) for path in sorted(CRDS.glob("*.yaml"))]
    return {document["spec"]["names"]["kind"]: _root(document) for document in documents}


def kinds() -> dict[str, Schema]:
    """Return the schema of `spec` of each kind."""
    return {kind: root["properties"]["spec"] for kind, root in roots().items()}


def _root(document: Mapping[str, Any]) -> Schema:
    (version,) = document["spec"]["versions"]
    schema: Schema = version["schema"]["openAPIV3Schema"]
    return schema


def nodes(schema: Schema, path: SchemaPath = ()) -> Iterator[tuple[SchemaPath, Schema]]:
    """Yield every part of a schema with its path, the whole first."""
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from nodes(part, (*path, name))
    for keyword, step in (("items", ITEM), ("additionalProperties", VALUE)):
        if keyword in schema:
            yield from nodes(schema[keyword], (*path, step))


def is_form(rule: Mapping[str, str]) -> bool:
    """Return whether a rule stands for the pattern of a text, for the sake of its message."""
    return _FORM.fullmatch(rule["rule"]) is not None


def pattern_of(schema: Schema) -> str:
    """Return the pattern of a text, from the rule that says it or the keyword; empty where there is none."""
    found = (_FORM.fullmatch(rule["rule"]) for rule in schema.get(RULES_KEYWORD, ()))
    said: str = schema.get("pattern", "")
    return said or next((match[1] for match in found if match), "")


def leaves(schema: Schema) -> list[SchemaPath]:
    """Return the paths of all fields that hold a value of their own, in the order of the schema."""
    return [path for path, part in nodes(schema) if not {"properties", "items", "additionalProperties"} & part.keys()]


def at(schema: Schema, path: SchemaPath) -> Schema:
    """Return the part of a schema at a path."""
    for step in path:
        keyword = {ITEM: "items", VALUE: "additionalProperties"}.get(step)
        schema = schema[keyword] if keyword else schema["properties"][step]
    return schema


def values(schema: Schema, overlay: Overlay, path: SchemaPath = ()) -> st.SearchStrategy[Any]:
    """Return the values that the schema takes, with what lies over it; rules between fields (CEL) are not checked."""
    laid = overlay.get(path)
    if laid is not None:
        return laid
    if schema.get("x-kubernetes-int-or-string"):
        return st.integers(0, 1_000_000) | st.text(_ASCII, max_size=min(schema["maxLength"], 8))
    return _OF_TYPE[schema["type"]](schema, overlay, path)


def _object(schema: Schema, overlay: Overlay, path: SchemaPath) -> st.SearchStrategy[Any]:
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return st.dictionaries(st.text(_ASCII, min_size=1, max_size=8), st.integers(0, 9) | st.booleans(), max_size=2)
    if "additionalProperties" in schema:
        inner = values(schema["additionalProperties"], overlay, (*path, VALUE))
        keys = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
        return st.dictionaries(keys, inner, max_size=min(schema["maxProperties"], _FEW))
    wanted = set(schema.get("required", ()))
    parts = {
        name: values(part, overlay, (*path, name))
        for name, part in schema["properties"].items()
        if (*path, name) not in overlay or overlay[*path, name] is not None
    }
    always = {name: part for name, part in parts.items() if name in wanted}
    sometimes = {name: part for name, part in parts.items() if name not in wanted}
    return st.fixed_dictionaries(always, optional=sometimes)


def _array(schema: Schema, overlay: Overlay, path: SchemaPath) -> st.SearchStrategy[Any]:
    items, few = values(schema["items"], overlay, (*path, ITEM)), min(schema["maxItems"], _FEW)
    least = schema.get("minItems", 0)
    keys = schema.get("x-kubernetes-list-map-keys")
    if not keys:
        return st.lists(items, min_size=least, max_size=few)
    return st.lists(items, min_size=least, max_size=few, unique_by=lambda item: tuple(item[key] for key in keys))


def _string(schema: Schema, _overlay: Overlay, _path: SchemaPath) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("format") == "date-time":
        return _TIMES
    least, most = schema.get("minLength", 0), schema["maxLength"]
    pattern = pattern_of(schema)
    if not pattern:
        return st.text(_ASCII, min_size=least, max_size=min(most, 24))
    usual = st.from_regex(pattern, fullmatch=True, alphabet=_ASCII)
    fitting = usual.filter(lambda text: least <= len(text) <= most)
    return fitting | st.sampled_from(PATTERNS[pattern].inside)


def _integer(schema: Schema, _overlay: Overlay, _path: SchemaPath) -> st.SearchStrategy[Any]:
    low, high = schema["minimum"], schema["maximum"]
    return st.sampled_from((low, high)) | st.integers(low, high)


def _boolean(_schema: Schema, _overlay: Overlay, _path: SchemaPath) -> st.SearchStrategy[Any]:
    return st.booleans()


_OF_TYPE = {"object": _object, "array": _array, "string": _string, "integer": _integer, "boolean": _boolean}


def boundaries(schema: Schema) -> list[Any]:
    """Return the values at the edges of what one field takes: ends of ranges, longest and shortest, every word."""
    if "enum" in schema:
        return list(schema["enum"])
    if schema.get("type") == "boolean":
        return [False, True]
    if schema.get("type") == "integer":
        return [schema["minimum"], schema["maximum"]]
    if pattern := pattern_of(schema):
        return list(PATTERNS[pattern].inside)
    if schema.get("type") == "string" and "format" not in schema:
        return ["x" * max(1, schema.get("minLength", 0)), "x" * schema["maxLength"]]
    return []
