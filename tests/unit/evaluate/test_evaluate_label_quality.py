"""Quality against labels is what counting says it is, and its intervals hold."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.evaluate.interval import Interval
from modelward.evaluate.quality.confusion import Confusion, confusion
from modelward.evaluate.quality.groups import difference, group_alarms
from modelward.evaluate.quality.labelled import LabelledScore
from modelward.evaluate.quality.ranking import auc, ranking
from modelward.evaluate.quality.reliability import FEWEST_ROWS, MOST_BINS, reliability

VALUES = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1))
ROWS = st.lists(st.builds(LabelledScore, st.booleans(), st.booleans(), VALUES, st.sampled_from(["", "a", "b", "c"])))
COUNTS = st.builds(Confusion, *[st.integers(0, 300)] * 4)


def holds(one: Interval, low: float = 0.0, high: float = 1.0) -> bool:
    return low <= one.low <= one.value <= one.high <= high


@given(ROWS)
def test_rates_are_shares_of_what_was_counted(rows: list[LabelledScore]) -> None:
    found = confusion(rows)
    faults, flags = [row for row in rows if row.fault], [row for row in rows if row.flagged]
    right = [row for row in rows if row.fault and row.flagged]
    assert (found.at_fault, found.good) == (len(faults), len(rows) - len(faults))
    assert found.true_positive_rate.value == (len(right) / len(faults) if faults else 0.0)
    assert found.precision.value == (len(right) / len(flags) if flags else 0.0)
    both = len(faults) + len(flags)
    assert found.f1.value == pytest.approx(2 * len(right) / both if both else 0.0)


@given(COUNTS)
def test_intervals_hold_their_value_and_stay_in_bounds(counts: Confusion) -> None:
    assert all(holds(one) for one in (counts.true_positive_rate, counts.false_positive_rate, counts.precision))
    assert holds(counts.f1)
    assert holds(counts.kappa, low=-1.0)


@given(COUNTS)
def test_kappa_is_agreement_beyond_that_of_shuffled_labels(counts: Confusion) -> None:
    n = counts.at_fault + counts.good
    flags, faults = counts.found + counts.false_alarms, counts.at_fault
    if not n or (flags in (0, n) and faults in (0, n)):
        return
    chance = (flags * faults + (n - flags) * (n - faults)) / n**2
    expected = ((counts.found + counts.passed) / n - chance) / (1 - chance)
    assert counts.kappa.value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("n", "share", "true", "false"), [(60, 0.3, 0.9, 0.05), (200, 0.1, 0.8, 0.02), (100, 0.5, 1, 0)]
)
def test_intervals_cover_the_truth_as_often_as_they_say(n: int, share: float, true: float, false: float) -> None:
    cells = [share * true, (1 - share) * false, share * (1 - true), (1 - share) * (1 - false)]
    agreed, flags = cells[0] + cells[3], cells[0] + cells[1]
    chance = flags * share + (1 - flags) * (1 - share)
    kappa, f1 = (agreed - chance) / (1 - chance), 2 * cells[0] / (share + flags)
    drawn = np.random.default_rng(1).multinomial(n, cells, 1_000)
    every = [Confusion(int(a), int(c), int(b), int(d)) for a, b, c, d in drawn]
    for truth, intervals in ((kappa, [one.kappa for one in every]), (f1, [one.f1 for one in every])):
        assert sum(one.low - 1e-9 <= truth <= one.high + 1e-9 for one in intervals) >= 925


@given(st.lists(VALUES, min_size=1, max_size=20), st.lists(VALUES, min_size=1, max_size=20))
def test_the_area_is_the_share_of_pairs_in_the_right_order(faults: list[float], good: list[float]) -> None:
    pairs = [(a > b) + (a == b) / 2 for a, b in itertools.product(faults, good)]
    found = auc(faults, good)
    assert found.value == pytest.approx(sum(pairs) / len(pairs))
    assert holds(found)
    assert auc(good, faults).value == pytest.approx(1 - found.value)


@pytest.mark.parametrize(("sizes", "apart"), [((15, 100), 1.0), ((50, 50), 2.0), ((30, 300), 0.0)])
def test_the_interval_of_the_area_covers_it(sizes: tuple[int, int], apart: float) -> None:
    drawn = np.random.default_rng(2)
    truth = 0.5 * (1 + math.erf(apart / 2))
    covered = 0
    for _ in range(400):
        one = auc((drawn.normal(size=sizes[0]) + apart).tolist(), drawn.normal(size=sizes[1]).tolist())
        covered += one.low <= truth <= one.high
    assert covered >= 400 * 0.925


def test_the_side_that_an_evaluator_flags_is_the_bad_one() -> None:
    low = [LabelledScore(value < 0.3, value < 0.4, value) for value in (0.1, 0.2, 0.35, 0.6, 0.9)]
    high = [LabelledScore(value > 0.3, flagged=False, value=value) for value in (0.1, 0.2, 0.35, 0.6)]
    assert [one.value for one in (ranking(low), ranking(high)) if one] == [1.0, 1.0]
    turned = ranking(high, low_is_bad=True)
    assert turned is not None
    assert turned.value == 0.0
    assert ranking([LabelledScore(fault=True, flagged=True, value=0.5)]) is None
    with pytest.raises(ValueError, match="both classes"):
        auc([], [1.0])


@given(ROWS)
def test_each_group_counts_its_own_false_alarms(rows: list[LabelledScore]) -> None:
    found = {one.group: one for one in group_alarms(rows)}
    assert set(found) == {row.group for row in rows if row.group and not row.fault}
    for group, one in found.items():
        good = [row for row in rows if row.group == group and not row.fault]
        assert (one.false_alarms, one.good) == (sum(row.flagged for row in good), len(good))
    assert list(found) == sorted(found, key=lambda group: (-found[group].rate.value, group))


def test_a_group_is_above_where_its_false_alarms_are_surely_more() -> None:
    def rows(group: str, alarms: int, good: int) -> list[LabelledScore]:
        return [LabelledScore(fault=False, flagged=n < alarms, group=group) for n in range(good)]

    found = {one.group: one.above for one in group_alarms([*rows("a", 12, 40), *rows("b", 2, 80), *rows("c", 3, 50)])}
    assert found == {"a": True, "b": False, "c": False}
    assert not any(one.above for one in group_alarms(rows("only", 12, 40)))


def test_equal_groups_are_rarely_called_unequal() -> None:
    drawn = random.Random(3)
    trials = 400
    called = 0
    for _ in range(trials):
        rows = [
            LabelledScore(fault=False, flagged=drawn.random() < 0.05, group=group)
            for group in "abcd"
            for _ in range(60)
        ]
        called += any(one.above for one in group_alarms(rows))
    assert called <= trials * 0.05


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_difference_turned_round_is_its_negative(k: int, other: int) -> None:
    one, turned = difference(k, 40, other, 40, 1.96), difference(other, 40, k, 40, 1.96)
    assert (one.value, one.low, one.high) == pytest.approx((-turned.value, -turned.high, -turned.low))
    assert holds(one, low=-1.0 - 1e-9, high=1.0 + 1e-9)


@given(ROWS)
def test_bins_hold_each_row_once_in_order_and_never_part_equal_values(rows: list[LabelledScore]) -> None:
    bins = reliability(rows)
    assert sum(one.rows for one in bins) == len(rows)
    assert sum(one.faults for one in bins) == sum(row.fault for row in rows)
    assert all(a.high < b.low for a, b in itertools.pairwise(bins))
    assert all(one.low <= one.mean <= one.high for one in bins)
    assert len(bins) <= MOST_BINS


def test_bins_have_rows_enough_where_values_differ() -> None:
    bins = reliability(LabelledScore(n % 3 == 0, flagged=False, value=n / 95) for n in range(95))
    assert len(bins) == 95 // FEWEST_ROWS
    assert min(one.rows for one in bins) >= FEWEST_ROWS
    assert reliability([LabelledScore(fault=True, flagged=True)]) == []
