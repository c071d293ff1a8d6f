"""Adopting a workload: only where it is safe, only once, and only with items of our own."""

from __future__ import annotations

from typing import Any

import pytest
from desired_specimens import PLAIN, SETTLED, endpoint, refer, run_here, workload

from modelward.api.llmendpoint import WorkloadRef
from modelward.desired import adoption
from modelward.desired.children import Facts, children
from modelward.desired.container_search import ContainerPort, find_container
from modelward.desired.finding import Finding
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.desired.service import service
from modelward.reasons.accepted import AcceptedReason

ADOPTER = refer("Sidecar")


def _container(name: str, *ports: int | tuple[str, int]) -> dict[str, Any]:
    declared = [{"name": p[0], "containerPort": p[1]} if isinstance(p, tuple) else {"containerPort": p} for p in ports]
    return {"name": name, **({"ports": declared} if declared else {})}


def _injected(by: str = "chat") -> dict[str, Any]:
    pod = {"containers": [_container("server", 8000)], "initContainers": [_container("modelward-collector", 18080)]}
    note = {"modelward.dev/injected-generation": f"{adoption.injection_hash(ADOPTER)}/{ADOPTER.metadata.uid}"}
    return workload(pod=pod, labels={"modelward.dev/adopted-by": by}, annotations=note)


def _partial(installed: Any = PLAIN, **made: Any) -> dict[str, Any]:
    partial = adoption.injection(ADOPTER, workload(**made), installed)
    assert not isinstance(partial, Finding)
    return partial


def test_only_whole_items_of_ours_and_one_label_and_annotation_are_added() -> None:
    partial = _partial(SETTLED)
    assert set(partial["metadata"]) == {"name", "namespace", "uid", "labels", "annotations"}
    assert partial["metadata"]["labels"] == {"modelward.dev/adopted-by": "chat"}
    assert list(partial["metadata"]["annotations"]) == ["modelward.dev/injected-generation"]
    assert list(partial["spec"]) == ["template"]
    assert list(partial["spec"]["template"]) == ["spec"]
    added = partial["spec"]["template"]["spec"]
    assert set(added) == {"initContainers", "volumes"}
    assert all(item["name"].startswith("modelward-") for items in added.values() for item in items)


def test_taking_out_names_nothing_but_the_workload() -> None:
    assert adoption.withdrawal(_injected()) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "my-vllm", "namespace": "retail", "uid": "uid-of-vllm"},
    }


@pytest.mark.parametrize(
    ("holders", "due"),
    [
        (None, True),
        ([("modelward-adopt", "Apply"), ("kubectl", "Apply")], True),
        ([("kubectl", "Apply")], False),
        ([("modelward-adopt", "Update"), ("kubectl", "Apply")], False),
    ],
)
def test_what_only_another_manager_holds_is_not_taken_out_again_and_again(holders: Any, due: bool) -> None:
    adopted = _injected()
    if holders is not None:
        adopted["metadata"]["managedFields"] = [{"manager": who, "operation": how} for who, how in holders]
    assert adoption.withdrawal_due(refer("ScrapeOnly"), adopted) is due


def test_a_guaranteed_pod_stays_guaranteed() -> None:
    exact = {"limits": {"cpu": "1", "memory": "1Gi"}}
    pod = {"containers": [{**_container("server", 8000), "resources": exact}]}
    resources = _partial(pod=pod)["spec"]["template"]["spec"]["initContainers"][0]["resources"]
    assert resources["requests"] == resources["limits"] == {"cpu": "500m", "memory": "192Mi"}


@pytest.mark.parametrize(
    ("kind", "label"), [("Deployment", "pod-template-hash"), ("StatefulSet", "controller-revision-hash")]
)
def test_the_revision_is_the_workloads_own(kind: str, label: str) -> None:
    env = _partial(kind=kind)["spec"]["template"]["spec"]["initContainers"][0]["env"]
    revision = next(variable for variable in env if variable["name"] == "MODELWARD_REVISION")
    assert label in revision["valueFrom"]["fieldRef"]["fieldPath"]


def test_it_is_injected_once_for_what_the_user_wrote() -> None:
    fresh = workload()
    assert adoption.injection_due(ADOPTER, fresh)
    assert not adoption.removed_by_other(ADOPTER, fresh)
    assert not adoption.injection_due(ADOPTER, _injected())
    assert not adoption.injection_due(refer("Sidecar", replicas=3, paused=True), _injected())
    assert adoption.injection_due(refer("Sidecar", {"port": 9000}), _injected())
    wider = {"mode": "Sidecar", "resources": {"limits": {"memory": "1Gi"}}}
    about = {"engine": "vllm", "backend": {"workloadRef": {"name": "my-vllm"}}, "collector": wider}
    assert adoption.injection_due(endpoint(about), _injected())


def test_an_endpoint_that_came_back_under_another_uid_takes_over_what_is_in_place() -> None:
    restored = ADOPTER.model_copy(update={"metadata": ADOPTER.metadata.model_copy(update={"uid": "another"})})
    in_place = _injected()
    assert not adoption.injection_due(restored, in_place)
    assert not adoption.removed_by_other(restored, in_place)
    taken_out = workload(annotations=in_place["metadata"]["annotations"])
    assert adoption.injection_due(restored, taken_out), "a renewed declaration is a new request"
    assert adoption.injection_due(restored, _injected(by="other"))
    asked = refer("Sidecar", {"port": 9000})
    asked = asked.model_copy(update={"metadata": restored.metadata})
    assert adoption.injection_due(asked, in_place)


