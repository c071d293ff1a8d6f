"""Error budgets in status: what is left where enough is known, how fast it goes, and Unknown where it is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.check_status import ErrorBudgetStatus
from modelward.api.policy_objective import ErrorBudget, PolicyObjective
from modelward.desired.monitoring_plan import BoundObjective
from modelward.status.burn import STEP_MS, Burn, BurnStep, burn_of
from modelward.status.error_budget import PeriodSums, error_budget

NOW_MS = 1_795_480_000_000 // STEP_MS * STEP_MS
HOUR = 3_600_000 // STEP_MS
"""Steps of an hour."""
ASKED = PolicyObjective(name="errors", metric="ErrorRate", max_rate="1%", budget=ErrorBudget(period="672h"))
BOUND = BoundObjective("p", ASKED)


def steps(*runs: tuple[int, float, float]) -> list[BurnStep]:
    """Return runs of (steps, events, bad) in each, the last of which ends now."""
    every = [(events, bad) for count, events, bad in runs for _ in range(count)]
    return [BurnStep(NOW_MS - (len(every) - 1 - n) * STEP_MS, *one) for n, one in enumerate(every)]


def burning(*runs: tuple[int, float, float], **changes: Any) -> str:
    return burn_of(ASKED.model_copy(update=changes), steps(*runs), NOW_MS).burning


def test_a_third_failing_pages_and_one_of_three_requests_does_not() -> None:
    found = burn_of(ASKED, steps((12, 3_000, 0), (12, 3_000, 1_000)), NOW_MS)
    assert found.burning == "Fast"
    assert found.rate == pytest.approx(32.05, rel=0.05)
    assert found.message == "31% of 39000 requests in 1h are over the bound; the budget allows 1%"
    assert burning((6, 0, 0), (1, 3, 1), (5, 0, 0)) == "Unknown", "too few to say"


def test_an_outage_that_ended_no_longer_burns_fast_and_a_small_share_burns_slowly() -> None:
    assert burning((6 * HOUR, 3_000, 0), (2, 3_000, 3_000), (8, 3_000, 0)) == "No"
    assert burning((30 * HOUR, 3_000, 120)) == "Slow"
    assert burning((11 * HOUR, 3_000, 120)) == "No", "less than half a day was seen"


def test_an_allowance_that_could_not_burn_so_fast_is_capped() -> None:
    assert burning((12, 300, 300), max_rate="10%") == "Fast"
    assert burning((12, 300, 150), max_rate="10%") == "No"


def test_another_period_has_other_bounds() -> None:
    week = ErrorBudget(period="168h")
    assert burning((12, 3_000, 120)) == "No"
    assert burning((12, 3_000, 120), budget=week) == "Fast"
    assert burn_of(ASKED.model_copy(update={"budget": None}), steps((12, 300, 300)), NOW_MS) == Burn("Unknown")


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=40), st.integers(0, 39))
def test_more_bad_requests_never_burn_less(parts: list[tuple[int, int]], place: int) -> None:
    order = ["Unknown", "No", "Slow", "Fast"]
    found = steps(*((1, a + b, a) for a, b in parts))
    worse = [BurnStep(s.at_ms, s.events, s.events) if n == place else s for n, s in enumerate(found)]
    before, after = (order.index(burn_of(ASKED, some, NOW_MS).burning) for some in (found, worse))
    assert after >= before


def row(sums: PeriodSums | None, before: ErrorBudgetStatus | None = None) -> ErrorBudgetStatus:
    found = error_budget(BOUND, sums, Burn("No", 0.4), before, NOW_MS)
    assert found is not None
    return found


def test_what_is_left_is_what_bad_requests_leave_of_those_allowed() -> None:
    found = row(PeriodSums(events=1_000_000, bad=6_500, seen_ppm=910_000))
    assert (found.spent, found.remaining, found.seen, found.burn) == ("65%", "35%", "91%", "0.4x")
    assert (found.exhausted_at, found.message) == ("", "")


def test_a_spent_budget_says_since_when_and_by_how_much() -> None:
    first = row(PeriodSums(1_000, 12, 900_000))
    assert (first.remaining, first.exhausted_at) == ("-20%", "2026-11-24T00:25:00Z")
    again = error_budget(BOUND, PeriodSums(1_000, 13, 900_000), Burn("No"), first, NOW_MS + 3_600_000)
    assert again is not None
    assert (again.remaining, again.exhausted_at) == ("-30%", first.exhausted_at)
    assert row(PeriodSums(2_000, 13, 900_000), first).exhausted_at == ""


def test_of_a_period_that_was_hardly_watched_nothing_is_said() -> None:
    found = row(PeriodSums(1_000, 0, 499_999))
    assert (found.spent, found.remaining, found.seen) == ("", "", "50%")
    assert found.message == "50% of 672h was watched, 50% is needed"
    assert row(PeriodSums(problem="the history is damaged")).message == "the history is damaged"
    assert row(None).message == "the history is not known yet"


def test_while_the_hub_is_silent_what_was_said_stays_and_the_burn_goes_on() -> None:
    before = row(PeriodSums(1_000_000, 6_500, 910_000))
    kept = error_budget(BOUND, None, Burn("Fast", 15.0), before, NOW_MS)
    assert kept is not None
    assert (kept.remaining, kept.seen, kept.burning, kept.burn) == ("35%", "91%", "Fast", "15x")


def test_no_traffic_spends_nothing() -> None:
    assert row(PeriodSums(0, 0, 1_000_000)).remaining == "100%"


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.integers(500_000, 1_000_000))
def test_spent_and_left_are_the_whole(events: int, bad: int, seen: int) -> None:
    found = row(PeriodSums(events, min(bad, events), seen))
    spent, left = (float(text.removesuffix("%")) for text in (found.spent, found.remaining))
    assert spent + left == pytest.approx(100, abs=1e-6)
    assert len(found.remaining) <= 32
