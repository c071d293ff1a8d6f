"""What two shares say of each other."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.evaluate.interval import Interval, wilson
from modelward.evaluate.statistics.change import Difference, difference, newcombe, relation


def test_the_interval_is_that_of_the_source() -> None:
    """Newcombe 1998, table II, row (a): 56/70 against 48/80 gives 0.0524 to 0.3339."""
    found = difference(56, 70, 48, 80)
    assert (round(found.value, 4), round(found.low, 4), round(found.high, 4)) == (0.2, 0.0524, 0.3339)


@pytest.mark.parametrize(
    ("low", "high", "more_is_worse", "expected"),
    [
        (-0.01, 0.02, True, "Equal"),
        (0.001, 0.02, True, "Equal"),
        (0.01, 0.2, True, "Worse"),
        (0.01, 0.2, False, "Better"),
        (-0.2, -0.01, True, "Better"),
        (-0.2, -0.01, False, "Worse"),
        (-0.2, 0.01, True, "CannotTell"),
        (0.0, 0.2, True, "CannotTell"),
    ],
)
def test_only_what_is_sure_has_a_direction(low: float, high: float, more_is_worse: bool, expected: str) -> None:
    assert relation(Difference((low + high) / 2, low, high), 0.05, more_is_worse=more_is_worse) == expected


def test_nothing_is_told_of_an_empty_set() -> None:
    assert relation(difference(0, 0, 20, 400), 0.05, more_is_worse=True) == "CannotTell"


def test_errors_that_both_share_cancel_and_hide_a_part_of_the_difference() -> None:
    exact, noisy = difference(40, 400, 20, 400), difference(40 * 0.8 + 20, 400, 20 * 0.8 + 20, 400, 0.8)
    assert noisy.value == pytest.approx(exact.value)
    assert noisy.high - noisy.low > exact.high - exact.low
    with pytest.raises(ValueError, match="discrimination"):
        difference(1, 2, 1, 2, 0.0)


COUNTS = st.tuples(st.floats(0, 1), st.floats(1, 5_000))


@given(COUNTS, COUNTS, st.floats(0.2, 1))
def test_bounds_are_ordered_and_turn_with_the_sets(
    one: tuple[float, float], other: tuple[float, float], j: float
) -> None:
    a, b = (one[0] * one[1], one[1]), (other[0] * other[1], other[1])
    found, turned = difference(*a, *b, j), difference(*b, *a, j)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    order = {"Better": 0, "Equal": 1, "CannotTell": 1, "Worse": 2}
    first, second = (relation(each, 0.02, more_is_worse=True) for each in (found, turned))
    assert order[first] + order[second] == 2


def test_it_covers_the_true_difference() -> None:
    random.seed(5)
    covered = 0
    for _ in range(500):
        k, m = (sum(random.random() < rate for _ in range(size)) for rate, size in ((0.03, 240), (0.01, 400)))
        found = difference(k, 240, m, 400)
        covered += found.low <= 0.02 <= found.high
    assert covered / 500 > 0.93


def test_known_shares_differ_by_exactly_what_they_differ() -> None:
    found = newcombe(Interval(0.3, 0.3, 0.3), Interval(0.1, 0.1, 0.1))
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.2, 0.2))
    assert newcombe(wilson(0, 0), wilson(0, 0)) == Difference(0.0, -1.0, 1.0)