def test_who_takes_the_sidecar_out_is_respected() -> None:
    taken_out = workload(annotations=_injected()["metadata"]["annotations"])
    assert adoption.removed_by_other(ADOPTER, taken_out)
    made = children(ADOPTER, MonitoringPlan(), SETTLED, Facts(taken_out))
    assert not isinstance(made, Finding)
    assert [child.obj["kind"] for child in made] == ["ConfigMap", "Service"]


@pytest.mark.parametrize(
    ("made", "reason", "says"),
    [
        (workload("ReplicaSet"), "Refused", "ReplicaSet"),
        (
            workload(ownerReferences=[{"kind": "Node"}, {"kind": "InferenceService", "name": "m", "controller": True}]),
            "OwnedByAnotherController",
            "InferenceService m",
        ),
        (_injected(by="other"), "Refused", "LLMEndpoint other"),
        (workload(pod={"hostNetwork": True, "containers": [_container("a", 8000)]}), "Refused", "hostNetwork"),
        (workload(pod={"containers": [_container("a", 8000), _container("b", 18080)]}), "Refused", "18080"),
        (
            workload(pod={"containers": [_container("a", 8000)], "volumes": [{"name": "modelward-token"}]}),
            "Refused",
            "modelward-token",
        ),
        (workload(pod={"containers": [_container("a", 1), _container("b", 2)]}), "TargetAmbiguous", "a (1), b (2)"),
    ],
)
def test_what_cannot_be_adopted_is_refused_with_the_reason(made: dict[str, Any], reason: str, says: str) -> None:
    found = adoption.refusal(ADOPTER, made)
    assert found is not None
    assert found.reason == reason
    assert says in found.message
    assert isinstance(children(ADOPTER, MonitoringPlan(), PLAIN, Facts(made)), Finding)


def test_who_takes_out_the_container_alone_is_respected_too() -> None:
    workload = _injected()
    workload["spec"]["template"]["spec"] |= {"initContainers": [], "volumes": [{"name": "modelward-config"}]}
    assert adoption.refusal(ADOPTER, workload) is None
    assert adoption.removed_by_other(ADOPTER, workload)


def test_a_workload_that_stops_before_it_starts_needs_consent() -> None:
    made = workload()
    made["spec"]["strategy"] = {"type": "Recreate"}
    found = adoption.refusal(ADOPTER, made)
    assert found is not None
    assert "acceptRestart" in found.message
    assert adoption.refusal(refer("Sidecar", {"acceptRestart": True}), made) is None


def test_what_is_already_adopted_is_not_refused_for_our_own_parts() -> None:
    assert adoption.refusal(ADOPTER, _injected()) is None


def test_an_ambiguous_target_is_not_injected() -> None:
    assert isinstance(adoption.injection(ADOPTER, workload(pod={"containers": [_container("a")]}), PLAIN), Finding)


@pytest.mark.parametrize(
    ("ref", "containers", "found"),
    [
        ({}, [_container("a", 8000)], ContainerPort("a", 8000)),
        ({}, [_container("a", 8000), _container("logs")], ContainerPort("a", 8000)),
        ({}, [_container("a", ("metrics", 9000), ("http", 8000))], ContainerPort("a", 8000)),
        ({"port": 9}, [_container("a")], ContainerPort("a", 9)),
        ({"port": 9}, [_container("a", 9), _container("b", 8)], ContainerPort("a", 9)),
        ({"container": "b"}, [_container("a", 1), _container("b", 2)], ContainerPort("b", 2)),
        ({"container": "b", "port": 7}, [_container("a", 1), _container("b")], ContainerPort("b", 7)),
        ({}, [_container("a", 8000), _container("modelward-collector", 18080)], ContainerPort("a", 8000)),
        ({}, [_container("a")], None),
        ({}, [_container("a", 1, 2)], None),
        ({}, [_container("a", 1, 2), _container("b", 3)], None),
        ({}, [{"name": "a", "ports": [{"containerPort": 1, "protocol": "UDP"}]}], None),
        ({"port": 9}, [_container("a"), _container("b")], None),
        ({"container": "c"}, [_container("a", 1)], None),
    ],
)
def test_the_model_server_is_found_where_there_is_one_candidate(
    ref: dict[str, Any], containers: list[dict[str, Any]], found: ContainerPort | None
) -> None:
    answer = find_container(
        workload(pod={"containers": containers}), WorkloadRef.model_validate({"name": "my-vllm", **ref})
    )
    assert answer == found if found else isinstance(answer, Finding) and "candidates: a (" in answer.message


def test_a_workload_that_is_not_there_is_named() -> None:
    found = children(refer("ScrapeOnly"), MonitoringPlan(), PLAIN, Facts())
    assert found == Finding(AcceptedReason.TARGET_NOT_FOUND, "there is no Deployment my-vllm in namespace retail")


def test_a_selector_that_no_service_can_express_is_refused() -> None:
    made = workload()
    made["spec"]["selector"] = {"matchExpressions": [{"key": "app", "operator": "Exists"}]}
    found = children(ADOPTER, MonitoringPlan(), PLAIN, Facts(made))
    assert isinstance(found, Finding)
    assert "matchExpressions" in found.message


def test_a_workload_that_is_only_watched_gets_no_service() -> None:
    assert service(refer("ScrapeOnly"), workload()) is None
    assert service(ADOPTER) is None


def test_only_a_reference_can_be_adopted() -> None:
    with pytest.raises(ValueError, match=r"no backend\.workloadRef"):
        adoption.injection_hash(run_here())
