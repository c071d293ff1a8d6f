"""A budget of money: over it as soon as that is sure, within it only where all is known."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from modelward.api.budget import COST_UNITS, DAY_MS
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.reasons.policy import BudgetReason
from modelward.reasons.reason import Reason
from modelward.status.conditions import ConditionState
from modelward.status.spend import EndpointSpend, spend_condition, spend_status, spending_in, worst_of

DAY = 20_784
"""27 November 2026."""
NOW = DAY * DAY_MS


def policy(status: Any = None, **budget: str) -> MonitoringPolicy:
    limits = {name: {"amount": amount, "currency": "USD"} for name, amount in budget.items()}
    return MonitoringPolicy.model_validate(
        {
            "metadata": {"name": "p", "namespace": "retail"},
            "spec": {"endpointSelector": {}, **({"budget": limits} if limits else {})},
            "status": {"spend": status} if status else {},
        }
    )


def endpoint(measured: str = "True") -> LLMEndpoint:
    condition = {"type": "MetricsAvailable", "status": measured, "reason": "R", "lastTransitionTime": ""}
    return LLMEndpoint.model_validate(
        {
            "metadata": {"name": "chat", "namespace": "retail"},
            "spec": {"backend": {"external": {"url": "https://api.example.com"}}},
            "status": {"conditions": [condition]},
        }
    )


def spent(day: int = 0, month: int = 0, **more: Any) -> EndpointSpend:
    return EndpointSpend(DAY, day * COST_UNITS, month * COST_UNITS, "USD", **more)


def told(asked: MonitoringPolicy, spending: EndpointSpend, *endpoints: LLMEndpoint) -> tuple[str, str, str]:
    [state] = spend_condition(asked, endpoints, spending)
    return state.status, state.reason, state.message


def test_it_is_over_once_the_known_cost_is_whatever_is_unknown_beside_it() -> None:
    asked = policy(costPerDay="5", costPerMonth="100.00")
    assert told(asked, spent(3, 40), endpoint()) == (
        "True", "WithinBudget", "3.00 of 5 USD spent today, 40.00 of 100.00 USD spent this month",
    )  # fmt: skip
    assert told(asked, spent(5, 40, unknown="model m of chat"), endpoint("Unknown"))[:2] == ("False", "OverBudget")
    assert told(asked, spent(1, 100))[2] == "100.00 of 100.00 USD spent this month"


def test_what_has_no_price_or_no_numbers_makes_it_unknown_and_never_zero() -> None:
    asked = policy(costPerDay="5")
    unknown = spent(1, 1, unknown="model m of chat, which has no price")
    assert told(asked, unknown, endpoint()) == (
        "Unknown", "PriceUnknown", "1.00 of 5 USD spent today; not in it: model m of chat, which has no price",
    )  # fmt: skip
    assert told(asked, spent(), endpoint("Unknown"))[:2] == ("Unknown", "NumbersMissing")
    foreign = spent(unknown="chat, in another currency", why=BudgetReason.CURRENCY_DIFFERS)
    assert told(asked, foreign, endpoint())[:2] == ("Unknown", "CurrencyDiffers")


def test_a_policy_without_a_budget_of_money_says_nothing() -> None:
    assert spend_condition(policy(), [], spent()) == ()
    assert spend_status(policy(), spent(1)) is None


def test_a_new_day_begins_at_nothing_and_a_new_month_too() -> None:
    assert spent(3, 40).at(NOW + DAY_MS - 1) == spent(3, 40)
    assert (spent(3, 40).at(NOW + DAY_MS).of_day, spent(3, 40).at(NOW + DAY_MS).of_month) == (0, 40 * COST_UNITS)
    assert spent(3, 40).at(NOW + 4 * DAY_MS).of_month == 0, "the first of December"


def test_an_idle_policy_keeps_what_its_status_says() -> None:
    written = spend_status(policy(costPerDay="5"), spent(3, 40))
    assert written is not None
    again = policy(written.wire(), costPerDay="5")
    for days in (1, 2, 40):
        assert spend_status(again, spent(3, 40).at(NOW + days * DAY_MS)) == written


@given(st.integers(0, 10**20), st.integers(0, 10**24), st.booleans())
def test_another_leader_goes_on_from_what_the_status_says(day: int, more: int, lost: bool) -> None:
    spending = EndpointSpend(DAY, day, day + more, "USD", "model m" if lost else "")
    read = spending_in(spend_status(policy(costPerDay="5"), spending))
    assert read is not None
    assert (read.day, read.currency, read.unknown) == (DAY, "USD", spending.unknown)
    assert 0 <= read.of_day - day < COST_UNITS // 10**6, "rounded up to what a status can hold, never down"
    assert 0 <= read.of_month - day - more < COST_UNITS // 10**6


def test_judges_and_endpoints_share_one_condition_the_worse_one() -> None:
    good = ConditionState("WithinBudget", "True", Reason("WithinBudget"), "5 of 9 tokens spent today")
    bad = ConditionState("WithinBudget", "False", Reason("OverBudget"), "9.00 of 5 USD spent today")
    [both] = worst_of((good, bad))
    assert (both.status, both.reason) == ("False", "OverBudget")
    assert both.message == "9.00 of 5 USD spent today; 5 of 9 tokens spent today"
    assert worst_of(()) == ()
