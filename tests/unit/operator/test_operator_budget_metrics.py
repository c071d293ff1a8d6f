"""What judges spend, as Prometheus reads it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from modelward.api.budget import BudgetLimits, BudgetState, Spend
from modelward.operator.hub.budgets import BudgetFeed
from modelward.operator.observe.budget_metrics import BudgetMetrics


def page(limits: BudgetLimits, state: BudgetState | None) -> list[str]:
    registry, key = CollectorRegistry(), ("retail", "brand")
    BudgetMetrics(registry, BudgetFeed(states={key: state} if state else {}, limits={key: limits}))
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_tokens_by_evaluator_and_what_is_left_of_the_day() -> None:
    state = BudgetState("retail", "brand", 1, Spend(700), evaluators={"tone": 5_000, "other": 3})
    assert page(BudgetLimits(tokens=1_000), state) == [
        'modelward_judge_tokens_total{evaluator="tone",namespace="retail",policy="brand"} 5000.0',
        'modelward_judge_tokens_total{evaluator="other",namespace="retail",policy="brand"} 3.0',
        'modelward_judge_budget_remaining_tokens{namespace="retail",policy="brand"} 300.0',
    ]


def test_a_lost_day_has_nothing_left_and_what_is_not_known_no_series() -> None:
    lost = BudgetState("retail", "brand", 1, Spend(0), lost=True)
    assert page(BudgetLimits(tokens=1_000), lost)[-1].endswith(" 0.0")
    assert page(BudgetLimits(cost=5, currency="USD"), lost) == []
    assert page(BudgetLimits(tokens=1_000), None) == []
