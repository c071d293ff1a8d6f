"""Before a workload takes a collector in, one pod of the collector alone must have started, unseen by clients."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from desired_specimens import PLAIN, SETTLED, refer, workload

from modelward.desired import names
from modelward.desired.children import Child, Children, Facts, children, in_turn
from modelward.desired.finding import Finding
from modelward.desired.installation import Installation
from modelward.desired.monitoring_plan import MonitoringPlan

THEIRS: dict[str, Any] = {
    "containers": [{"name": "server", "image": "vllm", "ports": [{"containerPort": 8000}]}],
    "initContainers": [{"name": "weights", "image": "fetch"}],
    "volumes": [{"name": "weights", "emptyDir": {}}],
    "serviceAccountName": "vllm",
    "imagePullSecrets": [{"name": "theirs"}],
    "nodeSelector": {"gpu": "a100"},
    "tolerations": [{"key": "gpu", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {"note": "where"}, "podAntiAffinity": {"note": "one for each node"}},
    "terminationGracePeriodSeconds": 600,
    "hostPID": True,
    "priorityClassName": "before-all-others",
}


def planned(installed: Installation = PLAIN, **made: Any) -> Children:
    found = children(refer("Sidecar"), MonitoringPlan(), installed, Facts(workload(pod=THEIRS, **made)))
    assert not isinstance(found, Finding)
    return found


def first_of(found: Children) -> dict[str, Any]:
    """Return the rehearsal, which comes right before the injection."""
    rehearsal, injection = found[-2:]
    assert injection.manager == names.ADOPT_MANAGER
    assert rehearsal.obj["metadata"]["name"] == "chat-rehearsal"
    return rehearsal.obj


def pod_of(rehearsal: dict[str, Any], *, ready: bool = True) -> dict[str, Any]:
    statuses = [{"name": "modelward-collector", "ready": ready}]
    return {"metadata": rehearsal["spec"]["template"]["metadata"], "status": {"containerStatuses": statuses}}


def kinds(found: Children) -> list[str]:
    return [f"{child.obj['kind']}/{child.obj['metadata']['name']}" for child in found]


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_the_pod_that_is_tried_runs_what_the_workload_takes_in_where_its_pods_run(kind: str) -> None:
    found = planned(kind=kind)
    pod, injected = (one["spec"]["template"]["spec"] for one in (first_of(found), found[-1].obj))
    (container,) = pod["containers"]
    assert {**container, "restartPolicy": "Always"} == injected["initContainers"][0]
    assert pod["volumes"] == injected["volumes"]
    for part in ("serviceAccountName", "imagePullSecrets", "nodeSelector", "tolerations"):
        assert pod[part] == THEIRS[part]
    assert pod["affinity"] == {"nodeAffinity": {"note": "where"}}
    assert not {"hostPID", "initContainers", "priorityClassName"} & pod.keys()
    assert pod["automountServiceAccountToken"] is False


def test_no_client_is_ever_led_to_the_pod_that_is_tried() -> None:
    template = first_of(planned(SETTLED))["spec"]["template"]
    assert template["metadata"]["labels"]["cost-centre"] == "platform", "a policy of the cluster may ask for it"
    assert "app" not in template["metadata"]["labels"], "a Service may lead by it"
    assert template["spec"]["readinessGates"] == [{"conditionType": "modelward.dev/serves"}]


def test_the_workload_waits_for_the_pod_and_the_pod_leaves_when_it_has_started() -> None:
    found = planned()
    rehearsal = first_of(found)
    other: dict[str, Any] = {"metadata": {}}
    for pods in ((), (pod_of(rehearsal, ready=False),), (other,)):
        assert kinds(in_turn(found, pods)) == kinds(found[:-1])
    started = in_turn(found, [pod_of(rehearsal, ready=False), pod_of(rehearsal)])
    assert kinds(started) == kinds((*found[:-2], found[-1]))


def test_a_pod_of_other_settings_proves_nothing() -> None:
    before, after = planned(), planned(replace(PLAIN, collector_image="registry.example/collector:typo"))
    assert in_turn(after, [pod_of(first_of(before))]) == after[:-1]


def test_what_is_no_adoption_waits_for_nothing() -> None:
    others = (Child({"kind": "Service", "metadata": {"name": "chat"}}, names.FRAME_MANAGER),)
    withdrawal = (Child({"kind": "Deployment", "metadata": {"name": "my-vllm"}}, names.ADOPT_MANAGER),)
    assert in_turn((*others, *withdrawal), []) == (*others, *withdrawal)
