"""A verdict's set is recent, of one revision and one evaluator, and counts no exchange twice."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from modelward.api.evaluation import Counts, EvaluatorFacts, Example, WindowResult
from modelward.evaluate.pool import pool

V1, V2 = EvaluatorFacts("Topic", "1"), EvaluatorFacts("Topic", "2")


def scheduled(to_ms: int) -> str:
    return f"modelward-20260102-{to_ms:06}"


def window(
    from_ms: int,
    to_ms: int,
    samples: int = 10,
    *,
    revision: str = "r1",
    facts: EvaluatorFacts = V1,
    reason: str = "",
    empty: bool = False,
    run: str = "",
) -> WindowResult:
    revisions = {} if empty else {revision: Counts(samples, 1, weight=samples, weight_squared=samples)}
    examples = {} if empty else {revision: (Example(f"{from_ms}-a", "x"), Example(f"{from_ms}-b", "x"))}
    key = ("ns", "chat", "p", "e", from_ms, to_ms)
    return WindowResult(*key, run or scheduled(to_ms), facts, revisions, examples, reason)


def samples(results: list[WindowResult], *, now_ms: int = 100, over_ms: int = 60, revision: str = "r1") -> int:
    return pool(results, revisions=(revision,), now_ms=now_ms, over_ms=over_ms).counts.samples


def test_windows_that_overlap_the_sliding_set_are_pooled_and_older_ones_are_not() -> None:
    windows = [window(0, 20), window(20, 40), window(40, 60), window(60, 80)]
    pooled = pool(windows, revisions=("r1",), now_ms=90, over_ms=45)
    assert (pooled.counts.samples, pooled.windows, pooled.newest_ms, pooled.run) == (20, 2, 80, scheduled(80))
    assert [e.id for e in pooled.examples] == ["60-a", "60-b", "40-a"]


def test_what_a_revision_did_before_a_restart_of_its_pods_counts_on() -> None:
    before, after = window(40, 60), window(60, 80, 7, revision="r1-restarted")
    pooled = pool([before, after], revisions=("r1-restarted", "r1"), now_ms=100, over_ms=60)
    assert (pooled.counts.samples, pooled.heard_ms) == (17, 80)
    assert pool([before, after], revisions=("r1",), now_ms=100, over_ms=60).heard_ms == 60


def test_a_new_revision_starts_from_nothing() -> None:
    assert samples([window(40, 60), window(60, 80, 7, revision="r2")], revision="r2") == 7
    assert pool([window(60, 80)], revisions=("r3",), now_ms=100, over_ms=60).missing == ""


def test_an_evaluator_of_another_version_starts_from_nothing() -> None:
    assert samples([window(40, 60), window(60, 80, 7, facts=V2)]) == 7


def test_an_overlapping_run_by_hand_counts_no_exchange_twice() -> None:
    assert samples([window(40, 60, 10), window(60, 80, 10), window(50, 70, 99, run="mine")]) == 20
    assert samples([window(60, 80, 10), window(60, 80, 10)]) == 10


def test_a_short_look_back_hides_no_scheduled_window() -> None:
    assert samples([window(40, 80, 100), window(85, 90, 3, run="mine"), window(75, 82, 3, run="mine")]) == 103
    assert samples([window(40, 80, 100), window(79, 80, 3, run="mine")]) == 100
    assert samples([window(40, 50, 10), window(60, 80, 10), window(45, 90, 99, run="mine")]) == 20


def test_where_nothing_was_scheduled_what_a_person_looked_at_counts_once() -> None:
    assert samples([window(50, 70, 10, run="mine"), window(65, 80, 7, run="yours")]) == 7


def test_a_run_by_hand_whose_window_is_not_over_hides_nothing() -> None:
    assert samples([window(60, 80), window(50, 500, 3, run="mine")]) == 10


def test_nothing_in_reach_is_no_traffic() -> None:
    pooled = pool([], revisions=("r1",), now_ms=100, over_ms=60)
    assert (pooled.facts, pooled.missing, pooled.windows) == (None, "NoTraffic", 0)


def test_the_reason_that_a_person_can_act_on_wins_over_no_traffic() -> None:
    results = [window(40, 60, empty=True, reason="NoCapture"), window(60, 80, empty=True, reason="NoTraffic")]
    assert pool(results, revisions=("r1",), now_ms=100, over_ms=60).missing == "NoCapture"
    assert pool(results[1:], revisions=("r1",), now_ms=100, over_ms=60).missing == "NoTraffic"


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4), st.integers(0, 9)), max_size=8), st.randoms())
def test_the_set_does_not_depend_on_the_order_of_results(found: list[tuple[int, int, int]], order: Random) -> None:
    keyed = {(at, at + long): window(at * 10, (at + long) * 10, count) for at, long, count in found}
    results = list(keyed.values())
    shuffled = order.sample(results, len(results))
    asked: dict[str, Any] = {"revisions": ("r1",), "now_ms": 100, "over_ms": 60}
    assert pool(results, **asked) == pool(shuffled, **asked)


tallies = st.builds(Counts, *([st.integers(0, 1_000)] * 4), *([st.integers(0, 1_000).map(float)] * 3))


@given(tallies, tallies, tallies)
def test_pooling_does_not_depend_on_order(a: Counts, b: Counts, c: Counts) -> None:
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + Counts() == a
