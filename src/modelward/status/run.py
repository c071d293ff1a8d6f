"""How an EvaluationRun stands and how it ended, derived from its Job, its pod and the results that are in the hub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from modelward.api.evaluation import Counts, WindowResult
from modelward.api.evaluationrun import EvaluationRun, EvaluationRunStatus, RunItem, RunItemStatus, RunResult
from modelward.api.quantity import timestamp, timestamp_ms
from modelward.desired import obstacles
from modelward.desired.finding import Finding
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.evaluate.calibration.in_force import why_uncalibrated
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.verdict import decide
from modelward.evaluate.window_verdict import decide_change
from modelward.reasons.checks import CheckReason
from modelward.reasons.reason import Reason
from modelward.reasons.run import RunReason
from modelward.reasons.workload import WorkloadReason
from modelward.status.conditions import ConditionState, settle
from modelward.status.evaluation_rule import rule_of
from modelward.status.workload import waiting_reason

_MESSAGE_LIMIT = 256
_WORD: Mapping[RunResult, str] = {"Error": "no result", "Failed": "failed", "Inconclusive": "undecided"}
_PRECEDENCE: tuple[RunResult, ...] = ("Error", "Failed", "Inconclusive", "Passed")
_NO_POD_MS = 30_000
_NO_RULE = VerdictRule(fail_above_ppm=0)
"""For items that have no result to judge."""


def running_state(
    job: Mapping[str, Any], pods: Sequence[Mapping[str, Any]], now_ms: int, *, suspend: bool
) -> ConditionState:
    """Return Complete of a run whose Job has not ended; a pod that cannot start would else pass for one that runs."""
    if suspend:
        return ConditionState("Complete", "False", RunReason.SUSPENDED)
    stuck = next((found for pod in pods if (found := _stuck(pod))), None)
    if stuck is not None:
        return ConditionState("Complete", "False", *stuck)
    return _no_pod(job, now_ms) or ConditionState("Complete", "False", RunReason.RUNNING)


def _no_pod(job: Mapping[str, Any], now_ms: int) -> ConditionState | None:
    """Return that there is no pod; why, stands in the Job's Events alone, until its deadline is over."""
    status = job.get("status") or {}
    counts = [status.get(name, 0) for name in ("active", "ready", "succeeded", "failed", "terminating")]
    began = status.get("startTime")
    if began is None or any(counts) or now_ms - timestamp_ms(began) < _NO_POD_MS:
        return None
    name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
    command = f"kubectl get events -n {namespace} --field-selector involvedObject.name={name},reason=FailedCreate"
    return ConditionState("Complete", "False", RunReason.NO_POD, f"no pod since {began}; what refuses it: {command}")


def _stuck(pod: Mapping[str, Any]) -> tuple[Reason, str] | None:
    """Return why a pod does not start: (reason, message), None where it does."""
    status, name = pod.get("status") or {}, pod["metadata"]["name"]
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        if stuck := waiting_reason(container):
            reason, message = stuck
            return reason, f"pod {name}: {message}"
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return WorkloadReason.UNSCHEDULABLE, f"pod {name}: {condition.get('message', '')}"
    return None


def judged(
    item: RunItem, found: WindowResult | Finding, around: obstacles.RunContext, trouble: str = ""
) -> RunItemStatus:
    """Judge an item by the limit that its policy states now; without one there is nothing to judge by.

    `trouble` is that of the evaluator's container, which tells why samples failed.
    """
    asked = around.watches.get(item.endpoint, MonitoringPlan()).evaluations
    bound = next((one for one in asked if (one.policy, one.evaluation.name) == (item.policy, item.evaluation)), None)
    if bound is None:
        found = obstacles.of_item(item, around) or found
    scored = found.evaluator if isinstance(found, WindowResult) and found.revisions else None
    why = why_uncalibrated(bound.evaluator, scored) if bound else None
    status = item_status(item, found, rule_of(bound) if bound else _NO_RULE, why)
    failed = isinstance(found, WindowResult) and sum(found.revisions.values(), Counts()).failed
    if not trouble or not (failed or (isinstance(found, Finding) and found.reason == CheckReason.EVALUATOR_FAILING)):
        return status
    told = status.message if trouble in status.message else f"{status.message}; {trouble}"
    return status.model_copy(update={"message": told[:_MESSAGE_LIMIT], "cause": trouble[:_MESSAGE_LIMIT]})


