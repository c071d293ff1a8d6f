"""What is to be written of one endpoint, decided from data alone: a reconcile carries it out, a preflight tries it.

No I/O and no clock, so that the same view always gives the same plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from modelward.desired import adoption, names
from modelward.desired.children import Child, Children, Facts, children, in_turn
from modelward.desired.collector_config import renewed_authority
from modelward.desired.finding import Finding
from modelward.desired.installation import Installation
from modelward.desired.model_workload import orphaned_replicas
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.desired.target import taken
from modelward.kube.kinds import DEPLOYMENT, STATEFUL_SET, Object
from modelward.operator.actuators.registry import child_kinds
from modelward.operator.endpoint.difference import covers, stamped
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.endpoint.replica_write import ReplicaWrite
from modelward.reasons.collector import CollectorReason
from modelward.status.collector import bare_pods

_COLLECTOR_TROUBLE = frozenset({CollectorReason.OWNED_BY_ANOTHER_CONTROLLER, CollectorReason.REMOVED_BY_OTHER})
"""Keeps the collector out, but the endpoint serves as it always did: CollectorReady says it, not Accepted."""
FULLY_MANAGED = frozenset({names.FRAME_MANAGER})
"""Managers whose objects say all that we want of a child, so that the hash of it can stand on the child."""
_PRUNED = frozenset({"Deployment", "Service", "ConfigMap"})


@dataclass(frozen=True, slots=True)
class EndpointPlan:
    """What one reconcile writes. `apply` goes in order, then `prune` where all of it is in place, then `replicas`."""

    apply: Children = ()
    replicas: ReplicaWrite | None = None
    prune: bool = False
    """Whether owned objects that are not in `apply` go; of a blocked endpoint only its rehearsal does."""
    blocked: Finding | None = None
    """Why nothing of what is declared can be carried out."""
    later: Children = ()
    """What a later reconcile applies, when the pod of the rehearsal has started."""
    note: str | None = None
    """What to remember of the sidecar once `apply` is carried out; empty to forget, None where nothing changes."""

    @property
    def scales(self) -> bool:
        """Whether replicas may be written: what cannot be carried out may name the wrong workload."""
        return self.blocked is None or keeps_out_collector(self.blocked)


def plan(view: Gathered, asked: MonitoringPlan, installation: Installation, noted: str = "") -> EndpointPlan:
    """Return what to write; `noted` is the note of an injection that status may not say yet."""
    endpoint, workload = view.endpoint, view.workload
    paused = endpoint.spec.paused
    wanted = children(endpoint, asked, installation, _facts(view, noted))
    if isinstance(wanted, Finding):
        follows = _following(view) if keeps_out_collector(wanted) else None
        return EndpointPlan(replicas=follows, prune=not paused, blocked=wanted)
    if paused:
        return EndpointPlan(_renewal(view, installation))
    now = in_turn(wanted, view.rehearsing)
    withdrawn = _withdrawal(view)
    kept = tuple(left for child in now if (left := _beside_autoscaler(view, child)) is not None)
    later = tuple(child for child in wanted if child.manager == names.ADOPT_MANAGER and child not in now)
    note = "" if withdrawn else None
    if workload is not None and any(child.manager == names.ADOPT_MANAGER for child in now):
        note = adoption.injection_note(endpoint, workload)
    return EndpointPlan((*withdrawn, *kept), _following(view), prune=True, later=later, note=note)


def keeps_out_collector(finding: Finding) -> bool:
    """Return whether a finding keeps only the collector out: the endpoint itself is as it was declared."""
    return finding.reason in _COLLECTOR_TROUBLE


def pruned(todo: EndpointPlan, owned: Iterable[Object]) -> tuple[Object, ...]:
    """Return what a plan deletes of the objects that the endpoint owns; never the workload of a model."""
    kept = {label(child.obj) for child in todo.apply}
    kinds = {*_PRUNED, *(kind.kind for kind in child_kinds())}
    there = (obj for obj in owned if obj["kind"] in kinds and not obj["metadata"].get("deletionTimestamp"))
    if not todo.prune:
        return ()
    if todo.blocked is not None:
        return tuple(obj for obj in there if _runs(obj, "rehearsal"))
    return tuple(obj for obj in there if label(obj) not in kept and not _runs(obj, "model"))


def to_apply(child: Child) -> dict[str, Any]:
    """Return the object of a child as it is applied, with the hash of all that we want of it where that is known."""
    return stamped(child.obj) if child.manager in FULLY_MANAGED else dict(child.obj)


def due(child: Child, actual: Object | None) -> bool:
    """Return whether an apply would change something: a field, or who owns it."""
    if actual is None or child.manager == names.ADOPT_MANAGER:
        return True  # an injection is asked for once, and a withdrawal says nothing that could be compared
    if child.manager == names.SCALE_MANAGER and orphaned_replicas(actual):
        return True  # else the next apply of the template would let them fall to one
    return not covers(actual, to_apply(child))


def label(obj: Mapping[str, Any]) -> str:
    """Return how messages name an object, as `Service chat`."""
    return f"{obj['kind']} {obj['metadata']['name']}"


def _facts(view: Gathered, noted: str) -> Facts:
    held = taken(view.endpoint, view.rivals, view.workload)
    return Facts(view.workload, bare_pods(view.pods), noted, held, view.deserted)


def _withdrawal(view: Gathered) -> Children:
    workload = view.workload
    if workload is None or not adoption.withdrawal_due(view.endpoint, workload):
        return ()
    return (Child(adoption.withdrawal(workload), names.ADOPT_MANAGER),)


def _renewal(view: Gathered, installation: Installation) -> Children:
    """Bring the hub's certificate authority to the collectors of a paused endpoint, and nothing else."""
    renewed = renewed_authority(view.endpoint, view.collector_config, installation)
    return (Child(renewed, names.FRAME_MANAGER),) if renewed is not None else ()


def _following(view: Gathered) -> ReplicaWrite | None:
    """Bring a referenced workload to the endpoint's replicas, unless an autoscaler of another owner drives it."""
    endpoint, workload = view.endpoint, view.workload
    wanted, reference = endpoint.replicas_in_bounds, endpoint.spec.backend.workload_ref
    if reference is None or workload is None or wanted is None or endpoint.spec.paused:
        return None
    if wanted == workload["spec"].get("replicas", 1) or "autoscalers" in view.unlisted or view.workload_autoscaler:
        return None
    kind = DEPLOYMENT if reference.kind == DEPLOYMENT.kind else STATEFUL_SET
    version = workload["metadata"].get("resourceVersion", "")
    return ReplicaWrite(kind, endpoint.metadata.namespace, reference.name, wanted, version)


def _beside_autoscaler(view: Gathered, child: Child) -> Child | None:
    """Return the child, but of replicas that another owner's autoscaler drives only what keeps them as they are."""
    workload = view.workload
    if child.manager != names.SCALE_MANAGER or workload is None:
        return child
    if "autoscalers" not in view.unlisted and not view.workload_autoscaler:
        return child
    if not orphaned_replicas(workload):
        return None
    metadata = {**child.obj["metadata"], "resourceVersion": workload["metadata"]["resourceVersion"]}
    return Child({**child.obj, "metadata": metadata, "spec": {"replicas": workload["spec"]["replicas"]}}, child.manager)


def _runs(obj: Object, workload: names.Component) -> bool:
    """Return whether an object is the Deployment of that component."""
    return bool(obj["kind"] == "Deployment") and names.component(obj) == workload
