"""A window that lacks what came late is judged once more, and counts once."""

from __future__ import annotations

from typing import Any

import pytest
from desired_specimens import resolved, run_here
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.evaluation import Counts, EvaluatorFacts, Late, WindowResult
from modelward.api.evaluationrun import RunItem
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.quantity import timestamp_ms
from modelward.desired import names
from modelward.desired.monitoring_plan import MonitoringPlan, merge_policies
from modelward.desired.reopen import MAX_REOPENED, reopened
from modelward.desired.runs import begun_ms

NOW_MS = 1_795_480_000_000
MINUTE_MS = 60_000
KEY = ("chat", "baseline", "leaks")


def watched(**more: Any) -> dict[str, MonitoringPlan]:
    one = {"name": "leaks", "check": {"builtin": "PII"}, "failAbove": "1%", "every": "1m", "over": "1h", **more}
    spec = {"endpointSelector": {}, "capture": {"content": "Redacted"}, "evaluations": [one]}
    policy = MonitoringPolicy.model_validate({"metadata": {"name": "baseline", "namespace": "retail"}, "spec": spec})
    return {"chat": merge_policies(run_here(), (policy,), resolved([policy]))}


def judged(minutes_ago: int, *, read_ms: int | None = None, run: str = "") -> WindowResult:
    """Return the result of the minute that ended so long ago, of a run that began five seconds later."""
    to_ms = NOW_MS - minutes_ago * MINUTE_MS
    name = run or names.run(to_ms + 5_000 if read_ms is None else read_ms)
    counts = {"r1": Counts(1)}
    return WindowResult("retail", *KEY, to_ms - MINUTE_MS, to_ms, name, EvaluatorFacts("PII", "1"), counts)


def late(first_ago: int, last_ago: int, came_ago: int = 1) -> Late:
    return Late(*(NOW_MS - minutes * MINUTE_MS for minutes in (first_ago, last_ago, came_ago)))


def again(results: list[WindowResult], *came: Late, now_ms: int = NOW_MS, **more: Any) -> list[int]:
    """Return the ends of the windows that are judged again, in minutes ago."""
    items = reopened(now_ms, watched(**more.pop("asked", {})), {KEY: results}, {"chat": came}, more.pop("tried", {}))
    return [(NOW_MS - timestamp_ms(item.to)) // MINUTE_MS for item in items]


WINDOWS = [judged(ago) for ago in range(10)]


def test_every_window_that_lacks_what_came_late_is_judged_again_the_newest_first() -> None:
    assert again(WINDOWS, late(4, 3)) == [2, 3]
    assert again(WINDOWS) == []
    assert again([judged(3, run="look-back")], late(4, 3)) == []


def test_what_came_before_a_window_was_judged_is_in_its_result() -> None:
    assert again([judged(5, read_ms=NOW_MS - 2 * MINUTE_MS)], late(6, 5, came_ago=3)) == []
    assert again([judged(5, read_ms=NOW_MS - 4 * MINUTE_MS)], late(6, 5, came_ago=3)) == [5]


def test_what_is_still_coming_is_waited_for_and_what_left_the_sliding_set_is_left() -> None:
    assert again(WINDOWS, Late(NOW_MS - 4 * MINUTE_MS, NOW_MS, NOW_MS - 1)) == []
    assert again([judged(90)], late(95, 85)) == []


@pytest.mark.parametrize(("tried_ago", "taken"), [(0, []), (1, [5]), (2, [5])])
def test_a_window_whose_new_result_was_lost_is_taken_again_after_every(tried_ago: int, taken: list[int]) -> None:
    window = judged(5)
    tried = {(KEY, window.from_ms, window.to_ms): NOW_MS - tried_ago * MINUTE_MS}
    assert again([window], late(6, 5, came_ago=3), tried=tried) == taken


def test_what_cannot_be_judged_is_not_reopened_and_one_batch_takes_a_bounded_number() -> None:
    assert again(WINDOWS, late(4, 3), asked={"check": {"builtin": "Nope"}}) == []
    many = [judged(ago, read_ms=NOW_MS - MINUTE_MS) for ago in range(55)]
    assert again(many, late(60, 0)) == list(range(MAX_REOPENED))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 20)), max_size=6))
def test_each_window_is_judged_again_once_for_all_that_came(spans: list[tuple[int, int, int]]) -> None:
    came = [late(max(a, b), min(a, b), at) for a, b, at in spans]
    results = {(one.from_ms, one.to_ms): one for one in (judged(ago) for ago in range(25))}
    taken: list[RunItem] = []
    for step in range(10):
        now_ms = NOW_MS + step * MINUTE_MS
        items = reopened(now_ms, watched(), {KEY: list(results.values())}, {"chat": came}, {})
        for item in items:
            window = (timestamp_ms(item.from_), timestamp_ms(item.to))
            results[window] = judged((NOW_MS - window[1]) // MINUTE_MS, read_ms=now_ms)
        taken += items
    windows = [(item.from_, item.to) for item in taken]
    assert len(windows) == len(set(windows))
    assert len(results) == 25, "a window keeps its place"


def test_a_run_tells_when_it_began() -> None:
    assert begun_ms(names.run(NOW_MS)) == NOW_MS
    assert begun_ms("look-back") is begun_ms("modelward-20269999-999999") is None
