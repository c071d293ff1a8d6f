"""What one reconcile of an endpoint amounts to, before it is written: conditions, numbers, verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from modelward.api.llmendpoint import AppliedPolicy, CollectorStatus, EvaluationStatus, MetricStatus
from modelward.api.quantity import percent_text
from modelward.desired import adoption, model_workload, names
from modelward.desired.collector_config import config_map, engine_metrics_path, generation
from modelward.desired.finding import Finding
from modelward.desired.quality_of_service import too_small
from modelward.metrics.dialects import engine_name
from modelward.operator.endpoint.apply import Problem
from modelward.operator.endpoint.gathered import Gathered, selector_text
from modelward.operator.endpoint.plan import keeps_out_collector
from modelward.operator.endpoint.view import ReconcileView
from modelward.operator.observe import targets
from modelward.reasons.accepted import AcceptedReason
from modelward.reasons.collector import CollectorReason
from modelward.reasons.metrics import MetricsReason
from modelward.reasons.workload import WorkloadReason
from modelward.status.checks import Check
from modelward.status.collector import Collectors, collector_state, metrics_state, sidecars
from modelward.status.collector_release import of_another_release, of_other_settings
from modelward.status.conditions import ConditionState
from modelward.status.endpoint import EndpointFacts
from modelward.status.error_rates import unserved
from modelward.status.evaluation_judgement import judge_evaluation
from modelward.status.judgement import JudgementInput
from modelward.status.objective_judgement import judge_objective
from modelward.status.revision import UNKNOWN_REVISION, revision_now
from modelward.status.serving import address_state, put_to_sleep, unreached
from modelward.status.standing import S
from modelward.status.usage import usage_status
from modelward.status.workload import edited_state, workload_state


def assessed(look: ReconcileView) -> EndpointFacts:
    """Return all that the status is built from."""
    known, history, serving = look.known, look.seen.history, look.serving or {}
    sight = _sight(look)
    objectives, evaluations = _objectives(look, sight), _evaluations(look, sight)
    heard = (page.engine for page in look.seen.latest.values())
    return EndpointFacts(
        accepted=_accepted(look.problems, paused=known.endpoint.spec.paused),
        workload=_workload(look),
        collector=_collector(look),
        metrics=_metrics(look),
        scaling=look.scaled.state,
        replicas=int(serving.get("status", {}).get("replicas", 0)),
        ready_replicas=int(serving.get("status", {}).get("readyReplicas", 0)),
        desired_replicas=int(serving.get("spec", {}).get("replicas", 1)) if serving else 0,
        selector=selector_text(serving["spec"]["selector"]) if serving else "",
        url=targets.url(known.endpoint),
        engine=engine_name(known.endpoint.spec.engine, heard, known.endpoint.status.engine),
        models=history.models(),
        revision=sight.revision,
        usage=usage_status(history, look.now_ms, known.endpoint.spec.prices),
        checks=tuple(check for check, _ in (*objectives, *evaluations)),
        objectives=tuple(status for _, status in objectives),
        evaluations=tuple(status for _, status in evaluations),
        scaling_status=look.scaled.status,
        collector_status=_collector_status(look),
        applied=tuple(AppliedPolicy(name=one.name, generation=one.generation) for one in look.asked.applied),
        unserved=unserved(history, look.now_ms),
    )


def _workload(look: ReconcileView) -> ConditionState:
    known = look.known
    state = _address(look)
    runs = known.endpoint.spec.backend.template is not None and known.workload is not None
    return edited_state(state, model_workload.edited(known.endpoint, known.workload or {})) if runs else state


def _address(look: ReconcileView) -> ConditionState:
    known = look.known
    endpoint, fronted = known.endpoint, known.endpoint.mode == "Gateway"
    named = f"gateway {names.gateway(endpoint.metadata.name)}"
    gateway = workload_state(known.gateway, known.gateway_pods, named) if fronted else None
    model = workload_state(known.workload, known.pods, _named(known))
    if look.external and gateway is not None:
        model = gateway
    pages = [page for pod, page in look.seen.latest.items() if pod not in look.seen.failures]
    refusing = targets.upstream(known) if unreached(pages) else ""
    return address_state(model, gateway, asleep=put_to_sleep(endpoint), refusing=refusing)


def _sight(look: ReconcileView) -> JudgementInput:
    # A gateway's own revision says nothing of the model behind it.
    known = look.known
    revision = UNKNOWN_REVISION
    if known.endpoint.mode != "Gateway":
        revision = revision_now(known.pods, known.workload, known.endpoint.status, look.now_ms)
    return JudgementInput(revision, look.traffic_seen_ppm, look.found.trouble, look.found.failing, look.found.labels)


def _objectives(look: ReconcileView, sight: JudgementInput) -> list[tuple[Check, MetricStatus]]:
    before = _before(look, look.known.endpoint.status.metrics)
    history = look.seen.history
    return [
        judge_objective(bound, history, sight, look.now_ms, before.get((bound.policy, bound.objective.name)))
        for bound in look.asked.objectives
    ]


def _evaluations(look: ReconcileView, sight: JudgementInput) -> list[tuple[Check, EvaluationStatus]]:
    before = _before(look, look.known.endpoint.status.evaluations)
    return [
        judge_evaluation(
            bound,
            look.found.windows.get((bound.policy, bound.evaluation.name), ()),
            sight,
            look.now_ms,
            before.get((bound.policy, bound.evaluation.name)),
        )
        for bound in look.asked.evaluations
    ]


def _before(look: ReconcileView, checks: Iterable[S]) -> dict[tuple[str, str], S]:
    """Return what status says of its checks; those of an older release name no revision, but the endpoint does."""
    revision = look.known.endpoint.status.revision
    return {
        (one.policy, one.name): one if one.revision else one.model_copy(update={"revision": revision}) for one in checks
    }


def _collectors(look: ReconcileView) -> Collectors:
    known = look.known
    written = known.endpoint.spec.collector.resources
    short = too_small(written.wire()) if written is not None else ""
    if known.endpoint.mode != "Sidecar":
        found = _compared(look, targets.gateways(known.gateway, known.gateway_pods))
        return replace(found, short_of_memory=short)
    found = replace(_compared(look, sidecars(known.pods)), short_of_memory=short)
    outdated = of_another_release(known.pods, known.workload, look.installation.collector_image)
    return replace(found, outdated=outdated, bypassing=targets.bypassing(known))


def _compared(look: ReconcileView, found: Collectors) -> Collectors:
    """Return the collectors with how many of those that could be read run other settings than the endpoint has now."""
    wanted = _generation(look)
    if not wanted:
        return found
    pages = (page for pod, page in look.seen.latest.items() if pod not in look.seen.failures)
    unloaded, told = of_other_settings(pages, wanted)
    return replace(found, unloaded=unloaded, told=told)


def _generation(look: ReconcileView) -> str:
    """Return the generation of the settings that collectors should run; empty where none are written."""
    endpoint, beside = look.known.endpoint, look.known.endpoint.mode == "Sidecar"
    port = targets.engine_port(look.known) if beside else None
    unknown = beside and port is None
    if endpoint.spec.paused or endpoint.mode == "ScrapeOnly" or unknown:
        return ""
    return generation(config_map(endpoint, look.asked.capture, look.installation, engine_port=port))


def _collector(look: ReconcileView) -> ConditionState:
    kept_out = next((one.finding for one in look.problems if about_collector(one)), None)
    kept_out = kept_out or _removed(look.known) or _rehearsed(look)
    problem = (kept_out.reason, kept_out.message) if kept_out else None
    return collector_state(look.known.endpoint.mode, _collectors(look), look.traffic_seen_ppm, problem)


def _collector_status(look: ReconcileView) -> CollectorStatus:
    collectors, seen_ppm = _collectors(look), look.traffic_seen_ppm
    versions = (snapshot.collector_version for snapshot in look.seen.latest.values())
    return CollectorStatus(
        mode=look.known.endpoint.mode,
        ready=collectors.ready,
        desired=collectors.desired,
        version=next((version for version in versions if version), ""),
        traffic_seen=percent_text(seen_ppm) if seen_ppm is not None else "",
        injected=_injected(look),
    )


def _injected(look: ReconcileView) -> str:
    endpoint, workload, before = look.known.endpoint, look.known.workload, look.known.endpoint.status.collector
    if not adoption.adopts(endpoint):
        return ""
    if workload is None:
        return before.injected if before is not None else ""
    due = adoption.injection_due(endpoint, workload, look.injected)
    return "" if due else adoption.injection_note(endpoint, workload)


def _metrics(look: ReconcileView) -> ConditionState:
    endpoint = look.known.endpoint
    if endpoint.mode == "ScrapeOnly" and engine_metrics_path(endpoint) is None:
        message = f"engine {endpoint.spec.engine} exports no metrics; collector mode Sidecar or Gateway sees traffic"
        return ConditionState("MetricsAvailable", "False", MetricsReason.ENGINE_EXPORTS_NOTHING, message)
    pods = [target.pod for target in look.targeted]
    return metrics_state(
        look.seen.history,
        pods,
        look.seen.problems(),
        look.now_ms,
        shortfalls=look.seen.shortfalls(),
        engine_problems=look.seen.engine_problems(),
    )


def _accepted(problems: Sequence[Problem], *, paused: bool) -> ConditionState:
    fatal = next((problem.finding for problem in problems if not about_collector(problem)), None)
    if fatal is None and paused:
        return ConditionState(
            "Accepted", "True", AcceptedReason.PAUSED, "spec.paused is true: existing objects stay as they are"
        )
    if fatal is None:
        return ConditionState("Accepted", "True", AcceptedReason.VALID)
    return ConditionState("Accepted", "False", fatal.reason, fatal.message)


def about_collector(problem: Problem) -> bool:
    """Return whether a problem keeps only the collector out: the endpoint itself is as it was declared."""
    return keeps_out_collector(problem.finding) or problem.of_rehearsal


def _removed(known: Gathered) -> Finding | None:
    endpoint, workload = known.endpoint, known.workload
    if workload is None or endpoint.mode != "Sidecar" or adoption.injected(workload):
        return None
    due = adoption.injection_due if adoption.adopts(endpoint) else model_workload.gate
    if due(endpoint, workload):
        return None
    message = (
        f"another writer removed the collector; set annotation {names.ROLLOUT_AT} on the LLMEndpoint to put it back"
    )
    return Finding(CollectorReason.REMOVED_BY_OTHER, message)


def _rehearsed(look: ReconcileView) -> Finding | None:
    """Return what a workload that is about to take the collector in waits for, or what keeps that from it."""
    known, workload = look.known, look.known.workload
    endpoint = known.endpoint
    if workload is None or look.problems or endpoint.spec.paused or not adoption.adopts(endpoint):
        return None
    if not adoption.injection_due(endpoint, workload, look.injected):
        return None
    named = f"Deployment {names.rehearsal(endpoint.metadata.name)}"
    state = workload_state(known.rehearsal, known.rehearsing, named)
    then = f"{_named(known)} takes the collector in, and rolls, when the pod of {named} has started"
    if state.reason in (WorkloadReason.CREATING, WorkloadReason.NOT_READY):
        return Finding(CollectorReason.REHEARSING, then)
    return Finding(CollectorReason.named(state.reason), f"{state.message}; {then}")


def _named(known: Gathered) -> str:
    endpoint = known.endpoint
    reference = endpoint.spec.backend.workload_ref
    if reference is not None:
        return f"{reference.kind} {reference.name}"
    if endpoint.spec.backend.external is not None:
        return f"gateway {names.gateway(endpoint.metadata.name)}"
    return f"Deployment {names.model_workload(endpoint.metadata.name)}"
