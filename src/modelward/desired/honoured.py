"""What a policy asks and what is kept to answer it: an object stored by an earlier version may not fit."""

from __future__ import annotations

from modelward.api.policy_evaluation import EVALUATION_OVER_MAX_MS, Evaluation
from modelward.api.policy_objective import OBJECTIVE_OVER_MAX_MS, PolicyObjective
from modelward.api.quantity import duration_ms, duration_text
from modelward.api.run_plan import MAX_SAMPLES
from modelward.desired.capture import EffectiveCapture
from modelward.desired.finding import Finding
from modelward.reasons.checks import CheckReason


def objective(asked: PolicyObjective) -> Finding | None:
    """Return why an objective is not decided: on less than it asks for, a verdict would be one on something else."""
    return _too_long(f"objective {asked.name}", asked.over, OBJECTIVE_OVER_MAX_MS, "readings are kept for an hour")


def evaluation(asked: Evaluation, capture: EffectiveCapture) -> Finding | None:
    """Return why an evaluation cannot be decided, or only on a part of the exchanges that it asks for."""
    named = f"evaluation {asked.name}"
    return (
        _too_long(named, asked.over, EVALUATION_OVER_MAX_MS, "results are kept for a day")
        or _too_many(named, asked)
        or _kept_too_short(named, asked, capture)
    )


def _too_long(named: str, over: str, most_ms: int, why: str) -> Finding | None:
    if duration_ms(over) <= most_ms:
        return None
    return Finding(
        CheckReason.VALUE_OUT_OF_RANGE, f"over {over} of {named} is above {most_ms // 3_600_000}h: {why}; write less"
    )


def _too_many(named: str, asked: Evaluation) -> Finding | None:
    most = MAX_SAMPLES * (duration_ms(asked.over) // 1_000) // max(1, duration_ms(asked.every) // 1_000)
    if asked.min_samples <= most:
        return None
    why = f"is above {most}, which is all that batches every {asked.every} score over {asked.over}; write less"
    return Finding(CheckReason.VALUE_OUT_OF_RANGE, f"minSamples {asked.min_samples} of {named} {why}")


def _kept_too_short(named: str, asked: Evaluation, capture: EffectiveCapture) -> Finding | None:
    if capture.content == "None" or duration_ms(asked.every) <= capture.keep_for_ms:
        return None
    kept = duration_text(capture.keep_for_ms)
    return Finding(
        CheckReason.KEPT_TOO_SHORT, f"every {asked.every} of {named} is above keepFor {kept}, which is in force"
    )
