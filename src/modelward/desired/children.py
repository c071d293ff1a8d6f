"""Everything that an endpoint needs in the cluster, in the order in which it is applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from modelward.api.llmendpoint import LLMEndpoint, WorkloadRef
from modelward.desired import adoption, model_workload, names
from modelward.desired.account import gateway_account
from modelward.desired.collector_config import config_map
from modelward.desired.container_search import find_container
from modelward.desired.finding import Finding
from modelward.desired.gateway import gateway_workload, url_problem
from modelward.desired.installation import Installation
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.desired.rehearsal import passed, rehearsal
from modelward.desired.service import pods_service, service
from modelward.reasons.accepted import AcceptedReason


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is already: the model's workload, ours or the referenced one."""

    workload: Mapping[str, Any] | None = None
    bare_pods: bool = False
    """Whether a pod that runs has no collector: until none has, clients are led to the model's own port."""
    injected: str = ""
    """The note of an injection that status may not say yet."""
    taken: Finding | None = None
    """Why the workload must be left to another LLMEndpoint."""
    deserted: bool = False
    """Whether the endpoint that adopted the workload is gone, or refers to another one now."""

    @property
    def collected(self) -> bool:
        """Whether every pod has a collector, those to come included."""
        return not self.bare_pods and (self.workload is None or adoption.injected(self.workload))


class Child(NamedTuple):
    """An object and the field manager that applies it.

    Without ownerReferences it is shared by a namespace (an account), a part of an object of ours that another part's
    manager owns, or a foreign workload's part (manager `modelward-adopt`).
    """

    obj: dict[str, Any]
    manager: str


Children = tuple[Child, ...]


def children(
    endpoint: LLMEndpoint, watch: MonitoringPlan, installation: Installation, facts: Facts
) -> Children | Finding:
    """Return what to apply, in order, or why the endpoint cannot be served as it is declared.

    A pod template is among them only when it must be applied; ConfigMaps come before the pods that mount them.
    `spec.paused` is not checked here: writers check it.
    """
    backend = endpoint.spec.backend
    if facts.taken is not None:
        return facts.taken
    if backend.template is not None:
        return _of_template(endpoint, watch, installation, facts, backend.template.port)
    if backend.workload_ref is not None:
        return _of_workload(endpoint, watch, installation, facts, backend.workload_ref)
    return _gateway(endpoint, watch, installation)


def in_turn(wanted: Children, rehearsing: Sequence[Mapping[str, Any]]) -> Children:
    """Return the children without the injection until its rehearsal has passed, and then without the rehearsal.

    `rehearsing` are the pods of a rehearsal.
    """
    first = next((child for child in wanted if is_rehearsal(child)), None)
    if first is None:
        return wanted
    if passed(first.obj, rehearsing):
        return tuple(child for child in wanted if child is not first)
    return tuple(child for child in wanted if child.manager != names.ADOPT_MANAGER)


def is_rehearsal(child: Child) -> bool:
    """Return whether the child only tries out what a workload is to take in."""
    return names.component(child.obj) == "rehearsal"


def _of_template(
    endpoint: LLMEndpoint, watch: MonitoringPlan, installation: Installation, facts: Facts, port: int
) -> Children | Finding:
    if problem := model_workload.problem(endpoint):
        return problem
    workload = _model(endpoint, installation, facts.workload)
    if endpoint.mode == "Gateway":
        front = _gateway(endpoint, watch, installation, pods_service(endpoint, None, port), port)
        return front if isinstance(front, Finding) else (*front, *workload)
    front = _ours(service(endpoint, direct_port=None if facts.collected else port))
    if endpoint.mode == "ScrapeOnly":
        return (*front, *workload)
    return (*_ours(config_map(endpoint, watch.capture, installation, engine_port=port)), *front, *workload)


def _model(endpoint: LLMEndpoint, installation: Installation, workload: Mapping[str, Any] | None) -> Children:
    frame = Child(model_workload.frame(endpoint), names.FRAME_MANAGER)
    scale = model_workload.scale(endpoint, workload)
    count = (Child(scale, names.SCALE_MANAGER),) if scale is not None else ()
    if workload is None:
        whole = model_workload.first(endpoint, installation, endpoint.replicas_in_bounds)
        return (Child(whole, names.TEMPLATE_MANAGER), frame, *count)
    if model_workload.note_lost(endpoint, workload):
        return (*count, frame, Child(model_workload.note(endpoint), names.NOTE_MANAGER))
    if not model_workload.gate(endpoint, workload):
        return (*count, frame)
    return (*count, frame, Child(model_workload.template(endpoint, installation), names.TEMPLATE_MANAGER))


def _of_workload(
    endpoint: LLMEndpoint, watch: MonitoringPlan, installation: Installation, facts: Facts, ref: WorkloadRef
) -> Children | Finding:
    if facts.workload is None:
        return Finding(
            AcceptedReason.TARGET_NOT_FOUND,
            f"there is no {ref.kind} {ref.name} in namespace {endpoint.metadata.namespace}",
        )
    found = find_container(facts.workload, ref)
    if isinstance(found, Finding):
        return found
    if endpoint.mode == "ScrapeOnly":
        return ()
    if endpoint.mode == "Gateway":
        pods = pods_service(endpoint, facts.workload, found.port)
        return _gateway(endpoint, watch, installation, pods, found.port)
    config = config_map(endpoint, watch.capture, installation, engine_port=found.port)
    return _adopted(endpoint, installation, facts, facts.workload, config, found.port)


def _adopted(
    endpoint: LLMEndpoint,
    installation: Installation,
    facts: Facts,
    workload: Mapping[str, Any],
    config: dict[str, Any],
    port: int,
) -> Children | Finding:
    if refused := adoption.refusal(endpoint, workload, deserted=facts.deserted):
        return refused
    front = service(endpoint, workload, direct_port=None if facts.collected else port)
    if isinstance(front, Finding):
        return front
    ours = _ours(config, front)
    if not adoption.injection_due(endpoint, workload, facts.injected):
        return ours
    partial = adoption.injection(endpoint, workload, installation)
    if isinstance(partial, Finding):
        return partial
    first = rehearsal(endpoint, partial, workload, installation.pod)
    return (*ours, *_ours(first), Child(partial, names.ADOPT_MANAGER))


def _gateway(
    endpoint: LLMEndpoint,
    watch: MonitoringPlan,
    installation: Installation,
    pods: dict[str, Any] | Finding | None = None,
    port: int | None = None,
) -> Children | Finding:
    if problem := pods if isinstance(pods, Finding) else url_problem(endpoint):
        return problem
    return _ours(
        config_map(endpoint, watch.capture, installation, engine_port=None),
        pods,
        gateway_account(endpoint.metadata.namespace),
        gateway_workload(endpoint, installation, port),
        service(endpoint),
    )


def _ours(*objects: dict[str, Any] | Finding | None) -> Children:
    return tuple(Child(obj, names.FRAME_MANAGER) for obj in objects if isinstance(obj, dict))
