"""Evidence that holds however often one asks."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from modelward.evaluate.interval import wilson
from modelward.evaluate.statistics.sequence import CRITICAL, WARNING, Odds, log_evidence, surely_above

SHARES = st.floats(0.001, 0.6)


def test_the_evidence_is_the_mixture_of_the_likelihood_ratios_over_the_expected_shares() -> None:
    flagged, size, null, expected = 12, 120, 0.03, 0.1
    b, steps = 1 / expected - 1, 20_000
    total = 0.0
    for step in range(steps):
        share = (step + 0.5) / steps
        ratio = flagged * math.log(share / null) + (size - flagged) * math.log((1 - share) / (1 - null))
        total += b * (1 - share) ** (b - 1) * math.exp(ratio) / steps
    assert log_evidence(flagged, size, null, expected) == pytest.approx(math.log(total), abs=1e-5)


@pytest.mark.parametrize("null", [0.02, 0.1, 0.4])
def test_evidence_against_the_true_share_has_a_mean_of_one(null: float) -> None:
    size = 60
    mean = sum(
        math.comb(size, flagged)
        * null**flagged
        * (1 - null) ** (size - flagged)
        * math.exp(log_evidence(flagged, size, null, 0.1))
        for flagged in range(size + 1)
    )
    assert mean == pytest.approx(1.0)


def test_what_is_asked_after_each_sample_is_seldom_wrong_at_the_limit() -> None:
    random.seed(3)
    wrong = 0
    for _ in range(400):
        flagged = 0
        for size in range(1, 201):
            flagged += random.random() < 0.1
            if log_evidence(flagged, size, 0.1, 0.2) >= math.log(20):
                wrong += 1
                break
    assert 0 < wrong <= 20, "at most one in 20 by Ville's inequality"


def test_a_share_of_impossible_samples_is_refuted_by_the_first() -> None:
    assert log_evidence(1, 100, 0.0, 0.1) == math.inf
    assert log_evidence(99, 100, 1.0, 0.1) == math.inf
    assert log_evidence(0, 100, 0.0, 0.1) < 0
    assert surely_above(1, 100, 0.0, 0.0, CRITICAL), "a limit of 0% fails at the first fault"
    assert not surely_above(0, 100, 0.0, 0.0, WARNING)


@pytest.mark.parametrize(("flagged", "size", "expected"), [(-1, 1, 0.1), (2, 1, 0.1), (1, 2, 0.0), (1, 2, 1.0)])
def test_what_is_no_share_is_refused(flagged: float, size: float, expected: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        log_evidence(flagged, size, 0.1, expected)


@given(st.integers(0, 3_000), st.floats(0, 1), SHARES, st.floats(0.1, 0.9))
def test_one_more_flag_never_takes_a_failure_back(size: int, share: float, limit: float, part: float) -> None:
    flagged = min(size, math.floor(share * size))
    assume(surely_above(flagged, size, limit, part * limit, WARNING) and flagged < size)
    assert surely_above(flagged + 1, size, limit, part * limit, WARNING)


@given(st.floats(0, 3_000), st.floats(0, 1), SHARES)
def test_what_is_surely_above_has_its_interval_above_and_needs_more_at_critical(
    size: float, share: float, limit: float
) -> None:
    if surely_above(share * size, size, limit, limit / 2, CRITICAL):
        assert surely_above(share * size, size, limit, limit / 2, WARNING)
    if surely_above(share * size, size, limit, limit / 2, WARNING):
        assert wilson(share * size, size).low > limit


@given(st.floats(0, 500), st.floats(0, 1), SHARES, st.floats(1, 20))
def test_more_samples_of_the_same_share_never_say_less(size: float, share: float, limit: float, times: float) -> None:
    assume(surely_above(share * size, size, limit, limit / 2, WARNING))
    assert surely_above(share * size * times, size * times, limit, limit / 2, WARNING)


@pytest.mark.parametrize(("size", "warning", "critical"), [(20, 7, 8), (120, 12, 14), (240, 17, 19), (2_000, 87, 87)])
def test_a_limit_of_three_percent_fails_from_so_many_flags_on(size: int, warning: int, critical: int) -> None:
    def fewest(odds: Odds) -> int:
        return next(k for k in range(size) if surely_above(k, size, 0.03, 0.015, odds))

    assert (fewest(WARNING), fewest(CRITICAL)) == (warning, critical)