def item_status(
    item: RunItem, found: WindowResult | Finding, rule: VerdictRule, uncalibrated: Finding | None = None
) -> RunItemStatus:
    """Judge one item by its own window alone; a Finding says why it has none.

    No result, or not one sample that could be judged: Error, never Passed. Too few, too close, or by an evaluator that
    may not alert, which is what `uncalibrated` says: Inconclusive.
    """

    def status(outcome: RunResult, samples: int, message: str) -> RunItemStatus:
        named = {"endpoint": item.endpoint, "policy": item.policy, "evaluation": item.evaluation}
        return RunItemStatus(**named, result=outcome, samples=samples, message=message[:_MESSAGE_LIMIT])

    if isinstance(found, Finding):
        return status("Error", 0, f"{found.reason}: {found.message}")
    counts = sum(found.revisions.values(), Counts())
    if counts.failed and not counts.samples:
        return status("Error", 0, f"all {counts.failed} samples failed in {found.evaluator.name}")
    if found.tests:
        most = max(found.tests, key=lambda test: test.samples)
        verdict = decide_change(found, most, rule, "Warning")
    else:
        verdict = decide(counts, found.evaluator, rule, missing=found.reason)
    if verdict.reason == CheckReason.EVALUATOR_FAILING:
        return status("Error", verdict.samples, verdict.message)
    if uncalibrated:
        return status("Inconclusive", verdict.samples, f"{uncalibrated.reason}: {uncalibrated.message}")
    outcome: RunResult = "Inconclusive" if verdict.verdict == "Unknown" else verdict.verdict
    return status(outcome, verdict.samples, f"{verdict.reason}: {verdict.message}")


def lost(trouble: str, *, again: bool) -> Finding:
    """Return that a Job left no result; `trouble` is what kept its pod from starting, if anything did."""
    following = "it is due again" if again else "make another EvaluationRun"
    return Finding(
        RunReason.RESULT_LOST, f"the Job ended without a result; {following}" + (f"; {trouble}" if trouble else "")
    )


def summed_up(items: Sequence[RunItemStatus]) -> tuple[RunResult, str]:
    """Return the run's result, the worst of its items', and how they ended: all but good ones by name."""
    counted = Counter(item.result for item in items)
    worst: RunResult = next((result for result in _PRECEDENCE if counted[result]), "Inconclusive")
    told = [_told(result, [item for item in items if item.result == result]) for result in _PRECEDENCE]
    return worst, "; ".join(part for part in told if part)[:_MESSAGE_LIMIT]


def _told(result: RunResult, items: Sequence[RunItemStatus]) -> str:
    if not items:
        return ""
    if result == "Passed":
        return f"{len(items)} passed"
    more = f" and {len(items) - 1} more" if len(items) > 1 else ""
    return f"{_WORD[result]}: {items[0].evaluation} of {items[0].endpoint}{more}"


def finished(status: EvaluationRunStatus) -> bool:
    """Return whether the run has ended, one way or the other."""
    return status.result is not None


def run_status(
    run: EvaluationRun,
    state: ConditionState,
    now_ms: int,
    *,
    job: str,
    result: RunResult | None = None,
    message: str = "",
    items: tuple[RunItemStatus, ...] = (),
) -> EvaluationRunStatus:
    """Return the whole status; `job` is empty before the run has one, `message` that of the state where left out."""
    return EvaluationRunStatus(
        observed_generation=run.metadata.generation,
        result=result,
        message=(message or state.message)[:_MESSAGE_LIMIT],
        samples=sum(item.samples for item in items),
        job=job,
        start_time=run.status.start_time or timestamp(now_ms),
        completion_time=timestamp(now_ms) if state.status == "True" else None,
        items=items,
        conditions=settle([state], run.status.conditions, run.metadata.generation, now_ms),
    )
