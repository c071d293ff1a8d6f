"""Reasons of WorkloadReady: whether the model server serves, and what keeps its pods from it."""

from __future__ import annotations

from modelward.reasons.reason import Reason, ReasonTable

_PODS = "`kubectl get pods -n NS -l modelward.dev/endpoint=NAME`, then `kubectl logs`"
_WRONG = "wrong arguments, too little memory, a missing file"
_LOGS = "`kubectl logs POD -c CONTAINER -p`"
ENDS = "the container named in the message ends again and again"
LACKS = "a ConfigMap or Secret that the container needs is missing"
NOT_MADE = "the container runtime cannot make the container"
NOT_RUN = "the container runtime cannot start the container"


class WorkloadReason(ReasonTable, kind="LLMEndpoint", conditions=("WorkloadReady",)):
    """Why a model server serves or does not."""

    SERVING = Reason("Serving", "at least one pod serves")
    EDITED_BY_OTHER = Reason(
        "EditedByOther",
        "it serves, but another writer changed the pod template that you wrote; the message names the fields",
        "`kubectl edit` or `kubectl set image` on the Deployment; it stays, because reverting it restarts the model",
        "write the change into the LLMEndpoint; or set annotation `modelward.dev/rollout-at` on it to put yours back",
    )
    CREATING = Reason(
        "Creating",
        "the Deployment does not exist yet, or not any more",
        "it was just declared, or its creation is refused",
        "wait; if it stays, look at `Accepted`",
    )
    ASLEEP = Reason(
        "Asleep",
        "`scaling.minReplicas` is 0 and no requests came, so the scaler took the last replica away: it serves when"
        " the next one comes",
        "no requests come",
        "nothing; the next request to the gateway starts a replica",
    )
    UPSTREAM_REFUSED = Reason(
        "UpstreamRefused",
        "pods are ready, and for 30 s every connection from the collector to the model server failed; the message names"
        " the port",
        "a wrong `port` in `workloadRef` or `template`; the server listens on another address or is still loading",
        "`kubectl logs -n NS POD`; correct the port",
    )
    SCALED_TO_ZERO = Reason(
        "ScaledToZero",
        "`replicas` is 0",
        "a person, or another autoscaler, set it to 0",
        "`kubectl scale llmep -n NS NAME --replicas=1`",
    )
    NOT_READY = Reason("NotReady", "pods run but none is ready", "the model still loads, or its probe fails", _PODS)
    UNSCHEDULABLE = Reason(
        "Unschedulable",
        "no node has room; the message is the scheduler's",
        "GPUs are taken; taints, node selectors, quotas",
        "`kubectl describe pod -n NS POD`",
    )
    IMAGE_NOT_PULLABLE = Reason(
        "ImageNotPullable",
        "an image cannot be pulled",
        "wrong image or missing pull secret",
        "`kubectl describe pod -n NS POD`; `podSettings.imagePullSecrets`",
    )
    CRASH_LOOP_BACK_OFF = Reason("CrashLoopBackOff", ENDS, _WRONG, _LOGS)
    CREATE_CONTAINER_CONFIG_ERROR = Reason("CreateContainerConfigError", LACKS, _WRONG, _LOGS)
    CREATE_CONTAINER_ERROR = Reason("CreateContainerError", NOT_MADE, _WRONG, _LOGS)
    RUN_CONTAINER_ERROR = Reason("RunContainerError", NOT_RUN, _WRONG, _LOGS)
    REFUSED = Reason(
        "Refused",
        "pods are refused; the message quotes it",
        "a quota or an admission policy",
        "`kubectl get events -n NS --field-selector reason=FailedCreate`",
    )
    INVALID_SPEC = Reason(
        "InvalidSpec", "the spec cannot be read, so nothing is known", "see `Accepted`", "see `Accepted`"
    )
