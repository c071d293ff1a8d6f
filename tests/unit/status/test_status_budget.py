"""What a policy says of its budget, and what the hub goes on from where it lost its ledger."""

from __future__ import annotations

from typing import Any

import pytest

from modelward.api.budget import COST_UNITS, DAY_MS, BudgetState, Spend, SpentSoFar
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.policy_status import BudgetStatus
from modelward.status.budget import budget_condition, budget_status, seen_in

DAY = 20_784
BUDGET = {"judgeTokensPerDay": 1_000, "judgeCostPerDay": {"amount": "5.00", "currency": "USD"}, "perRun": "25%"}


def policy(status: Any = None) -> MonitoringPolicy:
    return MonitoringPolicy.model_validate(
        {
            "metadata": {"name": "p", "namespace": "retail"},
            "spec": {"endpointSelector": {}, "budget": BUDGET},
            "status": {"budget": status} if status else {},
        }
    )


def state(tokens: int = 0, **changes: Any) -> BudgetState:
    return BudgetState("retail", "p", DAY, Spend(tokens, COST_UNITS // 8), **changes)


def told(found: BudgetState) -> tuple[str, str, str]:
    [condition] = budget_condition(policy(), found)
    return condition.status, condition.reason, condition.message


def test_status_shows_what_is_spent_and_left_and_the_hub_goes_on_from_it() -> None:
    shown = budget_status(policy(), state(400), DAY * DAY_MS)
    assert shown is not None
    assert (shown.day, shown.tokens_spent, shown.tokens_left) == ("2026-11-27", 400, 600)
    assert (shown.cost_spent, shown.cost_left, shown.currency) == ("0.125", "4.875", "USD")
    assert seen_in(shown) == SpentSoFar(DAY, Spend(400, COST_UNITS // 8))


def test_a_new_budget_is_in_the_status_before_anything_is_spent_and_stays_while_the_hub_is_silent() -> None:
    shown = budget_status(policy(), None, DAY * DAY_MS)
    assert seen_in(shown) == SpentSoFar(DAY, Spend())
    before = {"day": "2026-11-26", "tokensSpent": 7}
    assert budget_status(policy(before), None, DAY * DAY_MS) == BudgetStatus(day="2026-11-26", tokens_spent=7)
    assert seen_in(None) is None


def test_a_status_that_cannot_be_read_is_no_status_of_today() -> None:
    for broken in ({"day": "yesterday"}, {"day": "2026-11-27", "costSpent": "free"}):
        seen = seen_in(BudgetStatus.model_validate(broken))
        assert seen is not None
        assert seen.day != DAY


def test_a_lost_ledger_shows_a_day_that_is_spent() -> None:
    shown = budget_status(policy(), state(3, lost=True), DAY * DAY_MS)
    assert shown is not None
    assert (shown.tokens_left, shown.cost_left) == (0, "0.00")
    assert told(state(3, lost=True))[:2] == ("False", "BudgetExhausted")


@pytest.mark.parametrize(
    ("found", "status", "reason", "part"),
    [
        (state(400), "True", "WithinBudget", "400 of 1000 tokens, 0.125 of 5.00 USD spent today"),
        (state(400, unreported=3), "True", "UsageNotReported", "3 answers without usage"),
        (state(990, refused=4, unreported=3), "False", "BudgetExhausted", "refused 4 times"),
    ],
)
def test_the_condition_has_the_numbers(found: BudgetState, status: str, reason: str, part: str) -> None:
    assert told(found)[:2] == (status, reason)
    assert part in told(found)[2]
