"""Permutation tests keep their level whatever is measured, and say the same of the same input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from modelward.evaluate.statistics import distances
from modelward.evaluate.statistics.effect import effect
from modelward.evaluate.statistics.permutation import (
    ConversationSums,
    by_conversation,
    combined,
    halved_p_value,
    p_value,
    seed_of,
)

BINS = 5
shares = st.lists(st.floats(0.001, 1), min_size=BINS, max_size=BINS).map(lambda row: np.array([row]) / sum(row))
every_distance = pytest.mark.parametrize(
    "distance",
    [
        distances.euclidean, distances.total_variation, distances.hellinger,
        distances.kullback_leibler, distances.jensen_shannon,
    ],
)  # fmt: skip


def sample(name: str, size: int, seed: int, shares: list[float] | None = None, turns: int = 1) -> ConversationSums:
    """Draw conversations of `turns` equal exchanges each."""
    drawn = np.random.default_rng(seed).choice(BINS, size, p=shares)
    rows = np.eye(BINS)[np.repeat(drawn, turns)]
    return by_conversation(rows, np.ones(len(rows)), [f"{name}{i // turns}" for i in range(len(rows))])


@every_distance
@given(shares, shares)
def test_distances_are_none_of_equals_and_some_of_others(
    distance: distances.Distance, one: NDArray[np.float64], other: NDArray[np.float64]
) -> None:
    assert distance(one, one)[0] == pytest.approx(0, abs=1e-6)
    assert distance(one, other)[0] >= 0
    if np.abs(one - other).max() > 0.01:
        assert distance(one, other)[0] > 1e-5


@pytest.mark.parametrize(
    ("distance", "found"),
    [
        (distances.total_variation, 0.5), (distances.hellinger, 0.541196), (distances.jensen_shannon, 0.557923),
        (distances.euclidean, 0.5**0.5), (distances.kullback_leibler, 1.0),
    ],
)  # fmt: skip
def test_distances_are_those_of_the_textbook(distance: distances.Distance, found: float) -> None:
    assert distance(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]]))[0] == pytest.approx(found, abs=2e-3)


def test_false_alarms_keep_their_level_though_conversations_are_long() -> None:
    distance = distances.total_variation
    found = [
        p_value(sample("w", 20, seed, turns=8), sample("r", 40, seed + 10_000, turns=8), distance, seed, 199)
        for seed in range(100)
    ]
    assert sum(p <= 0.1 for p in found) <= 19  # binomial(100, .1) is at most so in 99.8 %
    assert sum(p <= 0.5 for p in found) >= 30


def test_halves_are_independent_and_their_product_keeps_its_level() -> None:
    found = [
        halved_p_value(sample("w", 40, seed), sample("r", 80, seed + 10_000), distances.total_variation, seed, 199)
        for seed in range(100)
    ]
    assert sum(p <= 0.1 for p in found) <= 19


def test_a_change_is_proven_far_below_what_one_test_of_as_many_permutations_reaches() -> None:
    window, reference = sample("w", 120, 1, [0.6, 0.1, 0.1, 0.1, 0.1]), sample("r", 240, 2)
    alone = p_value(window, reference, distances.total_variation, 3, 999)
    both = halved_p_value(window, reference, distances.total_variation, 3, 999)
    assert alone == pytest.approx(1e-3)
    assert both <= 1.5e-5


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 1_000))
def test_the_same_exchanges_say_the_same_in_any_order(random: object, seed: int) -> None:
    rows = np.eye(BINS)[np.random.default_rng(seed).integers(0, BINS, 60)]
    names = [f"c{i // 3}" for i in range(60)]
    order = list(range(60))
    random.shuffle(order)  # type: ignore[attr-defined]
    reference = sample("r", 50, seed)
    first = by_conversation(rows, np.ones(60), names)
    again = by_conversation(rows[order], np.ones(60), [names[i] for i in order])
    for test in (halved_p_value, p_value):
        assert test(first, reference, distances.hellinger, 1, 99) == test(again, reference, distances.hellinger, 1, 99)
    assert seed_of(names) == seed_of([names[i] for i in order])


def test_another_sample_rate_is_no_change() -> None:
    rows = np.eye(BINS)[[0, 1, 2, 3]]
    names = ["a", "a", "b", "c"]
    some, all_of_them = (by_conversation(rows, np.full(4, weight), names) for weight in (10.0, 1.0))
    assert np.array_equal(some.sums, all_of_them.sums)


def test_without_conversations_nothing_is_known() -> None:
    empty = ConversationSums((), np.zeros((0, BINS)), np.zeros(0))
    assert p_value(empty, sample("r", 10, 1), distances.euclidean, 1) == 1.0
    found = effect(empty, sample("r", 10, 1), distances.total_variation, 1)
    assert (found.low, found.high) == (0.0, 1.0)


@given(st.floats(1e-9, 1), st.floats(1e-9, 1))
def test_a_product_of_p_values_is_one(first: float, second: float) -> None:
    assert first * second <= combined(first, second) <= 1
    assert combined(first, second) == combined(second, first)


@pytest.mark.parametrize("moved", [0.0, 0.1, 0.4])
def test_bounds_hold_the_true_distance(moved: float) -> None:
    q = [0.2 - moved / 2, 0.2 - moved / 2 if moved < 0.4 else 0.0, 0.2, 0.2 + moved / 2, 0.2 + moved / 2]
    q = [share / sum(q) for share in q]
    true = sum(abs(share - 0.2) for share in q) / 2
    found = [
        effect(sample("w", 150, seed, q), sample("r", 400, seed + 10_000), distances.total_variation, seed)
        for seed in range(40)
    ]
    assert sum(one.low <= true <= one.high for one in found) >= 35  # binomial(40, .95) is at least so in 99 %
    assert all(one.low <= one.value <= one.high for one in found)
    assert np.mean([one.high - one.low for one in found]) < 0.25
