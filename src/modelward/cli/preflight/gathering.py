"""Gathers for a preflight what a reconcile would know of an endpoint, with the caller's rights."""

from __future__ import annotations

from collections.abc import Sequence

from modelward.api.llmendpoint import LLMEndpoint
from modelward.cli.preflight.after import NamespaceAfter
from modelward.desired import names
from modelward.desired.adoption import adopts
from modelward.desired.target import deserted
from modelward.kube.client import Client
from modelward.kube.errors import ApiError
from modelward.kube.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    HORIZONTAL_POD_AUTOSCALER,
    POD,
    STATEFUL_SET,
    Kind,
    Object,
)
from modelward.operator.endpoint.gathered import Gathered, selector_text


async def gathered(
    client: Client, objects: Sequence[Object], after: NamespaceAfter, raw: Object, endpoint: LLMEndpoint
) -> tuple[Gathered, tuple[str, ...]]:
    """Return the endpoint as it would be with what is there now, and remarks on what could not be read.

    What may not be listed is taken for none: the operator, who acts, may have rights that the caller lacks.
    """
    workload, unread = await _workload(client, objects, endpoint)
    autoscalers, unlisted = await _autoscalers(client, endpoint, workload)
    stored = [{"metadata": {"name": name}, "spec": one.spec.wire()} for name, one in after.endpoints.items()]
    view = Gathered(
        endpoint=endpoint,
        raw=raw,
        policies=tuple(after.policies.values()),
        evaluators=after.evaluators,
        allow_raw=after.allow_raw,
        workload=workload,
        pods=await _pods(client, endpoint, workload),
        autoscalers=autoscalers,
        collector_config=await _config(client, endpoint),
        rehearsing=await _rehearsing(client, endpoint),
        rivals=tuple(after.endpoints.values()),
        deserted=workload is not None and after.all_endpoints and deserted(workload, stored),
    )
    return view, tuple(note for note in (unread, unlisted) if note)


async def _workload(client: Client, objects: Sequence[Object], endpoint: LLMEndpoint) -> tuple[Object | None, str]:
    """Find the model's workload: in the cluster, else in the file, where a workloadRef may name it."""
    reference, namespace = endpoint.spec.backend.workload_ref, endpoint.metadata.namespace
    if endpoint.spec.backend.external is not None:
        return None, ""
    name = reference.name if reference is not None else names.model_workload(endpoint.metadata.name)
    kind = STATEFUL_SET if reference is not None and reference.kind == STATEFUL_SET.kind else DEPLOYMENT
    unread = ""
    try:
        found = await client.find(kind, namespace, name)
    except ApiError as error:
        found, unread = None, f"{kind.kind} {name} could not be read: {error.message}"
    if found is not None or reference is None:
        return {"apiVersion": kind.api_version, "kind": kind.kind, **found} if found else None, unread
    return next((obj for obj in objects if _is(obj, kind, namespace, name)), None), unread


async def _autoscalers(
    client: Client, endpoint: LLMEndpoint, workload: Object | None
) -> tuple[tuple[Object, ...], str]:
    """Find who drives replicas, or why that is not known; it matters where a number is declared."""
    if workload is None or endpoint.spec.replicas is None:
        return (), ""
    try:
        return (await client.list(HORIZONTAL_POD_AUTOSCALER, endpoint.metadata.namespace)).items, ""
    except ApiError as error:
        return (), f"if a HorizontalPodAutoscaler drives the workload, its replicas stay: {error.message}"


async def _pods(client: Client, endpoint: LLMEndpoint, workload: Object | None) -> tuple[Object, ...]:
    if workload is None:
        return ()
    ours = {"matchLabels": names.selector(endpoint.metadata.name, "model")}
    selector = ours if endpoint.spec.backend.template is not None else workload["spec"]["selector"]
    return await _listed(client, endpoint, selector_text(selector))


async def _rehearsing(client: Client, endpoint: LLMEndpoint) -> tuple[Object, ...]:
    if not adopts(endpoint):
        return ()
    selector = {"matchLabels": names.selector(endpoint.metadata.name, "rehearsal")}
    return await _listed(client, endpoint, selector_text(selector))


async def _listed(client: Client, endpoint: LLMEndpoint, selector: str) -> tuple[Object, ...]:
    try:
        return (await client.list(POD, endpoint.metadata.namespace, label_selector=selector)).items
    except ApiError:
        return ()


async def _config(client: Client, endpoint: LLMEndpoint) -> Object | None:
    """Return the collectors' ConfigMap where it decides something: of a paused endpoint."""
    if not endpoint.spec.paused:
        return None
    try:
        name = names.collector_config(endpoint.metadata.name)
        return await client.find(CONFIG_MAP, endpoint.metadata.namespace, name)
    except ApiError:
        return None


def _is(obj: Object, kind: Kind, namespace: str, name: str) -> bool:
    metadata = obj["metadata"]
    return (obj.get("kind"), metadata.get("namespace"), metadata.get("name")) == (kind.kind, namespace, name)
