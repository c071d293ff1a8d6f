"""Whether the model server serves, derived from its workload and pods, with the cause where it does not."""

from __future__ import annotations

from collections.abc import Sequence

from modelward.api.objects import KubeObject
from modelward.desired.names import ROLLOUT_AT
from modelward.reasons.reason import Reason
from modelward.reasons.workload import WorkloadReason
from modelward.status.conditions import ConditionState

_PULL = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_STUCK = {
    reason.name: reason
    for reason in (
        WorkloadReason.CRASH_LOOP_BACK_OFF,
        WorkloadReason.CREATE_CONTAINER_CONFIG_ERROR,
        WorkloadReason.CREATE_CONTAINER_ERROR,
        WorkloadReason.RUN_CONTAINER_ERROR,
    )
}
"""By the kubelet's own words."""


def workload_state(workload: KubeObject | None, pods: Sequence[KubeObject], what: str) -> ConditionState:
    """Return WorkloadReady of a Deployment or StatefulSet; `what` names it in messages.

    True as soon as one pod serves: a rolling update does not make an endpoint unhealthy.
    """
    if workload is None:
        return ConditionState("WorkloadReady", "Unknown", WorkloadReason.CREATING, f"{what} does not exist yet")
    wanted = int(workload.get("spec", {}).get("replicas", 1))
    ready = int(workload.get("status", {}).get("readyReplicas", 0))
    if wanted == 0 and ready == 0:
        return ConditionState("WorkloadReady", "False", WorkloadReason.SCALED_TO_ZERO, f"{what} has 0 replicas")
    refused = refusal(workload)
    if ready:
        beside = refused if ready < wanted else ""
        return ConditionState(
            "WorkloadReady", "True", WorkloadReason.SERVING, beside or f"{ready} of {wanted} replicas ready"
        )
    if refused:
        return ConditionState("WorkloadReady", "False", WorkloadReason.REFUSED, refused)
    trouble = _pod_trouble(pods) or (WorkloadReason.NOT_READY, _not_ready(workload, wanted, pods))
    return ConditionState("WorkloadReady", "False", *trouble)


def _not_ready(workload: KubeObject, wanted: int, pods: Sequence[KubeObject]) -> str:
    # A StatefulSet has no condition that names what refuses its pods, and Events are not ours to read.
    hint = "; no pod yet: if it stays, its Events (reason FailedCreate) say what refuses it"
    return f"0 of {wanted} replicas ready" + (hint if workload.get("kind") == "StatefulSet" and not pods else "")


def edited_state(state: ConditionState, edits: Sequence[str]) -> ConditionState:
    """Return WorkloadReady with what another writer has changed in the pod template of a model server that we run."""
    if not edits or state.status == "Unknown":
        return state
    fields = ", ".join(edits[:3]) + (f" and {len(edits) - 3} more" if len(edits) > 3 else "")
    told = f"{state.message}; another writer changed {fields} of the pod template: set annotation {ROLLOUT_AT}"
    reason = WorkloadReason.EDITED_BY_OTHER if state.status == "True" else state.reason
    return ConditionState(state.type, state.status, reason, f"{told} on the LLMEndpoint to put yours back"[:900])


def pod_ready(pod: KubeObject) -> bool:
    """Return whether the pod is ready and not on its way out."""
    conditions = pod.get("status", {}).get("conditions", [])
    ready = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")


def pod_running(pod: KubeObject) -> bool:
    """Return whether the pod has an address and is neither finished nor on its way out."""
    status = pod.get("status", {})
    return (
        status.get("phase") == "Running" and bool(status.get("podIP")) and not pod["metadata"].get("deletionTimestamp")
    )


def waiting_reason(status: KubeObject) -> tuple[Reason, str] | None:
    """Return why a container is stuck: (reason, message), None where it is not.

    One that keeps ending says so the same way whether it is just being restarted or waits for the next try.
    """
    ended = status.get("lastState", {}).get("terminated", {})
    if ended.get("exitCode") and not status.get("ready"):
        how = f"exited with code {ended['exitCode']} ({ended.get('reason', 'Error')})"
        return (
            WorkloadReason.CRASH_LOOP_BACK_OFF,
            f"container {status['name']} {how}, restarted {status.get('restartCount', 0)} times",
        )
    waiting = status.get("state", {}).get("waiting", {})
    word = str(waiting.get("reason", ""))
    if word in _PULL:
        return WorkloadReason.IMAGE_NOT_PULLABLE, _unpullable(status, str(waiting.get("message", "")))[:400]
    if word not in _STUCK:
        return None
    return _STUCK[word], f"container {status['name']}: {word}: {waiting.get('message', '')}"[:400]


def _unpullable(status: KubeObject, message: str) -> str:
    """Return why an image does not come, the same whether the kubelet tries again or waits (it quotes the cause)."""
    cause = message.rpartition("ErrImagePull: ")[2]
    why = "" if cause.startswith("Back-off") else cause
    return f"container {status['name']} cannot pull {status.get('image', 'its image')}" + (f": {why}" if why else "")


def refusal(workload: KubeObject) -> str:
    """Return what quota, policy or admission said when it refused pods; empty where nothing did."""
    for condition in workload.get("status", {}).get("conditions", []):
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return str(condition.get("message", ""))[:600]
    return ""


def _pod_trouble(pods: Sequence[KubeObject]) -> tuple[Reason, str] | None:
    for pod in pods:
        status = pod.get("status", {})
        for container in (*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])):
            if stuck := waiting_reason(container):
                return stuck
    for pod in pods:
        for condition in pod.get("status", {}).get("conditions", []):
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                return WorkloadReason.UNSCHEDULABLE, str(condition.get("message", ""))[:400]
    return None
