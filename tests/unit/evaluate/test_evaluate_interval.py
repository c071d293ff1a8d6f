"""Intervals hold what they promise for every count."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.evaluate.interval import effective_size, wilson

counts = st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts)
def test_bounds_enclose_the_share_and_stay_within_zero_and_one(kn: tuple[int, int]) -> None:
    interval = wilson(*kn)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    assert interval.value == kn[0] / kn[1]


@given(counts, st.integers(2, 50))
def test_more_of_the_same_evidence_only_narrows(kn: tuple[int, int], times: int) -> None:
    few, many = wilson(*kn), wilson(kn[0] * times, kn[1] * times)
    assert many.low >= few.low - 1e-12
    assert many.high <= few.high + 1e-12


@given(counts)
def test_one_finding_more_raises_both_bounds(kn: tuple[int, int]) -> None:
    k, n = kn
    if k < n:
        assert wilson(k + 1, n).low >= wilson(k, n).low
        assert wilson(k + 1, n).high >= wilson(k, n).high


def test_published_values() -> None:
    # Brown, Cai and DasGupta 2001; and the 3,838 clean records that 0.1 % takes.
    assert wilson(0, 3_838).high == pytest.approx(0.001, rel=1e-3)
    assert (wilson(5, 20).low, wilson(5, 20).high) == pytest.approx((0.1119, 0.4687), abs=1e-4)


def test_no_sample_says_nothing() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    with pytest.raises(ValueError, match="not a share"):
        wilson(3, 2)


@given(st.lists(st.floats(1, 1_000), min_size=1, max_size=200))
def test_effective_size_is_at_most_the_size(weights: list[float]) -> None:
    size = effective_size(math.fsum(weights), math.fsum(w * w for w in weights))
    assert 1 - 1e-9 <= size <= len(weights) + 1e-6
    assert effective_size(0, 0) == 0
