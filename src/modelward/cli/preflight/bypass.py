"""What `modelward preflight` says of traffic that a collector would not see."""

from __future__ import annotations

from collections.abc import Iterable

from modelward.api.llmendpoint import COLLECTOR_PORT, LLMEndpoint
from modelward.desired.container_search import find_container, undeclared_port
from modelward.desired.finding import Finding
from modelward.kube.client import Client
from modelward.kube.errors import ApiError
from modelward.kube.kinds import SERVICE, Object
from modelward.status.traffic_seen import past_the_collector


async def bypass_notes(
    client: Client, objects: Iterable[Object], endpoint: LLMEndpoint, workload: Object | None
) -> tuple[str, ...]:
    """Return remarks on a port that may be wrong and on Services that lead past a sidecar.

    `objects` are those of the file: a Service in it stands for the one of its name in the cluster.
    """
    reference = endpoint.spec.backend.workload_ref
    if reference is None or workload is None:
        return ()
    wrong, found = undeclared_port(workload, reference), find_container(workload, reference)
    if endpoint.mode != "Sidecar" or isinstance(found, Finding):
        return (wrong,)
    namespace = endpoint.metadata.namespace
    try:
        services = {obj["metadata"]["name"]: obj for obj in (await client.list(SERVICE, namespace)).items}
    except ApiError as error:
        return (wrong, f"whether a Service leads past the collector is not known: {error.message}")
    written = (obj for obj in objects if obj.get("kind") == SERVICE.kind)
    services |= {obj["metadata"]["name"]: obj for obj in written if obj["metadata"].get("namespace") == namespace}
    past = past_the_collector(services.values(), workload, found.port)
    told = f"clients of Service {', '.join(past)} bypass the collector: set its targetPort to {COLLECTOR_PORT}"
    return (wrong, told if past else "")
