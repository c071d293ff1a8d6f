"""Error budgets are asked of the hub where there were requests, and seldom; what is held of burns is bounded."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.evaluation import Counts
from modelward.api.policy_objective import ErrorBudget, PolicyObjective
from modelward.api.series import CheckSums, HistoryQuery, HistorySeries, ObjectivePeriod, ObjectiveSums, SeriesLine
from modelward.hub_client.client import HubUnavailableError
from modelward.operator.hub.error_budgets import ErrorBudgetFeed
from modelward.operator.hub.past_burns import PastBurns, steps_of
from modelward.operator.observe.burn_windows import BurnWindows
from modelward.status.burn import KEPT_MS, STEP_MS, BurnStep, burn_of
from modelward.status.error_budget import PeriodSums
from modelward.status.evaluation_budget import ScoredPeriod
from modelward.status.objective_events import ObjectiveEvents

DAY_MS = 86_400_000
KEY = ("p", "errors")


class History:
    """A hub that answers, or does not."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int]] = []
        self.error: HubUnavailableError | None = None
        self.checks: tuple[CheckSums, ...] | None = None

    async def objective_period(self, namespace: str, endpoint: str, from_ms: int, to_ms: int) -> ObjectivePeriod:
        self.asked.append((f"{namespace}/{endpoint}", from_ms, to_ms))
        if self.error is not None:
            raise self.error
        sums = ObjectiveSums("p", "errors", 100 * len(self.asked), 3)
        return ObjectivePeriod(from_ms, to_ms, 900_000, (sums,), checks=self.checks)


class Rig:
    def __init__(self) -> None:
        self.now_ms, self.hub = 10 * DAY_MS, History()
        self.feed = ErrorBudgetFeed(lambda: self.now_ms)

    def sums(self, mark: float, objective: str = "errors") -> PeriodSums | None:
        return self.feed.sums("retail/chat", DAY_MS, "p", objective, mark)

    def refresh(self) -> frozenset[str]:
        hub: Any = self.hub
        return asyncio.run(self.feed.refresh(hub))


def test_it_asks_once_and_again_only_after_requests_and_five_minutes() -> None:
    rig = Rig()
    assert rig.sums(5) is None
    assert rig.refresh() == {"retail/chat"}
    assert rig.hub.asked == [("retail/chat", 9 * DAY_MS, 10 * DAY_MS)]
    assert rig.sums(5) == PeriodSums(100, 3, 900_000)
    rig.now_ms += DAY_MS
    assert rig.refresh() == frozenset(), "an idle endpoint asks nothing and writes nothing"
    rig.sums(6)
    rig.refresh()
    rig.sums(7)
    assert rig.refresh() == frozenset(), "not within five minutes"
    rig.now_ms += 300_000
    assert rig.refresh() == {"retail/chat"}
    assert len(rig.hub.asked) == 3


def test_a_hub_without_history_or_without_an_answer_breaks_nothing() -> None:
    rig = Rig()
    rig.sums(5)
    rig.hub.error = HubUnavailableError("no such path", status=404)
    assert rig.refresh() == frozenset()
    assert rig.sums(5) is None
    rig.hub.error = HubUnavailableError("away")
    rig.now_ms += 300_000
    rig.sums(6)
    with pytest.raises(HubUnavailableError):
        rig.refresh()
    rig.hub.error, rig.now_ms = None, rig.now_ms + 300_000
    assert rig.refresh() == {"retail/chat"}, "and it is asked again"


def test_an_objective_that_the_history_does_not_know_is_not_at_zero() -> None:
    rig = Rig()
    rig.sums(5)
    rig.refresh()
    assert rig.sums(5, "new") == PeriodSums(seen_ppm=0)


def test_an_endpoint_that_went_is_asked_no_more() -> None:
    rig = Rig()
    rig.sums(5)
    rig.feed.forget("retail/chat")
    assert (rig.refresh(), rig.hub.asked) == (frozenset(), [])


def test_burn_windows_add_up_what_came_in_steps_and_forget_what_is_old() -> None:
    windows, at = BurnWindows(), 100 * STEP_MS

    def note(events: float, bad: float, at_ms: int) -> None:
        windows.note("retail/chat", {KEY: ObjectiveEvents(events, bad)}, [KEY], at_ms)

    note(50, 5, at)
    note(60, 6, at + 1)
    note(80, 6, at + STEP_MS)
    assert [(one.events, one.bad) for one in windows.of("retail/chat", KEY)] == [(10, 1), (20, 0)]
    for n in range(2, 2_000):
        note(80, 6, at + n * STEP_MS)
    kept = windows.of("retail/chat", KEY)
    assert len(kept) <= KEPT_MS // STEP_MS + 2
    assert not any(one.events for one in kept)
    note(90, 6, at)
    assert [one.at_ms for one in windows.of("retail/chat", KEY)] == [at], "the clock was set back"
    windows.note("retail/chat", {}, [], at)
    assert windows.of("retail/chat", KEY) == ()


