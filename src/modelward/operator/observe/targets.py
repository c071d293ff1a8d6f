"""Which metrics pages are read for an endpoint, and where its clients reach it."""

from __future__ import annotations

from collections.abc import Sequence

from modelward.api.llmendpoint import ADMIN_PORT, LLMEndpoint
from modelward.desired.collector_config import engine_metrics_path
from modelward.desired.container_search import find_container
from modelward.desired.finding import Finding
from modelward.desired.service import service_url
from modelward.kube.kinds import Object
from modelward.operator.endpoint.gathered import Gathered
from modelward.scrape.pages import PageTarget
from modelward.status.collector import Collectors, has_sidecar
from modelward.status.traffic_seen import past_the_collector
from modelward.status.workload import pod_ready, pod_running, refusal, waiting_reason


def of(known: Gathered) -> tuple[PageTarget, ...]:
    """Return the pages of all running pods: collectors' where there are some, else the engines' own."""
    endpoint = known.endpoint
    if endpoint.mode == "Gateway":
        return tuple(_collector(pod, endpoint) for pod in known.gateway_pods if pod_running(pod))
    if endpoint.mode == "Sidecar":
        return tuple(_collector(pod, endpoint) for pod in known.pods if pod_running(pod) and has_sidecar(pod))
    port, path = engine_port(known), engine_metrics_path(endpoint)
    if port is None or path is None:
        return ()
    return tuple(
        PageTarget(_name(pod), f"http://{_host(pod)}:{port}{path}", endpoint.spec.engine, "engine")
        for pod in known.pods
        if pod_running(pod)
    )


def gateways(gateway: Object | None, pods: Sequence[Object]) -> Collectors:
    """Count the gateway's pods: each of them is a collector."""
    statuses = [status for pod in pods for status in pod.get("status", {}).get("containerStatuses", [])]
    trouble = next((stuck for status in statuses if (stuck := waiting_reason(status))), None)
    ready = sum(pod_ready(pod) for pod in pods)
    return Collectors(len(pods), ready, 0, trouble, refused=refusal(gateway or {}))


def url(endpoint: LLMEndpoint) -> str | None:
    """Return where clients reach the endpoint through our Service; None where there is none."""
    if endpoint.mode == "ScrapeOnly" and endpoint.spec.backend.template is None:
        return None
    return service_url(endpoint)


def engine_port(known: Gathered) -> int | None:
    """Return the port of the model server; None where it is not known, or is outside the cluster."""
    template, reference = known.endpoint.spec.backend.template, known.endpoint.spec.backend.workload_ref
    if template is not None:
        return template.port
    if reference is None or known.workload is None:
        return None
    found = find_container(known.workload, reference)
    return None if isinstance(found, Finding) else found.port


def upstream(known: Gathered) -> str:
    """Return where collectors look for the model server, in words."""
    external = known.endpoint.spec.backend.external
    return external.url if external is not None else f"port {engine_port(known)} of its pods"


def bypassing(known: Gathered) -> tuple[str, ...]:
    """Return the Services that lead clients past the sidecars, to the model server's own port."""
    port, workload = engine_port(known), known.workload
    if port is None or workload is None:
        return ()
    return past_the_collector(known.services, workload, port)


def _collector(pod: Object, endpoint: LLMEndpoint) -> PageTarget:
    return PageTarget(_name(pod), f"http://{_host(pod)}:{ADMIN_PORT}/metrics", endpoint.spec.engine, "collector")


def _name(pod: Object) -> str:
    return str(pod["metadata"]["name"])


def _host(pod: Object) -> str:
    ip = str(pod["status"]["podIP"])
    return f"[{ip}]" if ":" in ip else ip
