"""Of several LLMEndpoints that refer to one workload, one writes; what an endpoint has left, another may take."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from desired_specimens import PLAIN
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired import adoption, names
from modelward.desired.children import Facts, children
from modelward.desired.finding import Finding
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.desired.target import deserted, refers, taken, writes

WORKLOAD: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "vllm", "namespace": "retail", "uid": "d"},
    "spec": {
        "selector": {"matchLabels": {"app": "vllm"}},
        "template": {
            "metadata": {"labels": {"app": "vllm"}},
            "spec": {"containers": [{"name": "m", "ports": [{"containerPort": 8000}]}]},
        },
    },
}
SIDECAR: dict[str, Any] = {"collector": {"mode": "Sidecar"}}
DIRECT: dict[str, Any] = {"scaling": {"mode": "Direct", "maxReplicas": 3}}


def refer(name: str, created: str = "2026-01-01T00:00:00Z", uid: str = "", **spec: Any) -> LLMEndpoint:
    reference = spec.pop("ref", {"name": "vllm"})
    metadata = {"name": name, "namespace": "retail", "uid": uid or name, "creationTimestamp": created, "generation": 1}
    backend = {"backend": {"workloadRef": reference}}
    return LLMEndpoint.model_validate({"metadata": metadata | spec.pop("metadata", {}), "spec": backend | spec})


@pytest.mark.parametrize("one", [SIDECAR, DIRECT, {"replicas": 5}], ids=str)
@pytest.mark.parametrize("other", [SIDECAR, DIRECT, {"replicas": 2}], ids=str)
def test_the_younger_of_two_that_write_is_refused_and_proceeds_when_the_older_goes(one: Any, other: Any) -> None:
    old = refer("old", **one)
    young = refer("young", "2026-01-02T00:00:00Z", **other)
    assert taken(old, [young], WORKLOAD) is None
    found = taken(young, [old], WORKLOAD)
    assert found is not None
    assert found.reason == "TargetTaken"
    assert "LLMEndpoint old is older" in found.message
    assert children(young, MonitoringPlan(), PLAIN, Facts(WORKLOAD, taken=found)) == found
    going = refer("old", metadata={"deletionTimestamp": "2026-01-03T00:00:00Z"}, **one)
    assert taken(young, [going], WORKLOAD) is None
    assert taken(young, [refer("old", ref={"name": "another"}, **one)], WORKLOAD) is None


@pytest.mark.parametrize("watching", [{}, {"collector": {"mode": "Gateway"}}, {"scaling": {"maxReplicas": 3}}])
def test_an_endpoint_that_only_watches_blocks_no_writer_and_is_never_refused(watching: Any) -> None:
    old, young = refer("old", **watching), refer("young", "2026-01-02T00:00:00Z", replicas=2)
    assert not writes(old)
    assert taken(young, [old], WORKLOAD) is None
    assert taken(refer("late", "2026-01-03T00:00:00Z", **watching), [old, young], WORKLOAD) is None


@given(
    st.lists(st.tuples(st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]), st.booleans()), max_size=4)
)
def test_whatever_there_is_exactly_one_of_those_who_write_may(ages: list[tuple[str, bool]]) -> None:
    endpoints = [
        refer(f"e{i}", created, f"{9 - i}", **({"replicas": i} if writing else {}))
        for i, (created, writing) in enumerate(ages)
    ]
    writing = [one for one in endpoints if writes(one)]
    for order in permutations(endpoints):
        free = [one for one in writing if taken(one, order, WORKLOAD) is None]
        assert len(free) == min(1, len(writing))
        assert all(one.metadata.creation_timestamp >= free[0].metadata.creation_timestamp for one in writing)


def test_a_paused_endpoint_keeps_its_place() -> None:
    old, young = refer("old", replicas=1, paused=True), refer("young", "2026-01-02T00:00:00Z", replicas=2)
    assert taken(young, [old], WORKLOAD) is not None


def test_a_workload_that_another_endpoint_runs_is_not_written_to() -> None:
    owner = {"apiVersion": "modelward.dev/v1alpha1", "kind": "LLMEndpoint", "name": "chat", "controller": True}
    owned = {**WORKLOAD, "metadata": {**WORKLOAD["metadata"], "ownerReferences": [owner]}}
    found = taken(refer("young", replicas=2), [], owned)
    assert found is not None
    assert "is run by LLMEndpoint chat" in found.message
    assert taken(refer("young"), [], owned) is None


def _stored(name: str, workload: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"backend": {"workloadRef": {"name": workload}}}}


def _adopted(by: str) -> dict[str, Any]:
    partial = adoption.injection(refer(by, **SIDECAR), WORKLOAD, PLAIN)
    assert not isinstance(partial, Finding)
    pod = WORKLOAD["spec"]["template"]["spec"] | partial["spec"]["template"]["spec"]
    template = {**WORKLOAD["spec"]["template"], "spec": pod}
    metadata = {**WORKLOAD["metadata"], **partial["metadata"]}
    return {**WORKLOAD, "metadata": metadata, "spec": {**WORKLOAD["spec"], "template": template}}


@pytest.mark.parametrize(
    ("stored", "left"),
    [
        ([_stored("chat", "vllm")], False),
        ([_stored("chat", "another")], True),
        ([_stored("other", "vllm")], True),
        ([], True),
    ],
)
def test_a_workload_that_its_endpoint_has_left_may_be_adopted_by_another(stored: list[Any], left: bool) -> None:
    workload, other = _adopted("chat"), refer("other", **SIDECAR)
    assert deserted(workload, stored) is left
    found = children(other, MonitoringPlan(), PLAIN, Facts(workload, deserted=left))
    assert isinstance(found, Finding) is not left
    if not isinstance(found, Finding):
        injected = next(child.obj for child in found if child.manager == names.ADOPT_MANAGER)
        assert injected["metadata"]["labels"] == {names.ADOPTED_BY: "other"}


def test_a_workload_without_a_mark_of_adoption_is_not_deserted() -> None:
    assert not deserted(WORKLOAD, [])


@pytest.mark.parametrize("spec", [None, {}, {"backend": None}, {"backend": 3}, {"backend": {"workloadRef": "vllm"}}])
def test_an_unreadable_spec_refers_to_nothing(spec: Any) -> None:
    assert not refers({"metadata": {"name": "odd"}, "spec": spec}, "Deployment", "vllm")
