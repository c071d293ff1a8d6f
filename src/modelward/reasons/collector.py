"""Reasons of CollectorReady: whether the traffic of every pod is seen."""

from __future__ import annotations

from modelward.reasons.accepted import AcceptedReason
from modelward.reasons.reason import Reason, ReasonTable
from modelward.reasons.workload import ENDS, LACKS, NOT_MADE, NOT_RUN

_LIMITED = "the collector's memory limit, an admission policy"
_DESCRIBE = "`kubectl describe pod -n NS POD`"


class CollectorReason(ReasonTable, kind="LLMEndpoint", conditions=("CollectorReady",)):
    """Why traffic is seen or is not."""

    SEES_TRAFFIC = Reason("SeesTraffic", "every pod's collector is ready")
    SCRAPE_ONLY = Reason(
        "ScrapeOnly",
        "there is no collector: only the engine's own metrics are read",
        "it was chosen, or is the default of `workloadRef`",
        "to have answers checked, `collector.mode: Gateway` or `Sidecar`",
    )
    NO_PODS = Reason("NoPods", "no pod runs", "see `WorkloadReady`", "look at `WorkloadReady`")
    REHEARSING = Reason(
        "Rehearsing",
        "the workload is as it was: first one pod of the collector alone, `NAME-rehearsal`, must start beside it",
        "it is about to be adopted, and the pod is being started",
        "wait; if it stays, `kubectl describe pod -n NS -l modelward.dev/component=rehearsal`",
    )
    INVALID_TEMPLATE = AcceptedReason.INVALID_TEMPLATE
    NAME_TAKEN = AcceptedReason.NAME_TAKEN
    MEMORY_TOO_SMALL = Reason(
        "MemoryTooSmall",
        "traffic is seen, but the collector may run out of memory under load",
        "`spec.collector.resources.limits.memory` is below 80Mi",
        "write at least 80Mi; 192Mi leaves room for all that a collector does",
    )
    AWAITING_RELOAD = Reason(
        "AwaitingReload",
        "traffic is seen, but some collectors still run a previous configuration, even where capture was tightened",
        "a policy was changed; the kubelet delivers the configuration within two minutes",
        "wait; if it stays, `kubectl logs -n NS POD -c modelward-collector`",
    )
    AWAITING_ROLLOUT = Reason(
        "AwaitingRollout",
        "True: some pods run a collector of another release, and are seen; False: some pods have none",
        "True: Modelward was upgraded, which restarts no model; False: a roll-out goes on, or is stuck or paused",
        "True: nothing, or roll the workload; False: `kubectl rollout status -n NS deploy/NAME`",
    )
    STARTING = Reason(
        "Starting",
        "collectors run and are not all ready",
        "they have just been started",
        "wait; then `kubectl logs -n NS POD -c modelward-collector`",
    )
    BYPASSED = Reason(
        "Bypassed",
        "less than 90 % of the engine's requests came through the collector",
        "clients use another Service than ours",
        "send clients to `status.address.url`, or give your own Service `targetPort: 18080`",
    )
    SERVICE_BYPASSES = Reason(
        "ServiceBypasses",
        "traffic is seen, but the Service in the message leads to the model server's own port: what comes through it is"
        " neither measured nor judged",
        "a Service from before the sidecar, with the model's port as `targetPort`",
        "`kubectl edit svc -n NS SERVICE`: `targetPort: 18080`; or send clients to `status.address.url`",
    )
    IMAGE_NOT_PULLABLE = Reason(
        "ImageNotPullable",
        "the collector's image cannot be pulled",
        "the registry is not reachable from here, or a pull secret is missing",
        "`kubectl describe pod -n NS POD`; `podSettings.imagePullSecrets`, `collectorImage`",
    )
    CRASH_LOOP_BACK_OFF = Reason("CrashLoopBackOff", ENDS, _LIMITED, _DESCRIBE)
    CREATE_CONTAINER_CONFIG_ERROR = Reason("CreateContainerConfigError", LACKS, _LIMITED, _DESCRIBE)
    CREATE_CONTAINER_ERROR = Reason("CreateContainerError", NOT_MADE, _LIMITED, _DESCRIBE)
    RUN_CONTAINER_ERROR = Reason("RunContainerError", NOT_RUN, _LIMITED, _DESCRIBE)
    UNSCHEDULABLE = Reason(
        "Unschedulable",
        "no node takes the pod that is tried before an adoption; the message is the scheduler's",
        "nodes are full or tainted: the workload's own node selector and tolerations hold for it",
        "make room, or `collector.resources`",
    )
    REFUSED = Reason(
        "Refused",
        "the gateway's pods, or the one that is tried before an adoption, are refused; the message quotes it",
        "a quota or an admission policy",
        "`kubectl get events -n NS --field-selector reason=FailedCreate`",
    )
    OWNED_BY_ANOTHER_CONTROLLER = Reason(
        "OwnedByAnotherController",
        "the workload cannot be adopted",
        "another controller (KServe and the like) owns it and would revert us",
        "mode `Gateway`",
    )
    REMOVED_BY_OTHER = Reason(
        "RemovedByOther",
        "another writer removed the sidecar from the workload; it stays out",
        "a tool that applies whole lists of containers, or a person",
        "to put it back set the annotation `modelward.dev/rollout-at` on the LLMEndpoint to a new value",
    )
