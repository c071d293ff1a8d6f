"""What is left of an objective's error budget: of the requests that a period allows to be over the bound."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.check_status import ErrorBudgetStatus
from modelward.api.quantity import PPM, duration_ms, limit_text, percent_text, timestamp
from modelward.desired.monitoring_plan import BoundObjective
from modelward.status.burn import Burn
from modelward.status.objective_events import allowance_ppm

SEEN_ENOUGH_PPM = 500_000
"""Of a period of which less was watched it is not known what is left."""


@dataclass(frozen=True, slots=True)
class PeriodSums:
    """What an objective counted over its period, and the share of the period that was watched; `problem` says why not.

    No sums where nothing is known.
    """

    events: int = 0
    bad: int = 0
    seen_ppm: int = 0
    problem: str = ""


def error_budget(
    bound: BoundObjective, sums: PeriodSums | None, burn: Burn, before: ErrorBudgetStatus | None, now_ms: int
) -> ErrorBudgetStatus | None:
    """Return the row of status; None where the objective has no budget. Without sums what was said before stays."""
    budget = bound.objective.budget
    if budget is None:
        return None
    spent, left, seen, message = _left(bound, sums)
    exhausted = left.startswith("-") or left == "0%"
    since = (before.exhausted_at if before and before.exhausted_at else timestamp(now_ms)) if exhausted else ""
    row = ErrorBudgetStatus(
        policy=bound.policy,
        objective=bound.objective.name,
        period=budget.period,
        spent=spent,
        remaining=left,
        burn="" if burn.rate is None else f"{burn.rate:.2g}x" if burn.rate < 10 else f"{burn.rate:.0f}x",
        burning=burn.burning,
        exhausted_at=since,
        seen=seen,
        message=burn.message or message,
    )
    if sums is None and before is not None and before.period == budget.period:
        kept = {"spent", "remaining", "seen", "exhausted_at"}
        return row.model_copy(update={name: getattr(before, name) for name in kept} | {"message": before.message})
    return row


def _left(bound: BoundObjective, sums: PeriodSums | None) -> tuple[str, str, str, str]:
    """Return what is spent, what remains, how much was seen, and why that is unknown."""
    period = duration_ms(bound.objective.budget.period) if bound.objective.budget else 0
    if sums is None:
        return "", "", "", "the history is not known yet"
    seen = percent_text(sums.seen_ppm)
    if sums.problem:
        return "", "", seen, sums.problem
    if sums.seen_ppm < SEEN_ENOUGH_PPM:
        return "", "", seen, f"{seen} of {period // 3_600_000}h was watched, {limit_text(SEEN_ENOUGH_PPM)} is needed"
    allowed = sums.events * allowance_ppm(bound.objective) / PPM
    spent = sums.bad / allowed if allowed else 0.0
    left_ppm = round((1 - spent) * 100) * (PPM // 100)
    remaining = f"-{percent_text(-left_ppm)}" if left_ppm < 0 else percent_text(left_ppm)
    return percent_text(round(spent * 100) * (PPM // 100)), remaining, seen, ""
