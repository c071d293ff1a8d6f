"""What the server defaults or others add never causes a write; what we want changed always does."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.operator.endpoint.difference import APPLIED_HASH, covers, stamped

KEYS = st.sampled_from(["image", "replicas", "selector", "spec", "data"])
SCALARS = st.integers(2, 99) | st.sampled_from(["a", "b", "http://x"]) | st.just(True)
ATOMS = st.lists(SCALARS, min_size=1, max_size=3)


def named(children: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    items = st.dictionaries(st.sampled_from(["model", "collector", "logs"]), children, min_size=1, max_size=3)
    return items.map(lambda found: [{"name": name, "body": body} for name, body in found.items()])


WANTED = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS | ATOMS,
        lambda children: st.dictionaries(KEYS, children, min_size=1, max_size=3) | named(children),
        max_leaves=12,
    ),
    min_size=1,
)


def enriched(value: Any) -> Any:
    """Return what the server may answer: defaults in every object, others' items in every list that merges by name."""
    if isinstance(value, dict):
        return {**{key: enriched(part) for key, part in value.items()}, "defaulted": {"by": "the server"}}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [{"name": "istio-proxy", "body": 1}, *map(enriched, reversed(value))]
    return copy.deepcopy(value)


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every leaf, but for the names by which items are found."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    below = [path for key, part in parts if key != "name" for path in paths(part, (*here, key))]
    return below or [here]


def changed(value: Any, path: tuple[Any, ...]) -> Any:
    if not path:
        return "something else"
    copied = copy.copy(value)
    copied[path[0]] = changed(value[path[0]], path[1:])
    return copied


@given(WANTED)
def test_what_the_server_and_others_add_is_no_difference(wanted: dict[str, Any]) -> None:
    assert covers(wanted, wanted)
    assert covers(enriched(wanted), wanted)


@given(WANTED, st.data())
def test_whatever_we_want_changed_is_a_difference(wanted: dict[str, Any], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(paths(wanted)))
    assert not covers(enriched(wanted), changed(wanted, path))
    assert not covers(changed(wanted, path), wanted)


@given(WANTED, KEYS)
def test_a_field_that_somebody_removed_is_a_difference(wanted: dict[str, Any], key: str) -> None:
    actual = {name: value for name, value in enriched(wanted).items() if name != key}
    assert covers(actual, wanted) == (key not in wanted)


@pytest.mark.parametrize(
    ("actual", "wanted", "same"),
    [
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, {"limits": {"cpu": "1000m", "memory": "1024Mi"}}, True),
        ({"limits": {"cpu": "1"}}, {"limits": {"cpu": "1.0"}}, True),
        ({"requests": {"memory": "128974848"}}, {"requests": {"memory": "128974848"}}, True),
        ({"requests": {"memory": "1E"}}, {"requests": {"memory": "1000P"}}, True),
        ({"requests": {"memory": "1k"}}, {"requests": {"memory": "1e3"}}, True),
        ({"limits": {"cpu": "1", "nvidia.com/gpu": "1"}}, {"limits": {"cpu": 1}}, True),
        ({"limits": {"cpu": "1"}}, {"limits": {"cpu": "1001m"}}, False),
        ({"limits": {"cpu": "1"}}, {"limits": {"memory": "1Gi"}}, False),
        ({"limits": {"cpu": "1"}}, {"limits": {"cpu": "lots"}}, False),
        ({"limits": None}, {"limits": {"cpu": "1"}}, False),
        ({}, {"value": "", "args": [], "note": None}, True),
        ({}, {"enableServiceLinks": False}, False),
        ({}, {"emptyDir": {}}, False),
        ({"value": "x"}, {"value": ""}, False),
        ({"args": ["a"]}, {"args": []}, False),
        ({"args": ["a", "b"]}, {"args": ["a"]}, False),
        ({"args": "a"}, {"args": ["a"]}, False),
        ({"spec": "a"}, {"spec": {"a": 1}}, False),
        ({"ports": [{"port": 80, "protocol": "TCP", "nodePort": 3}]}, {"ports": [{"port": 80}]}, True),
        ({"ports": [{"port": 80, "protocol": "UDP"}]}, {"ports": [{"port": 80}]}, False),
        ({"mounts": [{"mountPath": "/b", "name": "x"}, {"mountPath": "/a", "name": "x"}]},
         {"mounts": [{"mountPath": "/a", "name": "x"}]}, True),
        ({"sources": [{"token": {"path": "t", "mode": 1}}]}, {"sources": [{"token": {"path": "t"}}]}, True),
        ({"sources": [{"token": {"path": "t"}}, {"more": 1}]}, {"sources": [{"token": {"path": "t"}}]}, False),
    ],
)  # fmt: skip
def test_the_servers_ways_of_writing_are_known(actual: Any, wanted: Any, same: bool) -> None:
    assert covers(actual, wanted) == same


@given(WANTED, WANTED)
def test_a_field_that_we_no_longer_want_is_seen_by_the_hash(before: dict[str, Any], after: dict[str, Any]) -> None:
    about = {"metadata": {"name": "chat"}}
    old, new = stamped({**about, "body": before}), stamped({**about, "body": after})
    hashes = [one["metadata"]["annotations"][APPLIED_HASH] for one in (old, new)]
    assert (hashes[0] == hashes[1]) == (before == after and repr(before) == repr(after)) or before == after
    assert covers(enriched(old), new) == (before == after)


def test_the_hash_ignores_what_a_write_adds() -> None:
    plain = {"metadata": {"name": "chat", "annotations": {"a": "b"}}}
    written = {"metadata": {**plain["metadata"], "uid": "u", "resourceVersion": "7"}}
    assert stamped(plain)["metadata"]["annotations"] == stamped(written)["metadata"]["annotations"]
    assert plain == {"metadata": {"name": "chat", "annotations": {"a": "b"}}}
