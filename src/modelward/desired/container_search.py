"""Which container and port of a user's workload is the model server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelward.api.llmendpoint import WorkloadRef
from modelward.desired.finding import Finding
from modelward.desired.names import COLLECTOR
from modelward.reasons.accepted import AcceptedReason

HTTP_PORT_NAME = "http"


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """The model server: the container's name and the port on which it listens."""

    container: str
    port: int


def find_container(workload: Mapping[str, Any], ref: WorkloadRef) -> ContainerPort | Finding:
    """Find the container and the port that the reference means.

    What is not written is found where there is one candidate: the only container with a TCP port (or with the written
    port), and its only port or the one named `http`. Else the finding lists the candidates.
    """
    containers = [c for c in _pod_spec(workload).get("containers") or () if c.get("name") != COLLECTOR]
    named = [c for c in containers if ref.container in (None, c.get("name"))]
    if not named:
        return _ambiguous(f"there is no container {ref.container}", containers)
    if ref.port is not None:
        return _listening(named, containers, ref.port)
    found = [ContainerPort(c["name"], port) for c in named if (port := _only_port(c)) is not None]
    silent = [c for c in named if len(_tcp_ports(c)) > 1 and _only_port(c) is None]
    if len(found) != 1 or silent:
        return _ambiguous("set backend.workloadRef.container and port", containers)
    return found[0]


def undeclared_port(workload: Mapping[str, Any], ref: WorkloadRef) -> str:
    """Return a remark where containers declare ports and the written one is not among them; empty where it may be."""
    declared = sorted({port for c in _pod_spec(workload).get("containers") or () for port in _tcp_ports(c).values()})
    if ref.port is None or not declared or ref.port in declared:
        return ""
    listed = ", ".join(map(str, declared))
    return f"no container of {ref.kind} {ref.name} declares port {ref.port} (declared: {listed}); is the port right?"


def _listening(
    named: Sequence[Mapping[str, Any]], containers: Sequence[Mapping[str, Any]], port: int
) -> ContainerPort | Finding:
    if len(named) == 1:
        return ContainerPort(named[0]["name"], port)
    declaring = [c for c in named if port in _tcp_ports(c).values()]
    if len(declaring) == 1:
        return ContainerPort(declaring[0]["name"], port)
    return _ambiguous(f"set backend.workloadRef.container; which one listens on {port} is not declared", containers)


def _pod_spec(workload: Mapping[str, Any]) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = workload["spec"]["template"]["spec"]
    return spec


def _tcp_ports(container: Mapping[str, Any]) -> dict[str, int]:
    """Return the declared TCP ports by name; one without a name stands under its number."""
    ports = [port for port in container.get("ports") or () if port.get("protocol", "TCP") == "TCP"]
    return {str(port.get("name") or port["containerPort"]): port["containerPort"] for port in ports}


def _only_port(container: Mapping[str, Any]) -> int | None:
    ports = _tcp_ports(container)
    return next(iter(ports.values())) if len(ports) == 1 else ports.get(HTTP_PORT_NAME)


def _ambiguous(what: str, containers: Sequence[Mapping[str, Any]]) -> Finding:
    candidates = (f"{c.get('name')} ({', '.join(map(str, _tcp_ports(c).values())) or 'no port'})" for c in containers)
    return Finding(AcceptedReason.TARGET_AMBIGUOUS, f"{what}; candidates: {', '.join(candidates)}")
