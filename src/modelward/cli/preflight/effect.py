"""What applying a file would do to running model servers: decided from facts that were gathered before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.objects import KubeObject
from modelward.cli.preflight.trial import MOVES_PODS, Trial
from modelward.cli.preflight.written import changed_fields
from modelward.desired import adoption, model_workload, names
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.endpoint.plan import EndpointPlan

EffectOutcome = Literal["Nothing", "Creates", "Rolls", "Refused"]


@dataclass(frozen=True, slots=True)
class Effect:
    """What becomes of one object; `restarts`, `starts` and `stops` count pods of model servers.

    `reason` is the condition's reason of a refusal; `notes` say what else happens, and what could not be found out.
    """

    kind: str
    namespace: str
    name: str
    outcome: EffectOutcome
    why: str
    restarts: int = 0
    starts: int = 0
    stops: int = 0
    reason: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """An endpoint as it is now and as it would be, with the plan of its reconcile and the trials of its children."""

    before: LLMEndpoint | None
    view: Gathered
    plan: EndpointPlan
    trials: tuple[Trial, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def after(self) -> LLMEndpoint:
        """The endpoint as it would be."""
        return self.view.endpoint

    @property
    def workload(self) -> KubeObject | None:
        """The model's workload as it is now."""
        return self.view.workload


def exit_code(effects: Iterable[Effect]) -> int:
    """Return 2 if something would be refused, else 1 if a model server's pods would restart, else 0."""
    every = list(effects)
    if any(effect.outcome == "Refused" for effect in every):
        return 2
    return 1 if any(effect.outcome == "Rolls" for effect in every) else 0


def effect_of(subject: Subject) -> Effect:
    """Return the effect on one endpoint."""
    refusal = subject.plan.blocked or next((trial.refused for trial in subject.trials if trial.refused), None)
    if refusal is not None:
        return _made(subject, "Refused", refusal.message, reason=refusal.reason)
    if subject.after.spec.paused:
        but = " but the hub's certificate authority" if subject.plan.apply else ""
        return _made(subject, "Nothing", f"spec.paused is true: nothing is written{but}")
    template = next((trial for trial in subject.trials if trial.child.manager in MOVES_PODS), None)
    if template is None:
        return _made(subject, "Nothing", _calm(subject))
    if template.actual is None and subject.workload is None:
        return _made(subject, "Creates", "there is no Deployment of it yet", starts=_declared(subject.after))
    why = _cause(subject, template)
    if template.result is not None and template.actual is not None and _same_pods(template.result, template.actual):
        return _made(subject, "Nothing", f"{why}, which leaves the pods as they are")
    if not (pods := _replicas(subject.workload)):
        return _made(subject, "Nothing", f"{why}, and no pod runs")
    return _made(subject, "Rolls", why, restarts=pods, manner=_manner(subject.workload))


def _made(
    subject: Subject,
    outcome: EffectOutcome,
    why: str,
    *,
    reason: str = "",
    manner: str = "",
    restarts: int = 0,
    starts: int = 0,
) -> Effect:
    metadata = subject.after.metadata
    more = _more(subject) if outcome in ("Nothing", "Rolls") else 0
    gateway = () if outcome == "Refused" else _gateway(subject)
    untried = dict.fromkeys(trial.untried for trial in subject.trials if trial.untried)
    kept = () if outcome == "Refused" else _left_to_autoscaler(subject)
    notes = (
        *((manner,) if manner else ()),
        *_tried_first(subject, outcome),
        *gateway,
        *kept,
        *_removed(subject),
        *subject.notes,
        *untried,
    )
    place = ("LLMEndpoint", metadata.namespace, metadata.name)
    return Effect(*place, outcome, why, restarts, starts + max(more, 0), max(-more, 0), reason, notes)


def _calm(subject: Subject) -> str:
    endpoint = subject.after
    if endpoint.spec.backend.external is not None:
        return "an external API: no model server of this cluster is touched"
    if endpoint.spec.backend.template is not None:
        return "nothing that was written for the pods changes"
    if endpoint.mode == "Sidecar":
        return "the collector was put in before, and nothing that was written for it changes"
    return f"mode {endpoint.mode} leaves the workload as it is"


