"""Whether the model server serves, and the cause where it does not."""

from __future__ import annotations

from typing import Any

import pytest
from status_specimens import pod, waiting

from modelward.reasons.workload import WorkloadReason
from modelward.status.conditions import ConditionState
from modelward.status.workload import (
    edited_state,
    pod_ready,
    pod_running,
    waiting_reason,
    workload_state,
)


def workload(wanted: int | None = 3, ready: int = 0, refused: str = "") -> dict[str, Any]:
    failure = {"type": "ReplicaFailure", "status": "True", "message": refused}
    conditions = [failure] if refused else [{"type": "Progressing", "status": "True"}]
    spec = {} if wanted is None else {"replicas": wanted}
    return {"spec": spec, "status": {"readyReplicas": ready, "conditions": conditions}}


def state(workload: dict[str, Any] | None, pods: list[dict[str, Any]]) -> tuple[str, str, str]:
    found: ConditionState = workload_state(workload, pods, "Deployment chat")
    return found.status, found.reason, found.message


def test_an_image_that_does_not_come_is_told_the_same_between_two_tries() -> None:
    cause = 'failed to pull and unpack image "far:1": not found'
    said = [("ErrImagePull", cause), ("ImagePullBackOff", f'Back-off pulling image "far:1": ErrImagePull: {cause}')]
    told = [
        waiting_reason(
            {"name": "model", "image": "far:1", "state": {"waiting": {"reason": reason, "message": message}}}
        )
        for reason, message in said
    ]
    assert told == 2 * [("ImageNotPullable", f"container model cannot pull far:1: {cause}")]


QUOTA = 'pods "chat-1" is forbidden: exceeded quota: none'
NO_POD_OF_A_SET = "0 of 2 replicas ready; no pod yet: if it stays, its Events (reason FailedCreate) say what refuses it"
UNSCHEDULABLE = [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}]


@pytest.mark.parametrize(
    ("found", "pods", "expected"),
    [
        (None, [], ("Unknown", "Creating", "Deployment chat does not exist yet")),
        (workload(0), [], ("False", "ScaledToZero", "Deployment chat has 0 replicas")),
        (workload(3, 3), [], ("True", "Serving", "3 of 3 replicas ready")),
        (workload(3, 1), [], ("True", "Serving", "1 of 3 replicas ready")),
        (workload(3, 1, QUOTA), [], ("True", "Serving", QUOTA)),
        (workload(3, 3, QUOTA), [], ("True", "Serving", "3 of 3 replicas ready")),
        (workload(0, 1), [], ("True", "Serving", "1 of 0 replicas ready")),
        (workload(None, 1), [], ("True", "Serving", "1 of 1 replicas ready")),
        (workload(3, 0, QUOTA), [], ("False", "Refused", QUOTA)),
        (workload(3), [], ("False", "NotReady", "0 of 3 replicas ready")),
        (workload(3), [pod(ready=False)], ("False", "NotReady", "0 of 3 replicas ready")),
        (
            workload(3),
            [pod(ready=False), pod(containerStatuses=waiting("ImagePullBackOff"))],
            ("False", "ImageNotPullable", "container model cannot pull its image: why it does"),
        ),
        (
            workload(3),
            [pod(containerStatuses=waiting("CrashLoopBackOff"))],
            ("False", "CrashLoopBackOff", "container model: CrashLoopBackOff: why it does"),
        ),
        (workload(1), [pod(containerStatuses=waiting("Initializing"))], ("False", "NotReady", "0 of 1 replicas ready")),
        ({"kind": "StatefulSet", **workload(2)}, [], ("False", "NotReady", NO_POD_OF_A_SET)),
        ({"kind": "StatefulSet", **workload(2)}, [pod(ready=False)], ("False", "NotReady", "0 of 2 replicas ready")),
        (workload(3), [pod(conditions=UNSCHEDULABLE)], ("False", "Unschedulable", "0/1 nodes are available")),
    ],
)  # fmt: skip
def test_a_workload_serves_or_says_why_not(
    found: dict[str, Any] | None, pods: list[dict[str, Any]], expected: tuple[str, str, str]
) -> None:
    assert state(found, pods) == expected


def test_what_another_hand_changed_in_the_template_is_told_and_takes_no_endpoint_out_of_service() -> None:
    serving = ConditionState("WorkloadReady", "True", WorkloadReason.SERVING, "3 of 3 replicas ready")
    assert edited_state(serving, []) == serving
    told = edited_state(serving, ["a", "b", "c", "d"])
    assert (told.status, told.reason) == ("True", "EditedByOther")
    assert "another writer changed a, b, c and 1 more of the pod template" in told.message
    waiting_ = ConditionState("WorkloadReady", "False", WorkloadReason.UNSCHEDULABLE, "0/1 nodes are available")
    assert edited_state(waiting_, ["a"]).reason == "Unschedulable"


def test_a_pod_on_its_way_out_serves_nobody() -> None:
    leaving = pod()
    assert pod_ready(leaving)
    assert pod_running(leaving)
    leaving["metadata"]["deletionTimestamp"] = "2026-11-24T01:00:00Z"
    assert not pod_ready(leaving)
    assert not pod_running(leaving)
    assert not pod_running(pod(phase="Succeeded"))
    assert not pod_running(pod(podIP=""))


def test_a_container_that_keeps_ending_says_so_the_same_way_between_its_tries() -> None:
    ended = {"lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}, "restartCount": 4}
    again = {"name": "model", "ready": False, "state": {"running": {}}, **ended}
    expected = ("CrashLoopBackOff", "container model exited with code 137 (OOMKilled), restarted 4 times")
    assert waiting_reason(again) == expected
    assert waiting_reason({**again, **waiting("CrashLoopBackOff")[0]}) == expected
    assert waiting_reason({**again, "ready": True}) is None
