"""A threshold is chosen on other rows than it is measured on, so the rates to paste are those of new traffic."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.evaluate.quality.calibrating import (
    FEWEST_IN_A_FOLD,
    FOLDS,
    FlagsAtThreshold,
    candidate_thresholds,
    cross_fitted,
    expected_error,
    folds,
    measured_rates,
    too_few_labels,
)


def at_each(values: list[float]) -> list[FlagsAtThreshold]:
    """Return what an evaluator of high values flags at each threshold worth trying."""
    return [FlagsAtThreshold(t, tuple(value > float(t) for value in values)) for t in candidate_thresholds(values)]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=200), st.integers(2, 64))
def test_thresholds_are_few_and_each_parts_the_values(values: list[float], most: int) -> None:
    found = candidate_thresholds(values, most)
    assert len(found) <= most
    assert sorted(set(found)) == found
    assert all(min(values) - 0.001 <= float(one) <= max(values) + 0.001 for one in found)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40)), min_size=1, max_size=300))
def test_a_conversation_lies_in_one_fold_and_each_has_both_classes(rows: list[tuple[bool, int]]) -> None:
    faults, clusters = [fault for fault, _ in rows], [f"c{cluster}" for _, cluster in rows]
    try:
        fold_of = folds(faults, clusters)
    except ValueError as error:
        assert "label more conversations" in str(error)  # noqa: PT017
        return
    assert all(len({fold for fold, name in zip(fold_of, clusters, strict=True) if name == c}) == 1 for c in clusters)
    for fold in range(FOLDS):
        own = [fault for fault, one in zip(faults, fold_of, strict=True) if one == fold]
        assert min(sum(own), len(own) - sum(own)) >= FEWEST_IN_A_FOLD
    order = np.random.default_rng(0).permutation(len(rows))
    again = folds([faults[i] for i in order], [clusters[i] for i in order])
    assert [again[list(order).index(i)] for i in range(len(rows))] == fold_of


def test_rates_of_a_threshold_without_meaning_are_those_of_chance() -> None:
    """A threshold that is measured on the rows that chose it seems to know something; here it may not."""
    drawn = np.random.default_rng(4)
    gaps, naive = [], []
    for trial in range(60):
        faults = [n < 20 for n in range(60)]
        candidates = at_each(drawn.random(60).round(3).tolist())
        found = cross_fitted(candidates, faults, [f"{trial}-{n}" for n in range(60)])
        gaps.append(found.true_positive_rate.value - found.false_positive_rate.value)
        best = [measured_rates(faults, one.flags) for one in candidates]
        naive.append(max(one.true_positive_rate.value - one.false_positive_rate.value for one in best))
    assert abs(sum(gaps) / 60) < 0.05
    assert sum(naive) / 60 > 0.15


def test_a_threshold_that_parts_the_classes_is_found_in_the_middle() -> None:
    values = [0.1 + n / 1_000 for n in range(60)] + [0.8 + n / 1_000 for n in range(30)]
    found = cross_fitted(at_each(values), [n >= 60 for n in range(90)], [str(n) for n in range(90)])
    assert (found.found, found.positives, found.false_alarms, found.negatives) == (30, 30, 0, 60)
    assert 0.159 < float(found.threshold) < 0.8
    assert len(found.of_folds) == FOLDS


def test_false_alarms_cost_more_than_misses_because_few_exchanges_are_at_fault() -> None:
    assert expected_error(70, 100, 1, 200) < expected_error(95, 100, 30, 200)
    assert expected_error(95, 100, 1, 200) < expected_error(70, 100, 1, 200)
    assert expected_error(950, 1_000, 10, 2_000) < expected_error(95, 100, 1, 200)
    assert expected_error(10, 100, 40, 200) == math.inf


@pytest.mark.parametrize(
    ("faults", "good", "told"), [(20, 29, "49 labelled"), (14, 100, "14 at fault"), (90, 3, "3 good")]
)
def test_few_labels_are_refused_in_words(faults: int, good: int, told: str) -> None:
    assert told in too_few_labels([True] * faults + [False] * good)
    assert "needs 50, with 15 of each" in too_few_labels([True] * faults + [False] * good)
    assert too_few_labels([True] * 15 + [False] * 35) == ""
