"""What judges have spent of a policy's budget, between the hub's ledger and the policy's status."""

from __future__ import annotations

from datetime import date, timedelta

from modelward.api.budget import COST_UNITS, BudgetLimits, BudgetState, Spend, SpentSoFar, day_of
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.policy_budget import Budget
from modelward.api.policy_status import BudgetStatus
from modelward.api.quantity import PPM, money_millionths, money_text, percent_ppm
from modelward.reasons.policy import BudgetReason
from modelward.status.conditions import ConditionState

_UNITS = COST_UNITS // PPM
"""Units of cost in a millionth of a currency's unit."""
_EPOCH = date(1970, 1, 1)


def limits_of(budget: Budget) -> BudgetLimits:
    """Return the limits as the hub computes with them."""
    cost = budget.judge_cost_per_day
    return BudgetLimits(
        budget.judge_tokens_per_day,
        money_millionths(cost.amount) * _UNITS if cost else None,
        cost.currency if cost else "",
        percent_ppm(budget.per_run),
    )


def seen_in(status: BudgetStatus | None) -> SpentSoFar | None:
    """Return what a status says was spent; None where it never had a budget.

    A status that cannot be read counts as one of another day, of which this day's spending is not known.
    """
    if status is None:
        return None
    try:
        day = (date.fromisoformat(status.day) - _EPOCH).days
        cost = money_millionths(status.cost_spent) * _UNITS if status.cost_spent else 0
    except ValueError:
        return SpentSoFar(0, Spend())
    return SpentSoFar(max(0, day), Spend(max(0, status.tokens_spent), cost))


def budget_status(policy: MonitoringPolicy, state: BudgetState | None, now_ms: int) -> BudgetStatus | None:
    """Return what the status says of the budget; None where the policy has none.

    A budget stands in the status before the hub grants anything of it: the hub goes on from there where its ledger is
    lost. While the hub says nothing, what was there stays.
    """
    if policy.spec.budget is None or not policy.spec.budget.bounds_judges:
        return None
    limits = limits_of(policy.spec.budget)
    if state is None:
        return policy.status.budget or _shown(limits, day_of(now_ms), Spend())
    spend = Spend(limits.tokens or 0, limits.cost or 0) if state.lost else state.spend
    shown = _shown(limits, state.day, spend)
    return shown.model_copy(update={"unreported": state.unreported, "refused": state.refused})


def _shown(limits: BudgetLimits, day: int, spend: Spend) -> BudgetStatus:
    left = None if limits.cost is None else max(0, limits.cost - spend.cost)
    return BudgetStatus(
        day=(_EPOCH + timedelta(days=day)).isoformat(),
        tokens_spent=spend.tokens,
        tokens_left=None if limits.tokens is None else max(0, limits.tokens - spend.tokens),
        cost_spent=money_text(-(-spend.cost // _UNITS)) if limits.cost is not None or spend.cost else "",
        cost_left="" if left is None else money_text(left // _UNITS),
        currency=limits.currency,
    )


def budget_condition(policy: MonitoringPolicy, state: BudgetState | None) -> tuple[ConditionState, ...]:
    """Return WithinBudget, where there is a budget and the hub says what was spent of it."""
    if policy.spec.budget is None or not policy.spec.budget.bounds_judges or state is None:
        return ()
    limits = limits_of(policy.spec.budget)
    told = _numbers(limits, state.spend)
    if state.lost:
        message = "the hub's ledger was lost, so this UTC day counts as spent"
        return (ConditionState("WithinBudget", "False", BudgetReason.BUDGET_EXHAUSTED, message),)
    if state.refused:
        message = f"{told}; judges were refused {state.refused} times today"
        return (ConditionState("WithinBudget", "False", BudgetReason.BUDGET_EXHAUSTED, message),)
    if state.unreported:
        message = f"{told}; {state.unreported} answers without usage count as the most that they could be"
        return (ConditionState("WithinBudget", "True", BudgetReason.USAGE_NOT_REPORTED, message),)
    return (ConditionState("WithinBudget", "True", BudgetReason.WITHIN_BUDGET, told),)


def _numbers(limits: BudgetLimits, spend: Spend) -> str:
    parts = [] if limits.tokens is None else [f"{spend.tokens} of {limits.tokens} tokens"]
    if limits.cost is not None:
        spent, most = (money_text(-(-cost // _UNITS)) for cost in (spend.cost, limits.cost))
        parts.append(f"{spent} of {most} {limits.currency}")
    return ", ".join(parts) + " spent today"
