"""The pod template of a model server that Modelward runs, from what the user wrote of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelward.api.llmendpoint import ADMIN_PORT, COLLECTOR_PORT, LLMEndpoint, Template
from modelward.desired import collector_container
from modelward.desired.finding import Finding
from modelward.desired.installation import Installation
from modelward.desired.names import APP_NAME, COLLECTOR, ROLLOUT_AT, labels
from modelward.desired.pod import TOKEN_VOLUME, settled_metadata, settled_spec
from modelward.desired.quality_of_service import SIDECAR, collector_resources, is_guaranteed
from modelward.engines.registry import engine_named
from modelward.reasons.accepted import AcceptedReason

MODEL_CONTAINER = "model"
GRACE_SECONDS = 15
"""Beyond the drain: time for the engine and then the collector to leave."""
RESERVED_PORTS = frozenset({COLLECTOR_PORT, ADMIN_PORT})
RESERVED_VOLUMES = frozenset({collector_container.CONFIG_VOLUME, collector_container.SPOOL_VOLUME, TOKEN_VOLUME})


def pod_template(endpoint: LLMEndpoint, template: Template, installation: Installation) -> dict[str, Any]:
    """Return the pod template: the user's with our sidecar and drain added; call `template_problem` first.

    What the user wrote stays as written, but for the labels by which we find the pods and a grace period long enough
    for the drain.
    """
    written = _written(endpoint, template)
    spec = settled_spec(_with_grace(written["spec"], endpoint.spec.drain_seconds), installation.pod)
    if endpoint.mode == "Sidecar":
        spec = _with_sidecar(spec, endpoint, template, installation)
    return {"metadata": _metadata(endpoint, written.get("metadata") or {}, installation), "spec": spec}


def users_text(template: Template) -> dict[str, Any]:
    """Return the part of the pod template that is the user's own words and enters the pods as it was written."""
    if template.pod_template is not None:
        written = without_nulls(template.pod_template)
        spec = {name: part for name, part in written["spec"].items() if name != "terminationGracePeriodSeconds"}
        annotations = (written.get("metadata") or {}).get("annotations") or {}
        return {"spec": spec, **({"metadata": {"annotations": annotations}} if annotations else {})}
    wire = template.wire()
    container = {name: wire[name] for name in ("image", "command", "args", "resources", "env") if wire.get(name)}
    return {"spec": {"containers": [{"name": MODEL_CONTAINER, **container}]}}


def _written(endpoint: LLMEndpoint, template: Template) -> Mapping[str, Any]:
    if template.pod_template is not None:
        written: Mapping[str, Any] = without_nulls(template.pod_template)
        return written
    return {"spec": _short_form(endpoint, template)}


def without_nulls(value: Any) -> Any:
    """Return the JSON value without its nulls, which server-side apply would take for something to own."""
    if isinstance(value, Mapping):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [without_nulls(item) for item in value if item is not None]
    return value


def _short_form(endpoint: LLMEndpoint, template: Template) -> dict[str, Any]:
    wire = template.wire()
    container: dict[str, Any] = {
        "name": MODEL_CONTAINER,
        "image": template.image,
        **{name: wire[name] for name in ("command", "args", "resources") if wire.get(name)},
        **({"env": [_plain(variable) for variable in wire["env"]]} if wire.get("env") else {}),
        "ports": [{"name": "http", "containerPort": template.port, "protocol": "TCP"}],
        "readinessProbe": _readiness(endpoint, template.port),
    }
    # Service links would set VLLM_PORT and the like from a Service that happens to be named after the engine.
    return {"automountServiceAccountToken": False, "enableServiceLinks": False, "containers": [container]}


def _plain(variable: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in variable.items() if value}


def _readiness(endpoint: LLMEndpoint, port: int) -> dict[str, Any]:
    path = engine_named(endpoint.spec.engine).health_path
    action = {"httpGet": {"path": path, "port": port}} if path else {"tcpSocket": {"port": port}}
    return {**action, "periodSeconds": 5, "timeoutSeconds": 3}


def _with_grace(spec: Mapping[str, Any], drain_seconds: int) -> dict[str, Any]:
    written = spec.get("terminationGracePeriodSeconds")
    least = drain_seconds + GRACE_SECONDS
    return {**spec, "terminationGracePeriodSeconds": max(least, written if isinstance(written, int) else 0)}


