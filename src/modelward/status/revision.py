"""Which revision serves, derived from the pods of a workload and from the previous status.

A revision is a pod template without the mark of a restart and without what is ours. Kubernetes names a template by a
hash that a restart changes too, and exchanges carry that hash. So a revision has one name, the hash that it had first,
and the hashes of all its restarts. It is known again by a digest of the template, which status keeps.

Another revision serves once more of its pods are ready than of the one that served. A pod that is ready now and then
beside others that serve changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelward.api.endpoint_status import LLMEndpointStatus, ServingRevision
from modelward.api.objects import KubeObject
from modelward.api.quantity import timestamp, timestamp_ms
from modelward.desired.names import COLLECTOR
from modelward.status.workload import pod_ready

_HASHES = ("pod-template-hash", "controller-revision-hash")
_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
_OURS = ("modelward.dev/", "modelward-")
_KEPT_HASHES = 10
_COMPARED = ("name", "image", "command", "args", "env", "envFrom", "resources", "ports")
"""Fields of a container that admission fills in alike for all pods of a template."""


@dataclass(frozen=True, slots=True)
class Revision:
    """What serves now; `name` is empty where it is unknown, `since_ms` 0 of the first that was seen.

    `hashes` are the names under which its exchanges may stand, newest first, `name` among them. `template` is the
    digest of its template, empty where that was not seen.
    """

    name: str = ""
    hashes: tuple[str, ...] = ()
    template: str = ""
    since_ms: int = 0

    @property
    def status(self) -> ServingRevision | None:
        """The part of it that status keeps for the next leader."""
        if not self.name:
            return None
        since = timestamp(self.since_ms) if self.since_ms else ""
        return ServingRevision(hashes=self.hashes, template=self.template, since=since)


UNKNOWN_REVISION = Revision()


def revision_now(
    pods: Sequence[KubeObject], workload: KubeObject | None, before: LLMEndpointStatus, now_ms: int
) -> Revision:
    """Return the revision that serves now, given what status says of the one that served."""
    known = _known(before)
    groups = _by_hash(pods)
    newest = _newest(groups, workload)
    digest = template_digest(workload) if newest and workload is not None else ""
    if newest and workload is not None and _same(newest, digest, known, groups, workload):
        others = [one for one in known.hashes if one not in (newest, known.name)]
        hashes = dict.fromkeys((newest, *others[: _KEPT_HASHES - 2], known.name))
        known = Revision(known.name, tuple(hashes), digest, known.since_ms)
    chosen = _most_ready(groups, known)
    if not chosen or chosen in known.hashes or (known.name and workload is not None and chosen != newest):
        return known
    return Revision(chosen, (chosen,), digest if chosen == newest else "", now_ms if known.name else 0)


def names_of_pods(pods: Sequence[KubeObject], status: LLMEndpointStatus) -> dict[str, str]:
    """Return the revision of each pod by its name: the hash of a restart stands for the revision that was restarted."""
    serving = set(status.serving.hashes) if status.serving else set()
    hashes = {str(pod["metadata"].get("name", "")): _hash(pod) for pod in pods}
    return {pod: status.revision if own in serving else own for pod, own in hashes.items()}


def template_digest(workload: KubeObject) -> str:
    """Return a short digest of a workload's pod template without the mark of a restart and without what is ours."""
    template = workload.get("spec", {}).get("template", {})
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    kept = {
        "labels": _not_ours(metadata.get("labels") or {}),
        "annotations": _not_ours(metadata.get("annotations") or {}),
        "spec": {
            **spec,
            "initContainers": [one for one in spec.get("initContainers") or () if one.get("name") != COLLECTOR],
            "volumes": [one for one in spec.get("volumes") or () if not str(one.get("name", "")).startswith(_OURS)],
        },
    }
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _not_ours(marks: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in marks.items() if key != _RESTARTED_AT and not key.startswith(_OURS)}


def _known(before: LLMEndpointStatus) -> Revision:
    kept = before.serving or ServingRevision()
    hashes = kept.hashes or ((before.revision,) if before.revision else ())
    return Revision(before.revision, hashes, kept.template, timestamp_ms(kept.since) if kept.since else 0)


def _by_hash(pods: Sequence[KubeObject]) -> dict[str, list[KubeObject]]:
    groups: dict[str, list[KubeObject]] = defaultdict(list)
    for pod in pods:
        ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
        if not ended and not pod["metadata"].get("deletionTimestamp") and (name := _hash(pod)):
            groups[name].append(pod)
    return groups


def _hash(pod: KubeObject) -> str:
    labels = pod["metadata"].get("labels") or {}
    return next((str(labels[name]) for name in _HASHES if labels.get(name)), "")


def _newest(groups: Mapping[str, Sequence[KubeObject]], workload: KubeObject | None) -> str:
    """Return the hash of the workload's present template; empty while pods and workload disagree."""
    if workload is None or not groups:
        return ""
    status, generation = workload.get("status", {}), workload.get("metadata", {}).get("generation", 0)
    if status.get("observedGeneration", generation) < generation:
        return ""
    if updated := status.get("updateRevision"):
        return updated if updated in groups else ""
    newest = max(groups, key=lambda name: max(_created(pod) for pod in groups[name]))
    return newest if status.get("updatedReplicas", 0) == len(groups[newest]) else ""


def _created(pod: KubeObject) -> str:
    return str(pod["metadata"].get("creationTimestamp", ""))


def _carries(pod: KubeObject, marks: Mapping[str, Any]) -> bool:
    """Return whether a pod has the labels and annotations of a template, the time of its restart among them."""
    metadata = pod["metadata"]
    return all(
        (metadata.get(kind) or {}).get(key) == value
        for kind in ("labels", "annotations")
        for key, value in (marks.get(kind) or {}).items()
    )


def _same(
    newest: str, digest: str, known: Revision, groups: Mapping[str, Sequence[KubeObject]], workload: KubeObject
) -> bool:
    """Return whether the hash stands for the revision that serves: its own, or that of a restart."""
    if newest in known.hashes:
        return not known.template or known.template == digest
    if not known.template or known.template != digest:
        return False
    marks, pods = workload.get("spec", {}).get("template", {}).get("metadata") or {}, groups[newest]
    old = [pod for name in known.hashes for pod in groups.get(name, ())][:1]
    return all(_carries(pod, marks) for pod in pods) and all(_containers(pod) == _containers(pods[0]) for pod in old)


def _containers(pod: KubeObject) -> list[dict[str, Any]]:
    spec = pod.get("spec", {})
    containers = (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
    return [{field: one.get(field) for field in _COMPARED} for one in containers if one.get("name") != COLLECTOR]


def _most_ready(groups: Mapping[str, Sequence[KubeObject]], known: Revision) -> str:
    """Return the hash with the most ready pods, all of the known revision counted as one, which wins a tie.

    Empty where no pod is ready: what served before may come back.
    """
    ready: dict[str, int] = defaultdict(int)
    latest: dict[str, str] = defaultdict(str)
    for name, pods in groups.items():
        counted = known.name if name in known.hashes else name
        ready[counted] += sum(map(pod_ready, pods))
        latest[counted] = max(latest[counted], *map(_created, pods))
    most = max(ready, key=lambda name: (ready[name], name == known.name, latest[name]), default="")
    return most if ready[most] else ""
