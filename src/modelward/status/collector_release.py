"""Which collectors run something else than they would be given now: another release, or a previous configuration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from modelward.api.objects import KubeObject
from modelward.desired.names import COLLECTOR
from modelward.metrics.snapshot import Snapshot
from modelward.status.workload import pod_running


def of_another_release(pods: Sequence[KubeObject], workload: KubeObject | None, image: str) -> int:
    """Count the running pods whose sidecar has another image than this one.

    None, where the workload asks for this one and has rolled out: then an admission policy wrote another into the pods
    (a mirror's), and no roll-out would change that.
    """
    if workload is not None and _rolled_out(workload) and _images(workload["spec"].get("template") or {}) == {image}:
        return 0
    return sum(bool(_images(pod) - {image}) for pod in pods if pod_running(pod))


def of_other_settings(pages: Iterable[Snapshot], generation: str) -> tuple[int, int]:
    """Count the collectors that say they run another generation of settings than this one, and those that were read."""
    told = [page.config_generation for page in pages if page.source == "collector"]
    return sum(one != generation for one in told), len(told)


def _images(pod: KubeObject) -> set[str]:
    inits = (pod.get("spec") or {}).get("initContainers") or ()
    return {str(container.get("image", "")) for container in inits if container["name"] == COLLECTOR}


def _rolled_out(workload: KubeObject) -> bool:
    status = workload.get("status") or {}
    return bool(status.get("updatedReplicas", 0) == status.get("replicas", 0))
