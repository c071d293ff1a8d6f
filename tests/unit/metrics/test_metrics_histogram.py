"""Distributions read from buckets."""

import math

from hypothesis import given
from hypothesis import strategies as st

from modelward.metrics.histogram import Histogram, Quantile, histogram, merged, quantile, subtracted

LATENCIES = Histogram((0.25, 0.5, 1.0), (16, 48, 80), 50.0, 100)
BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0)


def of(values: list[float], bounds: tuple[float, ...] = BOUNDS) -> Histogram:
    counts = tuple(float(sum(value <= bound for value in values)) for bound in bounds)
    return Histogram(bounds, counts, sum(values), len(values))


def test_reads_a_quantile_inside_its_bucket() -> None:
    assert quantile(LATENCIES, 0.64) == Quantile(0.75)
    assert quantile(LATENCIES, 0.08) == Quantile(0.125)


def test_a_quantile_above_the_last_bound_is_only_a_lower_bound() -> None:
    assert quantile(LATENCIES, 0.95) == Quantile(1.0, at_least=True)


def test_nothing_observed_has_no_quantile() -> None:
    for empty in (Histogram((1.0,), (0,), 0, 0), Histogram((), (), 5.0, 5)):
        assert quantile(empty, 0.5) is None


def test_buckets_that_contradict_each_other_are_no_histogram() -> None:
    assert histogram([(0.1, 5), (1.0, 3), (math.inf, 9)], 1.0) is None
    assert histogram([(0.1, 5), (0.1, 5), (math.inf, 9)], 1.0) is None
    assert histogram([(0.1, math.nan), (math.inf, 9)], 1.0) is None
    assert histogram([(0.1, 5)], 1.0) is None
    assert histogram([(0.1, 5)], 1.0, count=4) is None


def test_buckets_come_in_any_order() -> None:
    expected = Histogram((0.1, 1.0), (2, 5), 3.0, 9)
    assert histogram([(math.inf, 9), (1.0, 5), (math.nan, 1), (0.1, 2)], 3.0) == expected
    assert histogram([(1.0, 5), (0.1, 2)], 3.0, count=9) == expected


def test_pods_with_different_buckets_are_merged_at_the_bounds_they_share() -> None:
    other = Histogram((0.3, 0.5), (1, 2), 4.0, 3)
    assert merged([LATENCIES, other]) == Histogram((0.5,), (50,), 54.0, 103)
    assert merged([]) is None


def test_a_later_reading_that_is_lower_is_no_sequel() -> None:
    assert subtracted(of([0.1]), of([0.1, 0.2])) is None
    assert subtracted(of([3.0, 3.0]), of([0.1])) is None
    assert subtracted(of([0.5, 2.0], (0.5, 9.0)), of([0.5])) == Histogram((0.5,), (0,), 2.0, 1)


_VALUES = st.lists(st.floats(0, 10), min_size=1, max_size=40)


@given(_VALUES, st.floats(0, 1), st.floats(0, 1))
def test_quantiles_grow_with_q_and_stay_in_the_bounds(values: list[float], one: float, other: float) -> None:
    low, high = (quantile(of(values), q) for q in sorted((one, other)))
    assert low is not None
    assert high is not None
    assert 0 <= low.value <= high.value <= BOUNDS[-1]


@given(_VALUES, _VALUES)
def test_merging_and_subtracting_are_each_others_inverse(one: list[float], other: list[float]) -> None:
    whole = merged([of(one), of(other)])
    assert whole is not None
    assert whole.counts == of(one + other).counts
    rest = subtracted(whole, of(one))
    assert rest is not None
    assert rest.counts == of(other).counts
