"""How an EvaluationRun ended, told from the results that its Job left in the hub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from modelward.api.evaluation import Counts, WindowResult
from modelward.api.evaluationrun import EvaluationRunStatus, RunItemStatus, RunResult
from modelward.evaluate.verdict import Rule, decide

_PRECEDENCE: tuple[RunResult, ...] = ("Error", "Failed", "Inconclusive", "Passed")


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
    """Return the run's result, the worst of its items', and how many ended how."""
    counted = Counter(item.result for item in items)
    worst: RunResult = next((result for result in _PRECEDENCE if counted[result]), "Inconclusive")
    return worst, ", ".join(f"{counted[result]} {result}" for result in _PRECEDENCE if counted[result])


def finished(status: EvaluationRunStatus) -> bool:
    """Tell whether the run has ended, one way or the other."""
    return status.result is not None