def _with_sidecar(
    spec: Mapping[str, Any], endpoint: LLMEndpoint, template: Template, installation: Installation
) -> dict[str, Any]:
    name, inits = endpoint.metadata.name, list(spec.get("initContainers") or ())
    guaranteed = is_guaranteed([*spec["containers"], *inits])
    resources = collector_resources(endpoint.spec.collector.resources, SIDECAR, guaranteed=guaranteed)
    drain = endpoint.spec.drain_seconds
    sidecar = collector_container.sidecar(name, template.port, installation, resources, drain_seconds=drain)
    return {
        **spec,
        "containers": [_drained(container) for container in spec["containers"]],
        "initContainers": [*inits, sidecar],
        "volumes": [*(spec.get("volumes") or ()), *collector_container.volumes(name)],
    }


def _drained(container: Mapping[str, Any]) -> Mapping[str, Any]:
    """Let the model wait for the collector, which gets SIGTERM only after it; a preStop of the user stays."""
    lifecycle = container.get("lifecycle") or {}
    if container.get("name") != MODEL_CONTAINER or lifecycle.get("preStop"):
        return container
    drain = {"httpGet": {"path": "/drain", "port": ADMIN_PORT}}
    return {**container, "lifecycle": {**lifecycle, "preStop": drain}}


def _metadata(endpoint: LLMEndpoint, written: Mapping[str, Any], installation: Installation) -> dict[str, Any]:
    ours = labels(endpoint.metadata.name, "model")
    users = written.get("labels") or {}
    name = users.get(APP_NAME, ours[APP_NAME])
    rollout = endpoint.metadata.annotations.get(ROLLOUT_AT)
    annotations = {**(written.get("annotations") or {}), **({ROLLOUT_AT: rollout} if rollout else {})}
    return settled_metadata(installation.pod, {**users, **ours, APP_NAME: name}, annotations)


def template_problem(endpoint: LLMEndpoint, template: Template) -> Finding | None:
    """Return what forbids to use the user's pod template; the API server's own checks come with a dry-run apply."""
    if template.pod_template is None:
        return None
    spec = template.pod_template.get("spec")
    if not isinstance(spec, Mapping) or not _named_items(spec.get("containers")):
        return _invalid("podTemplate has no spec.containers, a list of containers with names")
    if not all(_named_items(spec.get(field) or ()) for field in ("initContainers", "volumes", "imagePullSecrets")):
        return _invalid("podTemplate's initContainers, volumes and imagePullSecrets must be lists of named items")
    names = [container["name"] for container in spec["containers"]]
    if MODEL_CONTAINER not in names:
        return _invalid(f"podTemplate has no container named {MODEL_CONTAINER}; it has {', '.join(names)}")
    return _sidecar_problem(spec) if endpoint.mode == "Sidecar" else None


def _sidecar_problem(spec: Mapping[str, Any]) -> Finding | None:
    if spec.get("hostNetwork"):
        return _invalid("hostNetwork would put the collector's ports on the node; use collector.mode Gateway")
    containers = [*spec["containers"], *(spec.get("initContainers") or ())]
    for container in containers:
        if container["name"] == COLLECTOR:
            return _invalid(f"the container name {COLLECTOR} belongs to the sidecar")
        if clash := clashing_ports(container):
            return _invalid(f"container {container['name']} uses port {clash[0]}, which belongs to the collector")
    for volume in spec.get("volumes") or ():
        if volume["name"] in RESERVED_VOLUMES:
            return _invalid(f"the volume name {volume['name']} belongs to the collector")
    return None


def clashing_ports(container: Mapping[str, Any]) -> list[int]:
    """Return the declared ports of a container that the collector needs for itself."""
    declared = (port.get("containerPort") for port in container.get("ports") or () if isinstance(port, Mapping))
    return sorted(RESERVED_PORTS.intersection(port for port in declared if isinstance(port, int)))


def _named_items(items: Any) -> bool:
    return isinstance(items, list | tuple) and all(
        isinstance(item, Mapping) and isinstance(item.get("name"), str) for item in items
    )


def _invalid(message: str) -> Finding:
    return Finding(AcceptedReason.INVALID_TEMPLATE, message)
