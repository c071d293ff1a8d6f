"""Putting a collector into a workload of another owner, who must have requested it in the spec.

Only whole list items of ours and one label and annotation are added, by a field manager of its own: a field inside
an item of another manager would break that one's next apply.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from modelward.api.llmendpoint import LLMEndpoint, WorkloadRef
from modelward.desired import collector_container, names
from modelward.desired.container_search import ContainerPort, find_container
from modelward.desired.finding import Finding
from modelward.desired.installation import Installation
from modelward.desired.model_template import RESERVED_VOLUMES, clashing_ports
from modelward.desired.quality_of_service import SIDECAR, collector_resources, is_guaranteed
from modelward.reasons.accepted import AcceptedReason
from modelward.reasons.collector import CollectorReason

_HASH_LENGTH = 12


def refusal(endpoint: LLMEndpoint, workload: Mapping[str, Any], *, deserted: bool = False) -> Finding | None:
    """Return why the workload cannot be adopted, the first obstacle in OBSTACLES; None when it can.

    One that is marked as another endpoint's may be adopted where that one has `deserted` it.
    """
    target = _Target(endpoint.metadata.name, _reference(endpoint), workload, deserted)
    return next((found for obstacle in OBSTACLES if (found := obstacle(target))), None)


def injection(
    endpoint: LLMEndpoint, workload: Mapping[str, Any], installation: Installation
) -> dict[str, Any] | Finding:
    """Return the partial object for `modelward-adopt` to apply; it rolls the workload once, so ask `injection_due`."""
    found = find_container(workload, _reference(endpoint))
    if isinstance(found, Finding):
        return found
    name, kind = endpoint.metadata.name, workload["kind"]
    theirs = [container for container in _containers(workload) if container.get("name") != names.COLLECTOR]
    resources = collector_resources(endpoint.spec.collector.resources, SIDECAR, guaranteed=is_guaranteed(theirs))
    sidecar = collector_container.sidecar(name, found.port, installation, resources, workload_kind=kind)
    partial = withdrawal(workload)
    partial["metadata"]["labels"] = {names.ADOPTED_BY: names.fit(name)}
    partial["metadata"]["annotations"] = {names.INJECTED: _mark(endpoint)}
    spec = {"initContainers": [sidecar], "volumes": collector_container.volumes(name)}
    return {**partial, "spec": {"template": {"spec": spec}}}


def withdrawal(workload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the partial object that takes out all that `modelward-adopt` ever put into the workload."""
    metadata = workload["metadata"]
    key = {name: metadata[name] for name in ("name", "namespace", "uid") if metadata.get(name)}
    return {"apiVersion": workload["apiVersion"], "kind": workload["kind"], "metadata": key}


def withdrawal_due(endpoint: LLMEndpoint, workload: Mapping[str, Any] | None) -> bool:
    """Return whether the user changed the mode of an adopted workload: taking the sidecar out rolls it once."""
    if workload is None or endpoint.spec.backend.workload_ref is None or endpoint.mode == "Sidecar":
        return False
    labels = workload["metadata"].get("labels") or {}
    return bool(labels.get(names.ADOPTED_BY) == names.fit(endpoint.metadata.name)) and held(workload)


def held(workload: Mapping[str, Any]) -> bool:
    """Return whether `modelward-adopt` has anything in the workload that a withdrawal would take out.

    What another manager applies as well stays, however often ours is withdrawn.
    """
    entries = workload["metadata"].get("managedFields")
    ours = (names.ADOPT_MANAGER, "Apply")
    return entries is None or any((one.get("manager"), one.get("operation")) == ours for one in entries)


def injected(workload: Mapping[str, Any]) -> bool:
    """Return whether our sidecar stands in the workload's template."""
    inits = _pod_spec(workload).get("initContainers") or ()
    return any(container.get("name") == names.COLLECTOR for container in inits)


def adopts(endpoint: LLMEndpoint) -> bool:
    """Return whether the user asked for a collector in a workload of their own."""
    return endpoint.mode == "Sidecar" and endpoint.spec.backend.workload_ref is not None


def injection_due(endpoint: LLMEndpoint, workload: Mapping[str, Any], noted: str = "") -> bool:
    """Return whether to inject: once for each state of what the user wrote, whatever became of it since.

    That it was done stands on the workload, and in the endpoint's status for those who replace the workload with all
    notes on it; `noted` is what status may not say yet.
    """
    on_workload = _annotations(workload).get(names.INJECTED, "")
    if on_workload == _mark(endpoint) or _inherited(endpoint, workload, on_workload):
        return False
    status = endpoint.status.collector
    return injection_note(endpoint, workload) not in (noted, status.injected if status is not None else "")


def _inherited(endpoint: LLMEndpoint, workload: Mapping[str, Any], on_workload: str) -> bool:
    """Return whether the sidecar of an endpoint of this name, which asked for the same, is in place.

    An endpoint that comes back under a new uid, from a backup or after its CRD was gone, must not roll the workload
    for a collector that is only newer.
    """
    labels = workload["metadata"].get("labels") or {}
    same = labels.get(names.ADOPTED_BY) == names.fit(endpoint.metadata.name)
    return same and injected(workload) and on_workload.partition("/")[0] == injection_hash(endpoint)


def _mark(endpoint: LLMEndpoint) -> str:
    """Return what stands on a workload: what the user wrote, and for which of all endpoints of this name."""
    return f"{injection_hash(endpoint)}/{endpoint.metadata.uid}"


