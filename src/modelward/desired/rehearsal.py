"""One pod of the collector alone, before an adopted workload rolls to take a collector in.

What would keep the collector out must show on a pod without clients: a StatefulSet, and a Deployment of four, lose a
pod that serves before the one with the collector is ready. It is a Deployment, since a Deployment's status quotes what
refuses its pods: a quota, pod security, a policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired import adoption, names
from modelward.desired.installation import PodSettings
from modelward.desired.ownership import child_metadata
from modelward.desired.pod import settled_metadata

NEVER_READY = "modelward.dev/serves"
"""A readiness gate that is never opened: no Service sends requests to the pod, whatever its labels."""
GRACE_SECONDS = 1
_TAKEN_OVER = frozenset(
    {
        "imagePullSecrets",
        "nodeSelector",
        "runtimeClassName",
        "schedulerName",
        "securityContext",
        "serviceAccountName",
        "tolerations",
    }
)
"""What of the workload's pods decides whether the collector's image comes and the pod is let in.

Not their priority: a pod that is only tried must not take the place of one that serves.
"""


def rehearsal(
    endpoint: LLMEndpoint, injection: Mapping[str, Any], workload: Mapping[str, Any], settings: PodSettings
) -> dict[str, Any]:
    """Return the Deployment of one pod that runs what the injection adds, where the workload's pods run."""
    name = endpoint.metadata.name
    pod = _pod_spec(injection["spec"]["template"]["spec"], workload["spec"]["template"]["spec"])
    notes = {names.REHEARSED: adoption.digest(pod), "sidecar.istio.io/inject": "false"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": child_metadata(endpoint, names.rehearsal(name), "rehearsal"),
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 0,
            "selector": {"matchLabels": names.selector(name, "rehearsal")},
            "strategy": {"type": "Recreate"},
            "template": {
                "metadata": settled_metadata(settings, names.labels(name, "rehearsal"), notes),
                "spec": pod,
            },
        },
    }


def passed(wanted: Mapping[str, Any], pods: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether a pod of this very rehearsal, and not of one with other settings, runs its collector."""
    note = wanted["spec"]["template"]["metadata"]["annotations"][names.REHEARSED]
    of_it = (pod for pod in pods if pod["metadata"].get("annotations", {}).get(names.REHEARSED) == note)
    return any(status.get("ready") for pod in of_it for status in pod.get("status", {}).get("containerStatuses", ()))


def _pod_spec(injected: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    (sidecar,) = injected["initContainers"]
    container = {key: value for key, value in sidecar.items() if key != "restartPolicy"}
    affinity = {key: value for key, value in (theirs.get("affinity") or {}).items() if key == "nodeAffinity"}
    return {
        **{key: theirs[key] for key in sorted(_TAKEN_OVER & theirs.keys()) if theirs[key]},
        **({"affinity": affinity} if affinity else {}),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "readinessGates": [{"conditionType": NEVER_READY}],
        "containers": [container],
        "volumes": list(injected["volumes"]),
    }
