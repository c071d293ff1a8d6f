"""The share at fault behind a share flagged, with all that is not known of error rates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.evaluation import EvaluatorFacts
from modelward.evaluate.interval import Interval, wilson
from modelward.evaluate.statistics.correction import ErrorRates, corrected, error_rates, resolution
from modelward.evaluate.statistics.distributions import beta_cdf, beta_quantile, clopper_pearson, student_quantile
from modelward.evaluate.statistics.domains import prediction_margin
from modelward.evaluate.statistics.two_phase import StratumLabels, two_phase

rows = st.integers(50, 10_000)
counts = st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@st.composite
def rates(draw: st.DrawFn) -> ErrorRates:
    true, false = draw(st.integers(600_000, 1_000_000)), draw(st.integers(0, 150_000))
    margins = draw(st.integers(0, 100_000)), draw(st.integers(0, 100_000))
    found = error_rates(EvaluatorFacts("E", "1", true, false, draw(rows), draw(rows), *margins))
    assert found is not None
    return found


@given(counts, rates())
def test_bounds_enclose_the_value_and_stay_within_zero_and_one(kn: tuple[int, int], of: ErrorRates) -> None:
    found = corrected(wilson(*kn), of)
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(counts)
def test_a_count_is_taken_as_it_is(kn: tuple[int, int]) -> None:
    exact = error_rates(EvaluatorFacts("Count", "1"))
    assert exact is not None
    found, seen = corrected(wilson(*kn), exact), wilson(*kn)
    assert (found.value, found.low, found.high) == pytest.approx((seen.value, seen.low, seen.high))


@given(st.floats(0, 1))
def test_correction_undoes_what_the_evaluator_does(share: float) -> None:
    many = error_rates(EvaluatorFacts("E", "1", 850_000, 20_000, 10**9, 10**9))
    assert many is not None
    observed = share * 0.85 + (1 - share) * 0.02
    found = corrected(Interval(observed, observed, observed), many)
    assert (found.value, found.low, found.high) == pytest.approx((share, share, share), abs=1e-4)


@given(counts, rates(), st.integers(2, 50))
def test_more_samples_only_narrow(kn: tuple[int, int], of: ErrorRates, times: int) -> None:
    few, many = corrected(wilson(*kn), of), corrected(wilson(kn[0] * times, kn[1] * times), of)
    assert many.low >= few.low - 1e-9
    assert many.high <= few.high + 1e-9


@given(counts, st.integers(600_000, 1_000_000), st.integers(0, 150_000), st.integers(50, 2_000))
def test_more_labels_only_narrow(kn: tuple[int, int], true: int, false: int, labelled: int) -> None:
    few, many = (error_rates(EvaluatorFacts("E", "1", true, false, n, n)) for n in (labelled, labelled * 10))
    assert few is not None
    assert many is not None
    wide, narrow = corrected(wilson(*kn), few), corrected(wilson(*kn), many)
    assert narrow.high - narrow.low <= wide.high - wide.low + 1e-9


def test_rates_without_rows_are_exact_only_of_a_count() -> None:
    assert error_rates(EvaluatorFacts("Count", "1")) == ErrorRates()
    assert error_rates(EvaluatorFacts("Old", "1", 900_000, 20_000)) is None
    assert error_rates(EvaluatorFacts("Half", "1", 900_000, 20_000, 50, 0)) is None


def test_an_evaluator_that_may_be_no_better_than_chance_is_refused() -> None:
    unsure = error_rates(EvaluatorFacts("E", "1", 600_000, 400_000, 10, 10))
    assert unsure is not None
    with pytest.raises(ValueError, match="chance"):
        corrected(wilson(1, 10), unsure)


def test_what_an_evaluator_resolves_grows_with_what_is_not_known_of_it() -> None:
    def of(labelled: int, margin: int) -> float:
        found = error_rates(EvaluatorFacts("E", "1", 700_000, 55_000, labelled, labelled, 0, margin))
        assert found is not None
        return resolution(found, above=True)

    assert of(10**9, 0) == pytest.approx(0, abs=1e-4)
    assert of(10**9, 0) < of(1_000, 0) < of(50, 0) < of(50, 50_000)
    assert resolution(ErrorRates(), above=True) == resolution(ErrorRates(), above=False) == 0


def test_published_values() -> None:
    # NIST/SEMATECH tables of Student's t; Clopper and Pearson's interval of 5 of 20 (Brown, Cai and DasGupta 2001).
    assert student_quantile(1) == pytest.approx(12.706, abs=1e-3)
    assert student_quantile(4) == pytest.approx(2.776, abs=1e-3)
    assert student_quantile(10_000) == pytest.approx(1.960, abs=1e-3)
    assert beta_cdf(0.5, 2, 3) == pytest.approx(0.6875)
    assert (clopper_pearson(5, 20).low, clopper_pearson(5, 20).high) == pytest.approx((0.0866, 0.4910), abs=1e-4)
    assert prediction_margin([0.1, 0.2, 0.3]) == pytest.approx(4.3027 * 0.1 * (4 / 3) ** 0.5, rel=1e-4)
    assert prediction_margin([0.1]) == 0


@given(st.floats(0.001, 0.999), st.floats(0.5, 200), st.floats(0.5, 200))
def test_a_quantile_is_where_its_share_is(share: float, a: float, b: float) -> None:
    assert beta_cdf(beta_quantile(share, a, b), a, b) == pytest.approx(share, abs=1e-6)


@given(counts, st.integers(0, 50), st.integers(0, 50), st.integers(50, 80))
def test_labels_of_both_strata_enclose_their_share(kn: tuple[int, int], above: int, below: int, labelled: int) -> None:
    found = two_phase(*kn, StratumLabels(above, labelled), StratumLabels(below, labelled))
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_no_label_says_nothing() -> None:
    found = two_phase(50, 100, StratumLabels(0, 0), StratumLabels(0, 0))
    assert found.high - found.low > 0.49
    with pytest.raises(ValueError, match="not a share"):
        two_phase(3, 2, StratumLabels(1, 2), StratumLabels(1, 2))