def injection_note(endpoint: LLMEndpoint, workload: Mapping[str, Any]) -> str:
    """Return the note of an injection: for which state of what the user wrote, and into which workload."""
    return f"{injection_hash(endpoint)}/{workload['metadata'].get('uid', '')}"


def removed_by_other(endpoint: LLMEndpoint, workload: Mapping[str, Any]) -> bool:
    """Return whether another writer removed our sidecar after it was injected, which is respected."""
    return not injection_due(endpoint, workload) and not injected(workload)


def injection_hash(endpoint: LLMEndpoint) -> str:
    """Return a hash over what the user wrote for the sidecar; scaling, policies and our releases do not enter it."""
    return digest(written_for_sidecar(endpoint))


def digest(written: Mapping[str, Any]) -> str:
    """Return a short hash to note on objects; it must stay as it is, because workloads carry it."""
    return hashlib.sha256(json.dumps(written, sort_keys=True).encode()).hexdigest()[:_HASH_LENGTH]


def written_for_sidecar(endpoint: LLMEndpoint) -> dict[str, Any]:
    """Return what the user wrote for the sidecar, which the injection's hash is made of."""
    resources = endpoint.spec.collector.resources
    return {
        "workload": _reference(endpoint).model_dump(mode="json", exclude={"accept_restart"}, exclude_defaults=True),
        "resources": resources.wire() if resources is not None else None,
        "rolloutAt": endpoint.metadata.annotations.get(names.ROLLOUT_AT, ""),
    }


@dataclass(frozen=True, slots=True)
class _Target:
    """A workload and the endpoint's reference to it."""

    endpoint: str
    ref: WorkloadRef
    workload: Mapping[str, Any]
    deserted: bool = False


Obstacle = Callable[[_Target], Finding | None]


def _unsupported_kind(target: _Target) -> Finding | None:
    kind = target.workload["kind"]
    if kind in collector_container.REVISION_LABELS:
        return None
    return Finding(
        AcceptedReason.REFUSED, f"a {kind} cannot be adopted; a Deployment or StatefulSet can, or use mode Gateway"
    )


def _owned_by_controller(target: _Target) -> Finding | None:
    owners = target.workload["metadata"].get("ownerReferences") or ()
    owner = next((owner for owner in owners if owner.get("controller")), None)
    if owner is None:
        return None
    whose = f"{owner.get('kind')} {owner.get('name')}"
    return Finding(
        CollectorReason.OWNED_BY_ANOTHER_CONTROLLER, f"{whose} would take the sidecar out again; use mode Gateway"
    )


def _adopted_by_another(target: _Target) -> Finding | None:
    holder = (target.workload["metadata"].get("labels") or {}).get(names.ADOPTED_BY)
    if holder in (None, names.fit(target.endpoint)) or target.deserted or not injected(target.workload):
        return None
    return Finding(
        AcceptedReason.REFUSED,
        f"{target.workload['kind']} {target.ref.name} is already adopted by LLMEndpoint {holder}",
    )


def _host_network(target: _Target) -> Finding | None:
    if not _pod_spec(target.workload).get("hostNetwork"):
        return None
    return Finding(AcceptedReason.REFUSED, "hostNetwork would put the collector's ports on the node; use mode Gateway")


def _recreates(target: _Target) -> Finding | None:
    strategy = (target.workload["spec"].get("strategy") or {}).get("type")
    if strategy != "Recreate" or target.ref.accept_restart or injected(target.workload):
        return None
    message = "strategy Recreate stops the model before it starts again; set backend.workloadRef.acceptRestart: true"
    return Finding(AcceptedReason.REFUSED, message)


def _takes_our_place(target: _Target) -> Finding | None:
    # Where our note stands, volumes of these names are ours: another writer removed the container alone.
    if injected(target.workload) or names.INJECTED in _annotations(target.workload):
        return None
    for container in _containers(target.workload):
        if clash := clashing_ports(container):
            return Finding(
                AcceptedReason.REFUSED, f"container {container['name']} uses port {clash[0]}, which the collector needs"
            )
    volumes = {volume.get("name") for volume in _pod_spec(target.workload).get("volumes") or ()}
    taken = sorted(RESERVED_VOLUMES & volumes)
    return Finding(AcceptedReason.REFUSED, f"the workload has a volume {taken[0]} of its own") if taken else None


def _not_found(target: _Target) -> Finding | None:
    found = find_container(target.workload, target.ref)
    return None if isinstance(found, ContainerPort) else found


OBSTACLES: tuple[Obstacle, ...] = (
    _unsupported_kind,
    _owned_by_controller,
    _adopted_by_another,
    _host_network,
    _recreates,
    _takes_our_place,
    _not_found,
)


def _reference(endpoint: LLMEndpoint) -> WorkloadRef:
    ref = endpoint.spec.backend.workload_ref
    if ref is None:
        raise ValueError(f"{endpoint.metadata.name} has no backend.workloadRef")
    return ref


def _annotations(workload: Mapping[str, Any]) -> Mapping[str, str]:
    return workload["metadata"].get("annotations") or {}


def _pod_spec(workload: Mapping[str, Any]) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = workload["spec"]["template"]["spec"]
    return spec


def _containers(workload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    spec = _pod_spec(workload)
    return [*spec["containers"], *(spec.get("initContainers") or ())]
