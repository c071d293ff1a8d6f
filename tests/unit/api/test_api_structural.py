"""The structural schema: what a CustomResourceDefinition can hold is written, and nothing else gets through."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from modelward.api.base import Model, list_map
from modelward.api.llmendpoint import Resources
from modelward.api.structural import structural, walk

Text = Annotated[str, Field(max_length=10)]


class Leaf(Model):
    """A leaf,
    told over two lines."""

    colour: Literal["red", "green"] = "red"
    """Its colour."""
    weight: Annotated[int | None, Field(gt=0, lt=10)] = None


class Tree(Model):
    """A tree."""

    kind: Literal["Tree"] = "Tree"
    leaf: Leaf = Leaf()
    green: Leaf = Leaf(colour="green")
    other: Leaf | None = None
    leaves: Annotated[tuple[Leaf, ...], Field(max_length=3, json_schema_extra=list_map("colour"))] = ()
    labels: Annotated[Mapping[str, Text] | None, Field(max_length=4)] = None


def test_references_are_inlined_and_a_field_without_a_value_is_left_out_not_null() -> None:
    schema = structural(Tree)
    other = schema["properties"]["other"]
    assert "$defs" not in schema
    assert other["type"] == "object"
    assert other["properties"]["colour"] == {
        "description": "Its colour.",
        "type": "string",
        "enum": ["red", "green"],
        "default": "red",
    }
    assert "default" not in other
    assert other["description"] == "A leaf, told over two lines."


def test_an_objects_default_holds_only_what_its_fields_do_not_default_to() -> None:
    properties = structural(Tree)["properties"]
    assert properties["leaf"]["default"] == {}
    assert properties["green"]["default"] == {"colour": "green"}


def test_a_constant_is_an_enum_of_one_and_exclusive_bounds_are_written_as_openapi_has_them() -> None:
    properties = structural(Tree)["properties"]
    assert properties["kind"]["enum"] == ["Tree"]
    weight = properties["leaf"]["properties"]["weight"]
    assert weight == {
        "type": "integer",
        "minimum": 0,
        "exclusiveMinimum": True,
        "maximum": 10,
        "exclusiveMaximum": True,
    }


def test_lists_of_named_things_merge_item_by_item_and_maps_keep_their_limit() -> None:
    properties = structural(Tree)["properties"]
    assert properties["leaves"]["x-kubernetes-list-map-keys"] == ["colour"]
    assert properties["labels"] == {
        "type": "object",
        "maxProperties": 4,
        "additionalProperties": {"type": "string", "maxLength": 10},
    }


def test_without_defaults_only_the_keys_of_list_maps_keep_theirs() -> None:
    defaulted = [path for path, node in walk(structural(Tree, defaults=False)) if "default" in node]
    assert defaulted == [".leaves[].colour"]


def test_walk_names_every_node_by_its_path() -> None:
    paths = [path for path, _ in walk(structural(Tree))]
    assert paths[0] == ""
    assert {".leaf.colour", ".leaves[]", ".leaves[].weight", ".labels{}"} <= set(paths)


def test_amounts_may_be_written_as_bare_numbers() -> None:
    limits = structural(Resources)["properties"]["limits"]
    assert limits["additionalProperties"] == {"maxLength": 32, "x-kubernetes-int-or-string": True}
    assert Resources.model_validate({"limits": {"nvidia.com/gpu": 1}}).limits == {"nvidia.com/gpu": "1"}


class Union(BaseModel):
    field: Text | int


class Nested(BaseModel):
    unions: Annotated[list[Union], Field(max_length=1)]


class Float(BaseModel):
    field: float


class Untyped(BaseModel):
    field: Any


class LongText(BaseModel):
    field: str


class LongList(BaseModel):
    field: list[bool]


class LongMap(BaseModel):
    field: dict[str, bool]


class Multiple(BaseModel):
    field: Annotated[int, Field(multiple_of=2)]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Union, r"Union\.field: .*union"),
        (Nested, r"Nested\.unions\[\]\.field: .*union"),
        (Float, r"Float\.field: .*no floats"),
        (Untyped, r"Untyped\.field: .*without a type"),
        (LongText, r"LongText\.field: needs maxLength"),
        (LongList, r"LongList\.field: needs maxItems"),
        (LongMap, r"LongMap\.field: needs maxProperties"),
        (Multiple, r"Multiple\.field: .*multipleOf"),
    ],
)
def test_what_a_structural_schema_cannot_hold_is_refused_with_its_path(model: type[BaseModel], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        structural(model)
