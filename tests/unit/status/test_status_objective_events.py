"""What an objective counts of a pod's readings: in proportion inside a bucket, never backwards, never a guess."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.policy_objective import PolicyObjective
from modelward.evaluate.objective import histogram_from_cumulative
from modelward.metrics.histogram import Histogram
from modelward.metrics.series import Reading
from modelward.metrics.signals import Signal, SignalKey
from modelward.status.objective_events import ObjectiveEvents, allowance_ppm, events_in

ERRORS = PolicyObjective(name="errors", metric="ErrorRate", max_rate="1%")
FIRST = PolicyObjective(name="first", metric="TimeToFirstToken", max_duration="800ms")
BOUNDS = (0.5, 0.75, 1.0, 2.0)


def reading(totals: dict[Signal, float] | None = None, *hists: Histogram) -> Reading:
    distributions = {SignalKey(Signal.TTFT, f"m{n}"): hist for n, hist in enumerate(hists)}
    return Reading(0, {}, {SignalKey(signal, "m"): value for signal, value in (totals or {}).items()}, distributions)


def hist(*cumulative: float) -> Histogram:
    return Histogram(BOUNDS, cumulative[:-1], 0.0, cumulative[-1])


def test_a_rate_leaves_out_what_the_endpoint_refused() -> None:
    totals = {Signal.REQUESTS: 100.0, Signal.ERRORS: 4.0, Signal.CLIENT_ERRORS: 10.0, Signal.OVERLOADS: 5.0}
    assert events_in(ERRORS, reading(totals)) == ObjectiveEvents(85, 4)


def test_requests_of_which_nobody_says_whether_they_failed_are_unknown_and_not_good() -> None:
    assert events_in(ERRORS, reading({Signal.REQUESTS: 100.0})) is None
    assert events_in(ERRORS, reading({Signal.REQUESTS: 0.0})) == ObjectiveEvents(), "nothing came yet"


def test_a_limit_inside_a_bucket_is_taken_in_proportion() -> None:
    found = events_in(FIRST, reading(None, hist(10, 20, 30, 30, 30)))
    assert found is not None
    assert found.events == 30
    assert found.bad == pytest.approx(8.0), "a fifth of the bucket from 750 ms to 1 s is faster"


def test_models_are_added_up() -> None:
    one = hist(10, 20, 30, 30, 30)
    found = events_in(FIRST, reading(None, one, one))
    assert found is not None
    assert found.events == 60
    assert found.bad == pytest.approx(16.0)


def test_what_lies_beyond_the_last_bound_is_neither_good_nor_bad_for_a_limit_beyond_it() -> None:
    slow = FIRST.model_copy(update={"max_duration": "5s"})
    assert events_in(slow, reading(None, hist(1, 2, 3, 4, 9))) == ObjectiveEvents(4, 0)


@given(st.lists(st.integers(0, 50), min_size=5, max_size=5), st.lists(st.integers(0, 50), min_size=5, max_size=5),
       st.integers(1, 2_000))  # fmt: skip
def test_both_numbers_only_grow_and_stay_within_what_the_buckets_say(
    first: list[int], more: list[int], limit_ms: int
) -> None:
    asked = FIRST.model_copy(update={"max_duration": f"{limit_ms}ms"})

    def cumulative(counts: list[int]) -> list[float]:
        return [float(sum(counts[: n + 1])) for n in range(len(counts))]

    before = events_in(asked, reading(None, hist(*cumulative(first))))
    both = [a + b for a, b in zip(first, more, strict=True)]
    after = events_in(asked, reading(None, hist(*cumulative(both))))
    assert before is not None
    assert after is not None
    assert before.events <= after.events
    assert before.bad <= after.bad + 1e-9
    bins = histogram_from_cumulative([b * 1000 for b in BOUNDS], [int(c) for c in cumulative(both)])
    least, most = bins.slower(limit_ms)
    assert least - 1e-9 <= after.bad <= most + 1e-9


def test_the_allowance_is_what_the_bound_leaves() -> None:
    assert allowance_ppm(ERRORS) == 10_000
    assert allowance_ppm(FIRST) == 50_000, "the 95th percentile where none is written"
    assert allowance_ppm(FIRST.model_copy(update={"percentile": 99})) == 10_000
