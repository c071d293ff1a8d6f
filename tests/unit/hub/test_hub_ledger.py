"""The ledger by itself: whatever is asked in whatever order, the limits hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.budget import BudgetLimits, Spend, SpendRequest, SpentSoFar
from modelward.hub.ledger import MAX_OPEN, Ledger, ledger_from_json, ledger_to_json, opened, reserve, rolled, settle

LIMITS = BudgetLimits(tokens=1_000, cost=5_000, currency="USD", per_run_ppm=500_000)


def asked(key: str = "key-0001", **changes: Any) -> SpendRequest:
    return replace(SpendRequest(key, "run-a", "brand", 100, 200, "USD"), **changes)


ASKS = st.builds(
    asked,
    key=st.integers(0, 30).map(lambda n: f"key-{n:04}"),
    run=st.sampled_from(["run-a", "run-b", "run-c"]),
    tokens=st.integers(0, 600),
    cost=st.none() | st.integers(0, 3_000),
    currency=st.sampled_from(["USD", "USD", "EUR"]),
)
STEPS = st.lists(
    ASKS
    | st.tuples(st.integers(0, 30).map(lambda n: f"key-{n:04}"), st.none() | st.integers(0, 100))
    | st.integers(0, 2),
    max_size=60,
)


@given(STEPS)
def test_no_order_of_requests_answers_and_days_passes_the_limits(steps: list[object]) -> None:
    ledger, granted = Ledger(0), dict[str, SpendRequest]()
    for step in steps:
        match step:
            case SpendRequest():
                ledger, decision = reserve(ledger, step, LIMITS)
                if decision.refusal is None:
                    granted.setdefault(step.key, step)
            case (str(key), used):
                part = granted.get(key)
                used_spend = None if used is None or part is None else _share(part, int(str(used)))
                ledger = settle(ledger, key, used_spend)
            case int(days):
                ledger = rolled(ledger, ledger.day + days)
                granted = granted if not days else {}
        assert LIMITS.admits(ledger.total)
        assert all(LIMITS.of_run().admits(spend) for spend in ledger.runs.values())
        assert ledger_from_json(orjson.loads(orjson.dumps(ledger_to_json(ledger)))) == ledger


def _share(part: SpendRequest, percent: int) -> Spend:
    return Spend(part.tokens * percent // 100, (part.cost or 0) * percent // 100)


def test_a_request_that_comes_again_is_granted_again_and_spends_nothing_more() -> None:
    ledger, _ = reserve(Ledger(0), asked(), LIMITS)
    again, decision = reserve(ledger, asked(), LIMITS)
    assert decision.refusal is None
    assert again.total == Spend(100, 200)
    settled = settle(settle(again, "key-0001", Spend(7, 9)), "key-0001", Spend(50, 50))
    late, decision = reserve(settled, asked(), LIMITS)
    assert decision.refusal is None
    assert late.total == Spend(7, 9)
    assert late.evaluators == {"brand": 7}


def test_an_answer_without_usage_spends_its_worst_case_and_is_counted() -> None:
    ledger, _ = reserve(Ledger(0), asked(), LIMITS)
    ledger = settle(ledger, "key-0001", None)
    assert (ledger.total, ledger.unreported) == (Spend(100, 200), 1)


def test_one_run_spends_its_part_and_another_one_still_has_its_own() -> None:
    ledger = Ledger(0)
    for number in range(5):
        ledger, decision = reserve(ledger, asked(f"key-a{number:04}"), LIMITS)
        assert decision.refusal is None
    ledger, decision = reserve(ledger, asked("key-a0005"), LIMITS)
    assert decision.refusal == "BudgetExhausted"
    assert "perRun" in decision.message
    ledger, decision = reserve(ledger, asked("key-b0000", run="run-b"), LIMITS)
    assert decision.refusal is None


def test_a_cap_on_cost_refuses_what_has_no_price_or_another_currency() -> None:
    for cost, currency in ((None, ""), (5, "EUR")):
        ledger, decision = reserve(Ledger(0), asked(cost=cost, currency=currency), LIMITS)
        assert decision.refusal == "PriceUnknown"
        assert ledger.total == Spend()
    _, decision = reserve(Ledger(0), asked(cost=None), BudgetLimits(tokens=1_000))
    assert decision.refusal is None


def test_a_lost_ledger_goes_on_from_the_status_and_else_the_day_is_spent() -> None:
    assert opened(9, SpentSoFar(9, Spend(700, 0))).total == Spend(700, 0)
    lost = opened(9, SpentSoFar(8, Spend(700, 0)))
    assert reserve(lost, asked(), LIMITS)[1].refusal == "BudgetExhausted"
    assert reserve(rolled(lost, 10), asked(), LIMITS)[1].refusal is None
    assert opened(9, None).total == Spend()


def test_a_clock_that_goes_back_gives_no_day_twice() -> None:
    ledger, _ = reserve(Ledger(9), asked(), LIMITS)
    assert rolled(ledger, 8) == ledger


def test_requests_that_never_end_count_as_spent_and_take_no_more_room() -> None:
    ledger = Ledger(0)
    free = BudgetLimits(tokens=10**9)
    for number in range(3 * MAX_OPEN):
        ledger, _ = reserve(ledger, asked(f"key-{number:06}", run=f"run-{number}"), free)
    assert len(ledger.open) == MAX_OPEN
    assert ledger.total.tokens == 3 * MAX_OPEN * 100
    assert len(orjson.dumps(ledger_to_json(ledger))) < 100_000