def series(begins_ms: int, counts: list[tuple[int, int]], *, step_ms: int = STEP_MS) -> HistorySeries:
    """Return what the hub answers about an objective: events and bad ones of each step, -1 of one not watched."""
    at_ms = tuple(begins_ms + n * step_ms for n in range(len(counts)))
    events = tuple(max(0, n) for n, _ in counts)
    shares = tuple(round(bad * 1_000_000 / n) if n > 0 else None for n, bad in counts)
    seen = tuple(0 if n < 0 else 1_000_000 for n, _ in counts)
    line = SeriesLine("errors", shares, n=events, policy="p")
    return HistorySeries("objectives", "none", "5m", step_ms, at_ms, seen, (line,))


class Steps:
    """A hub whose history of objectives is asked."""

    def __init__(self, answer: HistorySeries | HubUnavailableError) -> None:
        self.answer, self.asked = answer, list[str]()

    async def history(self, namespace: str, endpoint: str, query: HistoryQuery) -> HistorySeries:
        self.asked.append(f"{namespace}/{endpoint} {query.metric} {query.to_ms - query.from_ms} {query.points}")
        if isinstance(self.answer, HubUnavailableError):
            raise self.answer
        return self.answer


BURNS = PolicyObjective(name="errors", metric="ErrorRate", max_rate="1%", budget=ErrorBudget(period="672h"))


def test_a_new_leader_misses_no_slow_burn_that_the_one_before_it_saw() -> None:
    now_ms = 10 * DAY_MS
    past, windows = PastBurns(lambda: now_ms), BurnWindows()
    for counted in (ObjectiveEvents(0, 0), ObjectiveEvents(200, 8)):
        windows.note("retail/chat", {KEY: counted}, [KEY], now_ms)

    def burning() -> str:
        windows.refill("retail/chat", past.take("retail/chat"))
        return burn_of(BURNS, windows.of("retail/chat", KEY), now_ms, whole=past.known("retail/chat")).burning

    past.want("retail/chat")
    assert burning() == "Unknown", "not No before the hub answers"
    hub: Any = Steps(series(now_ms - 864 * STEP_MS, [(300, 12)] * 865))
    assert asyncio.run(past.refresh(hub)) == {"retail/chat"}
    assert hub.asked == [f"retail/chat objectives {KEPT_MS} {KEPT_MS // STEP_MS + 2}"]
    assert burning() == "Slow"
    held = windows.of("retail/chat", KEY)
    assert held[-1].events == 200, "what it counted itself is not counted twice"
    assert [step.at_ms for step in held] == sorted({step.at_ms for step in held})
    past.want("retail/chat")
    assert asyncio.run(past.refresh(hub)) == frozenset(), "it asks once"


def test_what_was_not_watched_is_no_step_and_a_history_of_hours_is_none() -> None:
    found = steps_of(series(0, [(300, 3), (-1, 0), (0, 0)]))
    assert found == {KEY: (BurnStep(0, 300, 3), BurnStep(2 * STEP_MS, 0, 0))}
    assert steps_of(series(0, [(300, 3)], step_ms=12 * STEP_MS)) == {}


@given(st.integers(1, 400_000), st.data())
def test_bad_requests_of_the_history_are_counted_to_the_last_one(events: int, data: st.DataObject) -> None:
    bad = data.draw(st.integers(0, events))
    assert steps_of(series(0, [(events, bad)]))[KEY] == (BurnStep(0, events, bad),)


def test_a_hub_without_a_history_leaves_the_windows_as_they_are_and_one_that_is_away_is_asked_again() -> None:
    past = PastBurns(lambda: 10 * DAY_MS)
    past.want("retail/chat")
    away: Any = Steps(HubUnavailableError("away"))
    with pytest.raises(HubUnavailableError):
        asyncio.run(past.refresh(away))
    assert not past.known("retail/chat")
    none: Any = Steps(HubUnavailableError("off", 404))
    assert asyncio.run(past.refresh(none)) == {"retail/chat"}
    assert past.known("retail/chat")
    assert past.take("retail/chat") == {}


def test_few_questions_go_out_in_one_round_and_one_that_went_is_not_kept() -> None:
    past = PastBurns(lambda: 10 * DAY_MS)
    for number in range(25):
        past.want(f"retail/chat-{number}")
    past.forget("retail/chat-0")
    hub: Any = Steps(series(0, []))
    assert [len(asyncio.run(past.refresh(hub))) for _ in range(4)] == [10, 10, 4, 0]


def test_what_evaluations_found_comes_with_the_same_answer_and_an_older_hub_says_that_it_has_none() -> None:
    rig = Rig()
    assert rig.feed.scored("retail/chat", DAY_MS, "p", "topic", 5) is None
    rig.refresh()
    told = rig.feed.scored("retail/chat", DAY_MS, "p", "topic", 5)
    assert told is not None
    assert "older version" in told.problem
    found = Counts(400, 12, weight=400.0)
    rig.hub.checks = (CheckSums("p", "topic", rig.now_ms + DAY_MS // 4, found),)
    rig.now_ms += DAY_MS
    rig.feed.scored("retail/chat", DAY_MS, "p", "topic", 6)
    assert rig.refresh() == {"retail/chat"}
    assert rig.feed.scored("retail/chat", DAY_MS, "p", "topic", 6) == ScoredPeriod(found, 750_000)
    assert rig.feed.scored("retail/chat", DAY_MS, "p", "other", 6) == ScoredPeriod()
