"""Which LLMEndpoint writes to a workload that several refer to: two writers of one field undo each other for ever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired import names
from modelward.desired.finding import Finding
from modelward.reasons.accepted import AcceptedReason

_YOUNGEST = "~"
"""In place of a creation time, which only an object has that was stored."""


def reference_of(endpoint: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return kind and name of the workload that a stored LLMEndpoint refers to, whose spec may be unreadable else."""
    spec = endpoint.get("spec")
    backend = spec.get("backend") if isinstance(spec, Mapping) else None
    reference = backend.get("workloadRef") if isinstance(backend, Mapping) else None
    if not isinstance(reference, Mapping):
        return None
    return str(reference.get("kind", "Deployment")), str(reference.get("name", ""))


def references(endpoint: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the workloads that a stored LLMEndpoint refers to, one or none, for a lookup by them."""
    found = reference_of(endpoint)
    return () if found is None else (found,)


def refers(endpoint: Mapping[str, Any], kind: str, name: str) -> bool:
    """Return whether a stored LLMEndpoint refers to the workload."""
    return reference_of(endpoint) == (kind, name)


def writes(endpoint: LLMEndpoint) -> bool:
    """Return whether an endpoint asks for a change of the workload that it refers to: a sidecar, or other replicas.

    One in mode ScrapeOnly or Gateway that declares no number only watches, and any number of those may.
    """
    spec = endpoint.spec
    if spec.backend.workload_ref is None:
        return False
    scales = spec.scaling is not None and spec.scaling.acts
    return endpoint.mode == "Sidecar" or spec.replicas is not None or scales


def taken(endpoint: LLMEndpoint, others: Iterable[LLMEndpoint], workload: Mapping[str, Any] | None) -> Finding | None:
    """Return why the endpoint must leave its workload to another one; None where it is the only or oldest to write.

    The oldest is found by creation time, then by uid, so that every reconcile of each of them comes to the same. One
    that is paused keeps its place, one that is being deleted has none.
    """
    reference = endpoint.spec.backend.workload_ref
    if reference is None or not writes(endpoint):
        return None
    named = f"{reference.kind} {reference.name}"
    if runner := _runner(workload or {}):
        return Finding(
            AcceptedReason.TARGET_TAKEN, f"{named} is run by LLMEndpoint {runner} from its template; refer to that one"
        )
    rivals = [other for other in others if _rivals(endpoint, other)]
    oldest = min((endpoint, *rivals), key=_age)
    if oldest is endpoint:
        return None
    message = f"LLMEndpoint {oldest.metadata.name} is older and writes {named}; delete one of the two, or leave out"
    return Finding(AcceptedReason.TARGET_TAKEN, f"{message} replicas, scaling and mode Sidecar here")


def deserted(workload: Mapping[str, Any], endpoints: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether a workload is marked as adopted by an endpoint that is gone, or refers to another workload now."""
    metadata = workload["metadata"]
    holder = (metadata.get("labels") or {}).get(names.ADOPTED_BY)
    return holder is not None and not any(
        names.fit(one["metadata"]["name"]) == holder and refers(one, workload["kind"], metadata["name"])
        for one in endpoints
    )


def _rivals(endpoint: LLMEndpoint, other: LLMEndpoint) -> bool:
    one, two = endpoint.spec.backend.workload_ref, other.spec.backend.workload_ref
    if one is None or two is None or other.metadata.deletion_timestamp or not writes(other):
        return False
    same = (one.kind, one.name, endpoint.metadata.namespace) == (two.kind, two.name, other.metadata.namespace)
    return same and other.metadata.name != endpoint.metadata.name


def _age(endpoint: LLMEndpoint) -> tuple[str, str]:
    return endpoint.metadata.creation_timestamp or _YOUNGEST, endpoint.metadata.uid


def _runner(workload: Mapping[str, Any]) -> str:
    owners = (workload.get("metadata") or {}).get("ownerReferences") or ()
    ours = (one for one in owners if one.get("controller") and one.get("kind") == "LLMEndpoint")
    return next((str(one.get("name")) for one in ours), "")
