"""What is left of an evaluation's error budget: of the answers that a period allows to be at fault, by those scored."""

from __future__ import annotations

from dataclasses import dataclass, field

from modelward.api.check_status import EvaluationBudgetStatus
from modelward.api.evaluation import Counts, EvaluatorFacts
from modelward.api.quantity import PPM, duration_ms, limit_millionths, limit_text, percent_text, timestamp
from modelward.desired.monitoring_plan import BoundEvaluation
from modelward.evaluate.calibration.in_force import why_uncalibrated
from modelward.evaluate.evidence import share_flagged
from modelward.evaluate.interval import Interval
from modelward.evaluate.obstacles import usable
from modelward.status.error_budget import SEEN_ENOUGH_PPM


@dataclass(frozen=True, slots=True)
class ScoredPeriod:
    """What an evaluation found over its period, and which share of it ago that was first; `problem` says why not."""

    counts: Counts = field(default_factory=Counts)
    seen_ppm: int = 0
    problem: str = ""


def evaluation_budget(
    bound: BoundEvaluation,
    found: ScoredPeriod | None,
    scored: EvaluatorFacts | None,
    before: EvaluationBudgetStatus | None,
    now_ms: int,
) -> EvaluationBudgetStatus | None:
    """Return the row of status; None where the evaluation has no budget. Without an answer what was said before stays.

    `scored` are the facts of the evaluator that scored last: with its error rates the share of the period is corrected.
    """
    asked = bound.evaluation
    if asked.budget is None or asked.fail_above is None:
        return None
    row = EvaluationBudgetStatus(policy=bound.policy, evaluation=asked.name, period=asked.budget.period)
    if found is None:
        if before is not None and before.period == row.period:
            return before
        return row.model_copy(update={"message": "the history is not known yet"})
    seen = percent_text(found.seen_ppm)
    row = row.model_copy(update={"seen": seen, "samples": found.counts.samples})
    facts = scored or (bound.evaluator.facts if bound.evaluator else None)
    if told := _unknown(bound, found, facts):
        return row.model_copy(update={"message": told})
    rates = usable(facts) if facts else None
    if rates is None:
        return row.model_copy(update={"message": "the error rates of the evaluator are not known well enough"})
    since = before.exhausted_at if before is not None else ""
    share = share_flagged(found.counts, rates).interval
    return _estimated(row, share, limit_millionths(asked.fail_above) / PPM, since or timestamp(now_ms))


def _estimated(row: EvaluationBudgetStatus, share: Interval, limit: float, since: str) -> EvaluationBudgetStatus:
    """Return what is left where `share` is at fault; `since` is when it was surely spent, where it is."""
    spent, most, least = (value / limit for value in (share.value, share.high, share.low))
    return row.model_copy(
        update={
            "spent": _percent(spent),
            "remaining": _percent(1 - spent),
            "low": _percent(1 - most),
            "high": _percent(1 - least),
            "exhausted_at": since if least >= 1 else "",
        }
    )


def _unknown(bound: BoundEvaluation, found: ScoredPeriod, facts: EvaluatorFacts | None) -> str:
    """Return why it is not known what is left; empty where it may be."""
    asked = bound.evaluation
    hours = duration_ms(asked.budget.period) // 3_600_000 if asked.budget else 0
    if bound.problem is not None:
        return bound.problem.message
    if found.problem:
        return found.problem
    if uncalibrated := why_uncalibrated(bound.evaluator, facts):
        return uncalibrated.message
    if found.counts.samples < asked.min_samples:
        return f"{found.counts.samples} of {asked.min_samples} samples"
    if found.seen_ppm < SEEN_ENOUGH_PPM:
        needed = limit_text(SEEN_ENOUGH_PPM)
        return f"it was scored first {percent_text(found.seen_ppm)} of {hours}h ago, {needed} is needed"
    return ""


def _percent(share: float) -> str:
    """Return a share in whole percent, with a sign below 0."""
    ppm = round(share * 100) * (PPM // 100)
    return f"-{percent_text(-ppm)}" if ppm < 0 else percent_text(ppm)
