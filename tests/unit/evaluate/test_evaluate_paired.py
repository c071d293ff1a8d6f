"""Tests of pairs keep their promise at every size: signs by chance, corrected for how many are looked at."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.evaluate.statistics import paired
from modelward.evaluate.statistics.paired import holm, sign_flip_p_value, size_of_mean

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=12)
ALPHAS = (0.01, 0.05, 0.1, 0.25, 0.5)


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float64)[:, None]


@given(st.integers(0, 14), st.integers(0, 14))
def test_where_all_differ_as_much_it_is_the_sign_test(more: int, less: int) -> None:
    size = more + less
    extreme = sum(math.comb(size, k) for k in range(size + 1) if abs(2 * k - size) >= abs(more - less))
    found = sign_flip_p_value(column(*[0.5] * more, *[-0.5] * less), seed=1)
    if size <= paired.EXACT:
        assert found == pytest.approx(extreme / 2**size)
    else:
        assert found == pytest.approx(extreme / 2**size, abs=0.01)


@pytest.mark.parametrize("columns", [1, 3])
def test_it_is_valid_whatever_the_differences_are(columns: int) -> None:
    """If nothing matters, all signs are as likely; so over all of them at most a of the p-values are at or below a."""
    sizes = np.random.default_rng(7).exponential(size=(8, columns))
    every = [sign_flip_p_value(sizes * np.array(signs)[:, None], 0) for signs in itertools.product((1, -1), repeat=8)]
    for alpha in ALPHAS:
        assert sum(p <= alpha for p in every) <= alpha * len(every)
    assert min(every) <= 0.02, "and it can tell"


def test_pairs_without_a_difference_say_nothing() -> None:
    rows = column(1.0, 0.5, -0.25, 0.75, 0.5)
    assert sign_flip_p_value(np.vstack([rows, np.zeros((500, 1))]), 0) == sign_flip_p_value(rows, 0)
    assert sign_flip_p_value(np.zeros((9, 2)), 0) == sign_flip_p_value(np.zeros((0, 2)), 0) == 1.0


def test_beyond_what_can_be_tried_signs_are_drawn_by_the_seed() -> None:
    many = column(*[1.0] * 40)
    assert sign_flip_p_value(many, 3) == 1 / (paired.DRAWN + 1)
    even = column(*[1.0, -1.0, 0.5] * 20)
    assert sign_flip_p_value(even, 3) == sign_flip_p_value(even, 3) > 0.05


def test_holm_as_in_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(p_values)
def test_holm_lies_between_no_correction_and_bonferroni(found: list[float]) -> None:
    for p, corrected in zip(found, holm(found), strict=True):
        assert p <= corrected <= min(1.0, len(found) * p)
    assert min(holm(found)) == min(1.0, len(found) * min(found))


@given(p_values, st.randoms(use_true_random=False))
def test_holm_keeps_the_order_and_does_not_depend_on_it(found: list[float], random: object) -> None:
    order = list(range(len(found)))
    random.shuffle(order)  # type: ignore[attr-defined]
    corrected = holm(found)
    assert holm([found[place] for place in order]) == [corrected[place] for place in order]
    by_p = [one for _, one in sorted(zip(found, corrected, strict=True))]
    assert by_p == sorted(by_p)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30), st.integers(1, 20))
def test_a_size_lies_in_its_bounds_and_has_no_sign(found: list[float], comparisons: int) -> None:
    size = size_of_mean(found, comparisons)
    assert 0 <= size.low <= size.value <= size.high <= 1
    assert size_of_mean([-one for one in found], comparisons).value == size.value
    assert size_of_mean(found, comparisons + 5).low <= size.low + 1e-9


def test_bounds_hold_the_true_mean() -> None:
    rng, held = np.random.default_rng(11), 0
    for _ in range(200):
        size = size_of_mean(rng.choice([-1.0, 0.0, 1.0], 20, p=[0.1, 0.5, 0.4]).tolist())
        held += size.low <= 0.3 <= size.high
    assert held >= 190
    assert size_of_mean([1.0] * 20).low > 0.4


@pytest.mark.parametrize("wrong", [[], [1.5], [float("nan")]])
def test_what_is_no_difference_is_refused(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="differences are in"):
        size_of_mean(wrong)
