"""What another writer changed in a pod template of ours is distinguished from what an admission policy made of it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from modelward.desired.template_edits import differs, edited

OURS = "modelward-template"
CONTAINER = {"name": "server", "image": "vllm:1", "args": ["--threads=4"], "env": [{"name": "HF_HOME", "value": "/hf"}]}
WRITTEN = {"metadata": {"labels": {"team": "retail"}}, "spec": {"hostNetwork": False, "containers": [CONTAINER]}}
_IN_CONTAINER: dict[str, Any] = {
    "f:name": {},
    "f:image": {},
    "f:args": {},
    "f:env": {'k:{"name":"HF_HOME"}': {"f:name": {}, "f:value": {}}},
}


def owned(*without: str) -> dict[str, Any]:
    """Return our entry in managedFields, without some fields of the container."""
    container = {key: value for key, value in _IN_CONTAINER.items() if key not in without}
    pod = {"f:containers": {'k:{"name":"server"}': container}}
    template = {"f:metadata": {"f:labels": {"f:team": {}}}, "f:spec": pod}
    return {"manager": OURS, "operation": "Apply", "fieldsV1": {"f:spec": {"f:template": template}}}


def workload(entry: dict[str, Any] | None, template: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "metadata": {"managedFields": [{"manager": "kubectl", "operation": "Update"}, *([entry] if entry else [])]},
        "spec": {"template": copy.deepcopy(template or WRITTEN)},
    }


def with_container(**changed: Any) -> dict[str, Any]:
    container = {key: value for key, value in {**CONTAINER, **changed}.items() if value is not None}
    return {**WRITTEN, "spec": {"containers": [container]}}


def test_as_it_was_written_there_is_no_edit_and_what_the_server_leaves_out_is_none() -> None:
    unsaid = {**WRITTEN, "spec": {"containers": [CONTAINER]}}
    for template in (WRITTEN, unsaid):
        assert edited(WRITTEN, workload(owned(), template), OURS) == []
        assert not differs(WRITTEN, workload(owned(), template))


@pytest.mark.parametrize(
    ("changed", "field", "path"),
    [
        ({"image": "vllm:2"}, "f:image", "spec.containers[server].image"),
        ({"args": None}, "f:args", "spec.containers[server].args"),
        ({"env": [{"name": "HF_HOME", "value": "/tmp"}]}, "f:env", "spec.containers[server].env[HF_HOME].value"),
    ],
)
def test_a_field_that_is_not_ours_any_more_and_differs_is_an_edit(
    changed: dict[str, Any], field: str, path: str
) -> None:
    there = workload(owned(field), with_container(**changed))
    assert edited(WRITTEN, there, OURS) == [path]
    assert differs(WRITTEN, there)


def test_what_admission_made_of_a_field_of_ours_differs_but_is_no_edit() -> None:
    there = workload(owned(), with_container(image="mirror/vllm:1"))
    assert edited(WRITTEN, there, OURS) == []
    assert differs(WRITTEN, there)


def test_a_container_that_was_taken_out_is_told_by_its_name() -> None:
    other = {**WRITTEN, "spec": {"containers": [{"name": "another"}]}}
    entry = owned()
    del entry["fieldsV1"]["f:spec"]["f:template"]["f:spec"]
    assert edited(WRITTEN, workload(entry, other), OURS) == ["spec.containers[server]"]


def test_without_an_entry_of_ours_every_difference_is_an_edit() -> None:
    assert edited(WRITTEN, workload(None, with_container(image="vllm:2")), OURS) == ["spec.containers[server].image"]
