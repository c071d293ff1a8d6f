"""The checks of `modelward doctor` on versions: of Kubernetes, and of the hub beside the operator."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelward.api.objects import KubeObject
from modelward.cli.cluster.reading import Unread
from modelward.cli.doctor.observed import InstallationFacts
from modelward.cli.doctor.remark import Remark

OLDEST = (1, 30)
"""Native sidecars and ValidatingAdmissionPolicies are in it; the chart asks for the same."""


def kubernetes(seen: InstallationFacts) -> Iterator[Remark]:
    """Is the API server as new as Modelward needs it?"""
    if isinstance(seen.kubernetes, Unread):
        yield Remark("NotRead", "Kubernetes", seen.kubernetes.why, "kubectl version")
        return
    said = str(seen.kubernetes.get("gitVersion", ""))
    found = re.match(r"v?(\d+)\.(\d+)", said)
    if found is None:
        yield Remark("NotRead", "Kubernetes", f"the API server calls itself {said or 'nothing'}", "kubectl version")
    elif (int(found.group(1)), int(found.group(2))) < OLDEST:
        what = f"it is {said}; Modelward needs {OLDEST[0]}.{OLDEST[1]} or later, for native sidecars"
        yield Remark("Error", "Kubernetes", what, "kubectl get nodes, then upgrade the cluster")
    else:
        yield Remark("Good", "Kubernetes", said)


def hub_release(seen: InstallationFacts) -> Iterator[Remark]:
    """Are hub and operator of one release?"""
    if seen.setup.settings is not None and seen.setup.settings.hub_url is None:
        return
    if isinstance(seen.hub_workloads, Unread):
        yield Remark("NotRead", "hub's release", seen.hub_workloads.why, "modelward doctor, with your own kubeconfig")
        return
    if not isinstance(seen.operator, dict):
        return
    operator = _release(seen.operator)
    for hub in seen.hub_workloads:
        if (release := _release(hub)) != operator:
            what = f"it is {' '.join(release)}, the operator {' '.join(operator)}"
            where = f"-n {seen.namespace} {hub['kind'].lower()}/{hub['metadata']['name']}"
            yield Remark("Warning", "hub's release", what, f"helm upgrade; kubectl rollout status {where}")
        else:
            yield Remark("Good", "hub's release", "it is the operator's")


def _release(workload: KubeObject) -> tuple[str, ...]:
    """Return version and image; the chart gives both to both."""
    label = str((workload["metadata"].get("labels") or {}).get("app.kubernetes.io/version", ""))
    containers = (((workload.get("spec") or {}).get("template") or {}).get("spec") or {}).get("containers") or ()
    images = (str(one["image"]) for one in containers if one["name"] in ("operator", "hub"))
    return tuple(filter(None, (label and f"version {label}", *images)))
