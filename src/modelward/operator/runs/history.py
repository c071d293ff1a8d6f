"""What became of earlier runs: what the scheduled ones of a namespace took, and how a Job ended."""

from __future__ import annotations

from collections.abc import Sequence

from modelward.api.evaluationrun import EvaluationRun
from modelward.api.quantity import timestamp_ms
from modelward.desired import runs
from modelward.desired.due import WindowKey
from modelward.desired.reopen import KeyedWindow
from modelward.kube.kinds import Object
from modelward.operator.runs.prune import scheduled


def _end_ms(run: EvaluationRun, now_ms: int) -> int:
    """Return where the newest windows of a scheduled run end; 0 of one that a clock made which was set back since."""
    end_ms = max((timestamp_ms(item.to) for item in run.spec.items or ()), default=0) if scheduled(run) else 0
    return end_ms if end_ms <= now_ms else 0


def tried(known: Sequence[EvaluationRun], now_ms: int) -> dict[WindowKey, int]:
    """Return where the newest window ended that a scheduled run took of each evaluation, with or without a result."""
    ends: dict[WindowKey, int] = {}
    for run in known:
        end_ms = _end_ms(run, now_ms)
        for item in (run.spec.items or ()) if end_ms else ():
            key = (item.endpoint, item.policy, item.evaluation)
            ends[key] = max(ends.get(key, 0), timestamp_ms(item.to))
    return ends


def full(known: Sequence[EvaluationRun], now_ms: int) -> frozenset[str]:
    """Return the parts whose newest scheduled run took as much as a run can."""
    newest = {
        runs.part_of_run(run.metadata.name): run
        for run in sorted(known, key=lambda run: _end_ms(run, now_ms))
        if scheduled(run)
    }
    return frozenset(part for part, run in newest.items() if len(run.spec.items or ()) >= runs.MAX_ITEMS)


def job_ended(job: Object | None) -> tuple[bool, str]:
    """Return whether a run's Job has ended, and how."""
    if job is None:
        return True, "the Job is gone"
    for condition in job.get("status", {}).get("conditions", []):
        if condition["status"] == "True" and condition["type"] in ("Complete", "Failed"):
            return True, f"Job {condition['type']}: {condition.get('message', '')}".rstrip(": ")
    return False, ""


def taken(known: Sequence[EvaluationRun]) -> dict[KeyedWindow, int]:
    """Return when a scheduled run last took each window, with or without a result."""
    last: dict[KeyedWindow, int] = {}
    for run in known:
        begun = runs.begun_ms(run.metadata.name) or 0
        for item in run.spec.items or ():
            key = (item.endpoint, item.policy, item.evaluation)
            window = (key, timestamp_ms(item.from_), timestamp_ms(item.to))
            last[window] = max(begun, last.get(window, 0))
    return last