def _cause(subject: Subject, trial: Trial) -> str:
    before, after, workload = subject.before, subject.after, subject.workload
    if trial.child.manager == names.TEMPLATE_MANAGER:
        known = before is not None and before.spec.backend.template is not None
        if before is None or not known or model_workload.gate(before, workload):
            return "what is written for the pods differs from what they run, and did so before this file"
        fields = changed_fields(model_workload.written_for_pods(before), model_workload.written_for_pods(after))
        return f"what is written for the pods changes: {', '.join(fields)}"
    named = _named(workload)
    if adoption.withdrawal_due(after, workload):
        return f"the collector leaves {named}: collector.mode is {after.mode}"
    if workload is not None and not adoption.injected(workload):
        return f"the collector is put into {named}: collector.mode is Sidecar"
    if before is None or before.spec.backend.workload_ref is None:
        return f"the collector of {named} is injected again for this LLMEndpoint"
    fields = changed_fields(adoption.written_for_sidecar(before), adoption.written_for_sidecar(after))
    if not fields:
        return "what is written for the collector differs from what is in place, and did so before this file"
    return f"what is written for the collector changes: {', '.join(fields)}"


def _same_pods(result: KubeObject, actual: KubeObject) -> bool:
    return bool(result["spec"]["template"] == actual["spec"]["template"])


def _tried_first(subject: Subject, outcome: EffectOutcome) -> Sequence[str]:
    if outcome != "Rolls" or not subject.plan.later:
        return ()
    return ("first one pod of the collector alone must start there, or nothing rolls",)


def _gateway(subject: Subject) -> Sequence[str]:
    for trial in subject.trials:
        if trial.child.obj["kind"] != "Deployment" or names.component(trial.child.obj) != "gateway":
            continue
        pods = trial.child.obj["spec"]["replicas"]
        if trial.actual is None:
            return (f"gateway: {_pods(pods)} {'starts' if pods == 1 else 'start'}",)
        if trial.result is not None and not _same_pods(trial.result, trial.actual):
            return (f"gateway: {_pods(pods)} {'rolls' if pods == 1 else 'roll'}, draining; no model server is in them",)
    return ()


def _removed(subject: Subject) -> Sequence[str]:
    endpoint, workload = subject.after, subject.workload
    if workload is None or endpoint.mode != "Sidecar" or endpoint.spec.backend.workload_ref is None:
        return ()
    if not adoption.removed_by_other(endpoint, workload):
        return ()
    return (f"another writer removed the collector, and it stays out; {names.ROLLOUT_AT} puts it back",)


def _more(subject: Subject) -> int:
    """Return how many pods start (or stop, below 0) because the planned number differs from what runs."""
    todo, workload = subject.plan, subject.workload
    scales = (child.obj["spec"]["replicas"] for child in todo.apply if child.manager == names.SCALE_MANAGER)
    wanted = todo.replicas.replicas if todo.replicas is not None else next(scales, None)
    return wanted - _replicas(workload) if wanted is not None and workload is not None else 0


def _left_to_autoscaler(subject: Subject) -> Sequence[str]:
    """Say that a declared number has no effect where a foreign autoscaler drives the workload."""
    wanted, workload = subject.after.spec.replicas, subject.workload
    autoscaler = subject.view.workload_autoscaler
    if not autoscaler or wanted is None or workload is None or wanted == _replicas(workload):
        return ()
    drives = f"HorizontalPodAutoscaler {autoscaler} drives {_named(workload)}"
    return (f"{drives}: it keeps its {_pods(_replicas(workload))}, spec.replicas {wanted} is not carried out",)


def _manner(workload: KubeObject | None) -> str:
    spec = (workload or {}).get("spec", {})
    if (spec.get("strategy") or {}).get("type") == "Recreate":
        return "strategy Recreate: all of them stop before one starts again"
    if (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        return "updateStrategy OnDelete: each rolls when it is deleted"
    return "its roll-out is paused: they roll when it is resumed" if spec.get("paused") else ""


def _named(workload: KubeObject | None) -> str:
    return f"{workload['kind']} {workload['metadata']['name']}" if workload is not None else "the workload"


def _replicas(workload: KubeObject | None) -> int:
    return int((workload or {}).get("spec", {}).get("replicas", 1))


def _declared(endpoint: LLMEndpoint) -> int:
    return 1 if endpoint.spec.replicas is None else endpoint.spec.replicas


def _pods(count: int) -> str:
    return f"{count} pod" if count == 1 else f"{count} pods"
