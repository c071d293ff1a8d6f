"""An endpoint is compared with what it was, and fails when it surely became worse by more than was allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.evaluation import Counts
from modelward.evaluate.comparison import Comparison, Margin, compare
from modelward.evaluate.interval import Interval
from modelward.evaluate.statistics.correction import ErrorRates
from modelward.evaluate.statistics.sequence import CRITICAL, WARNING

FAULTS, SCORES = Margin(0.05, more_is_worse=True, odds=WARNING), Margin(0.05, more_is_worse=False, odds=WARNING)
EXACT = ErrorRates()
NOISY = ErrorRates(Interval(0.9, 0.88, 0.92), Interval(0.1, 0.09, 0.11))


def window(samples: int, flagged: int) -> Counts:
    return Counts(samples, flagged, weight=samples, weight_squared=samples, flagged_weight=flagged)


def against(
    rows: list[tuple[int, int]], other: tuple[int, int], margin: Margin = FAULTS, rates: ErrorRates = EXACT
) -> Comparison:
    return compare(tuple(window(*row) for row in rows), window(*other), rates, margin)


@pytest.mark.parametrize(
    ("rows", "other", "expected", "too_much"),
    [
        ([(20, 3)] * 12, (5_000, 50), "Worse", True),
        ([(20, 1)] * 12, (5_000, 50), "Worse", False),
        ([(20, 0)] * 12, (5_000, 50), "Equal", False),
        ([(20, 2)] * 12, (5_000, 1_500), "Better", False),
        ([(20, 2)] * 2, (5_000, 250), "CannotTell", False),
        ([(20, 2)] * 12, (20, 2), "CannotTell", False),
    ],
)
def test_more_faults_are_worse(
    rows: list[tuple[int, int]], other: tuple[int, int], expected: str, too_much: bool
) -> None:
    found = against(rows, other)
    assert (found.relation, found.too_much) == (expected, too_much)
    turned = compare(tuple(window(n, n - k) for n, k in rows), window(other[0], other[0] - other[1]), EXACT, SCORES)
    assert (turned.relation, turned.too_much) == (expected, too_much), "of a score less is worse"


def test_a_change_is_found_in_the_newest_windows_alone() -> None:
    found = against([(20, 4)] * 5 + [(20, 0)] * 40, (5_000, 50))
    assert (found.relation, found.too_much) == ("Worse", True)
    assert found.samples < 900
    assert found.difference.low > 0


def test_false_positives_of_the_evaluator_cancel() -> None:
    exact, noisy = against([(500, 100)] * 4, (5_000, 100)), against([(500, 130)] * 4, (5_000, 580), rates=NOISY)
    assert noisy.difference.value == pytest.approx(exact.difference.value)
    assert exact.too_much is noisy.too_much is True


def test_nothing_is_worse_than_a_set_that_is_empty() -> None:
    found = against([(20, 20)] * 12, (0, 0))
    assert (found.relation, found.too_much) == ("CannotTell", False)


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=1, max_size=8),
    st.tuples(st.integers(0, 5_000), st.integers(0, 5_000)),
    st.floats(0.001, 0.5),
    st.booleans(),
)
def test_what_is_too_much_is_worse_and_stays_so_for_a_smaller_margin(
    rows: list[tuple[int, int]], other: tuple[int, int], by: float, more: bool
) -> None:
    windows = [(n, min(n, k)) for n, k in rows]
    before = (other[0], min(other))
    strict, loose = (against(windows, before, Margin(one, more, WARNING)) for one in (by / 2, by))
    assert strict.too_much or not loose.too_much
    if loose.too_much:
        assert loose.relation == "Worse"
        assert loose.difference.low > 0 if more else loose.difference.high < 0
    else:
        assert not against(windows, before, Margin(by, more, CRITICAL)).too_much
