"""What becomes of a workload that another owner manages: what is patched into it, and what is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelward.api.llmendpoint import COLLECTOR_PORT, LLMEndpoint, WorkloadRef
from modelward.desired import names
from modelward.desired.children import Child
from modelward.desired.container_search import find_container
from modelward.desired.finding import Finding

_UNTOUCHED = "its containers (image, command, env, probes, resources), its strategy, its Services"


def told(endpoint: LLMEndpoint, workload: Mapping[str, Any], wanted: Sequence[Child]) -> tuple[str, ...]:
    """Return the sentences, one a line; empty for an endpoint without `workloadRef`."""
    reference = endpoint.spec.backend.workload_ref
    if reference is None:
        return ()
    named = f"{reference.kind} {reference.name}"
    patch = next((child.obj for child in wanted if child.manager == names.ADOPT_MANAGER), None)
    manner = {"Sidecar": _sidecar, "Gateway": _gateway, "ScrapeOnly": _scraped}[endpoint.mode]
    paused = ("spec.paused is true: nothing of this is written.",) if endpoint.spec.paused else ()
    return (
        f"LLMEndpoint {endpoint.metadata.name}, mode {endpoint.mode}: {named} stays yours.",
        *manner(endpoint, named, patch, _port(reference, workload)),
        f"Not touched: {_UNTOUCHED}. {_replicas(endpoint)}",
        *paused,
    )


def _sidecar(endpoint: LLMEndpoint, named: str, patch: Mapping[str, Any] | None, port: str) -> tuple[str, ...]:
    leads = f"Clients are seen at Service {endpoint.service_name}, and where your own Services lead to port"
    seen = f"{leads} {COLLECTOR_PORT} instead of {port}."
    if patch is None:
        return (f"Nothing is patched into {named}: it has the collector already.", seen)
    pod, about = patch["spec"]["template"]["spec"], patch["metadata"]
    parts = (
        f"init container {', '.join(one['name'] for one in pod['initContainers'])}, which runs beside the model",
        f"volumes {', '.join(one['name'] for one in pod['volumes'])}",
        f"label {', '.join(about['labels'])} and annotation {', '.join(about['annotations'])} of {named} itself",
    )
    tried = f"a pod of Deployment {names.rehearsal(endpoint.metadata.name)}, which serves no client, started with it"
    return (
        f"Patched into it, by server-side apply as field manager {names.ADOPT_MANAGER}:",
        *(f"  - {part}" for part in parts),
        f"Its pods roll once for that, after {tried}.",
        "To take it out again, set collector.mode: ScrapeOnly; its pods then roll once more.",
        seen,
    )


def _gateway(endpoint: LLMEndpoint, named: str, _patch: object, _port: str) -> tuple[str, ...]:
    front = f"Deployment {names.gateway(endpoint.metadata.name)} passes requests on to its pods"
    return (
        f"Nothing is patched into {named}, and no pod of it restarts: {front}.",
        f"Clients are seen at Service {endpoint.service_name} only.",
    )


def _scraped(_endpoint: LLMEndpoint, named: str, _patch: object, port: str) -> tuple[str, ...]:
    return (f"Nothing is patched into {named}, and no pod of it restarts: its metrics page on port {port} is read.",)


def _replicas(endpoint: LLMEndpoint) -> str:
    scaling = endpoint.spec.scaling
    if scaling is not None and scaling.acts:
        return f"Its replicas are set by the scaler, from {scaling.min_replicas} to {scaling.max_replicas}."
    if endpoint.spec.replicas is not None:
        return f"Its replicas are set to {endpoint.spec.replicas}, as spec.replicas says."
    return "Nor are its replicas."


def _port(reference: WorkloadRef, workload: Mapping[str, Any]) -> str:
    found = find_container(workload, reference)
    return "the model" if isinstance(found, Finding) else str(found.port)
