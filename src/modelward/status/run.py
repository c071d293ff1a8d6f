"""How an EvaluationRun ended, told from the results that its Job left in the hub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from modelward.api.evaluation import Counts, WindowResult
from modelward.api.evaluationrun import EvaluationRunStatus, RunItemStatus, RunResult
from modelward.api.quantity import timestamp_ms
from modelward.evaluate.verdict import Rule, decide
from modelward.status.conditions import State

_MESSAGE_LIMIT = 256
_WORD: Mapping[RunResult, str] = {"Error": "no result", "Failed": "failed", "Inconclusive": "undecided"}
_PRECEDENCE: tuple[RunResult, ...] = ("Error", "Failed", "Inconclusive", "Passed")


_NO_POD_MS = 30_000


def running_state(run: str, job: Mapping[str, Any] | None, now_ms: int, *, suspend: bool) -> State:
    """Return Complete of a run whose Job has not ended.

    A Job whose pods are refused says so in its Events alone, until its deadline is over.
    """
    if suspend:
        return State("Complete", "False", "Suspended")
    status = (job or {}).get("status") or {}
    counts = [status.get(name, 0) for name in ("active", "ready", "succeeded", "failed", "terminating")]
    began = status.get("startTime")
    if began is None or any(counts) or now_ms - timestamp_ms(began) < _NO_POD_MS:
        return State("Complete", "False", "Running")
    message = f"Job {run} has no pod since {began}; its Events (reason FailedCreate) say what refuses it"
    return State("Complete", "False", "NoPod", message)


def item_status(endpoint: str, policy: str, evaluation: str, result: WindowResult | None, rule: Rule) -> RunItemStatus:
    """Judge one item by its own window alone.

    No result, or not one sample that could be judged: Error, never Passed. Too few or too close: Inconclusive.
    """

    def status(outcome: RunResult, samples: int, message: str) -> RunItemStatus:
        return RunItemStatus(
            endpoint=endpoint, policy=policy, evaluation=evaluation, result=outcome, samples=samples, message=message
        )

    if result is None:
        return status("Error", 0, "ResultLost: the Job ended without a result; it is due again")
    counts = sum(result.revisions.values(), Counts())
    if counts.failed and not counts.samples:
        return status("Error", 0, f"all {counts.failed} samples failed in {result.evaluator.name}")
    verdict = decide(counts, result.evaluator, rule, missing=result.reason)
    if verdict.reason == "EvaluatorFailing":
        return status("Error", verdict.samples, verdict.message)
    outcome: RunResult = "Inconclusive" if verdict.verdict == "Unknown" else verdict.verdict
    return status(outcome, verdict.samples, f"{verdict.reason}: {verdict.message}"[:256])


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
    """Tell whether the run has ended, one way or the other."""
    return status.result is not None
