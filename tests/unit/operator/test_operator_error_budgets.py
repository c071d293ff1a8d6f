"""Error budgets are asked of the hub where there were requests, and seldom; what is held of burns is bounded."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from modelward.api.series import ObjectivePeriod, ObjectiveSums
from modelward.hub_client.client import HubUnavailableError
from modelward.operator.hub.error_budgets import ErrorBudgetFeed
from modelward.operator.observe.burn_windows import BurnWindows
from modelward.status.burn import KEPT_MS, STEP_MS
from modelward.status.error_budget import PeriodSums
from modelward.status.objective_events import ObjectiveEvents

DAY_MS = 86_400_000
KEY = ("p", "errors")


class History:
    """A hub that answers, or does not."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int]] = []
        self.error: HubUnavailableError | None = None

    async def objective_period(self, namespace: str, endpoint: str, from_ms: int, to_ms: int) -> ObjectivePeriod:
        self.asked.append((f"{namespace}/{endpoint}", from_ms, to_ms))
        if self.error is not None:
            raise self.error
        return ObjectivePeriod(from_ms, to_ms, 900_000, (ObjectiveSums("p", "errors", 100 * len(self.asked), 3),))


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
