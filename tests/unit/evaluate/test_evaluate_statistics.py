"""Means and percentiles of values and numbers, from bins that merge."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.evaluation import Counts, EvaluatorFacts, WindowResult, result_from_json, result_to_json
from modelward.api.exchange import Exchange
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.score import Score
from modelward.evaluate.scoring import counts
from modelward.evaluate.statistics.bounded_mean import mean
from modelward.evaluate.statistics.histogram import binned, edges, number_bin, value_bin
from modelward.evaluate.statistics.quantile import quantile
from modelward.evaluate.statistics.sequence import WARNING
from modelward.evaluate.verdict import decide

EXACT = EvaluatorFacts("Scores", "1")
values = st.lists(st.floats(0, 1), min_size=1, max_size=25)
numbers = st.floats(-1e12, 1e12)


def scored(found: list[float], *, of_number: bool = False, statistic: str = "P50", conversation: str = "") -> Counts:
    rows = []
    for place, one in enumerate(found):
        exchange = Exchange(
            id=str(place), time_ms=place, endpoint="ns/chat", model="m", revision="r", operation="chat", status=200,
            outcome="ok", content="Redacted", conversation=conversation,
        )  # fmt: skip
        value, number = (None, one) if of_number else (one, None)
        rows.append((exchange, Score(str(place), "Scored", value=value, number=number)))
    return counts(rows, statistic)  # type: ignore[arg-type]


@given(st.floats(0, 1))
def test_a_value_lies_within_its_bin(value: float) -> None:
    low, high = edges(value_bin(value))
    assert low - 1e-9 <= value <= high + 1e-9
    assert high - low <= 0.005 + 1e-9


@given(numbers)
def test_a_number_is_known_to_two_percent(number: float) -> None:
    low, high = edges(number_bin(number))
    assert low - 1e-6 <= number <= high + 1e-6 or abs(number) < 1e-9
    assert abs((low + high) / 2 - number) <= 0.02 * abs(number) + 1e-9


@given(numbers, numbers)
def test_bins_are_in_the_order_of_numbers(one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert number_bin(small) <= number_bin(large)
    assert edges(number_bin(small))[0] <= edges(number_bin(large))[0]


@given(values)
def test_bounds_enclose_every_statistic(found: list[float]) -> None:
    bins = binned((value_bin(one), 1.0) for one in found)
    for interval in (mean(bins, len(found)), *(quantile(bins, len(found), share) for share in (0.5, 0.9, 0.99))):
        assert interval.low <= interval.value <= interval.high
    assert mean(bins, len(found)).value == pytest.approx(math.fsum(found) / len(found), abs=0.0051)


@given(values, st.integers(2, 20))
def test_more_of_the_same_only_narrows_a_mean(found: list[float], times: int) -> None:
    bins = binned((value_bin(one), 1.0) for one in found)
    few, many = mean(bins, len(found)), mean(bins, len(found) * times)
    assert many.low >= few.low - 1e-4
    assert many.high <= few.high + 1e-4


def test_what_has_no_value_has_no_statistic() -> None:
    with pytest.raises(ValueError, match="no quantile"):
        quantile((), 1, 0.5)
    with pytest.raises(ValueError, match="no mean"):
        mean((), 1)


@given(values, st.integers(0, 25))
def test_windows_merge_to_the_bins_of_all(found: list[float], cut: int) -> None:
    whole, parts = scored(found), scored(found[:cut]) + scored(found[cut:])
    assert parts.histogram == whole.histogram
    assert scored(found, statistic="Share").histogram == ()


def test_results_keep_their_bins() -> None:
    result = WindowResult("ns", "chat", "p", "e", 1, 2, "run", EXACT, {"r": scored([0.1, 0.5, 0.5])})
    assert result_from_json(result_to_json(result)) == result


def test_a_low_mean_fails_below_its_limit_and_a_high_one_passes() -> None:
    rule = VerdictRule(fail_below_ppm=800_000, statistic="Mean")
    good = decide(scored([0.9, 0.95] * 200), EXACT, rule)
    assert (good.verdict, good.reason) == ("Passed", "AboveLimit")
    assert good.message.startswith("mean 92% (")
    assert decide(scored([0.5, 0.6] * 200), EXACT, rule).verdict == "Failed"
    assert decide(scored([0.78, 0.81] * 50), EXACT, rule).verdict == "Unknown"


def test_a_percentile_of_numbers_is_told_in_their_unit() -> None:
    rule = VerdictRule(fail_above_ppm=12_000_000, statistic="P90", unit="grade")
    found = [float(place % 10 + 1) for place in range(500)]
    passed = decide(scored(found, of_number=True), EXACT, rule)
    assert (passed.verdict, passed.message) == ("Passed", "p90 9.17 (8.99-10.1) grade < 12 grade, n=500")
    failed = decide(scored([one * 2 for one in found], of_number=True), EXACT, rule)
    assert failed.verdict == "Failed"


def test_a_bound_that_samples_do_not_reach_is_open() -> None:
    rule = VerdictRule(fail_above_ppm=900_000_000, min_samples=10, statistic="P99", unit="ms")
    verdict = decide(scored([100.0] * 20, of_number=True), EXACT, rule)
    assert (verdict.verdict, verdict.high_ppm) == ("Unknown", None)
    assert "or more" in verdict.message or "unbounded" in verdict.message


def test_samples_without_a_value_are_not_counted() -> None:
    rule = VerdictRule(fail_below_ppm=500_000, min_samples=100, statistic="P50")
    before = scored([0.9] * 150, statistic="Share")
    verdict = decide(before + scored([0.9] * 60), EXACT, rule)
    assert (verdict.verdict, verdict.reason, verdict.samples) == ("Unknown", "TooFewSamples", 60)
    assert verdict.message.startswith("60 of 100 samples; 150 have no value")
    assert decide(before, EXACT, rule).reason == "TooFewSamples"


def test_a_conversation_is_one_sample_of_a_percentile() -> None:
    rule = VerdictRule(fail_below_ppm=500_000, min_samples=1, statistic="P50")
    assert decide(scored([0.9] * 100), EXACT, rule).verdict == "Passed"
    assert decide(scored([0.9] * 100, conversation="one"), EXACT, rule).verdict == "Unknown"


@given(values, st.integers(1, 999_999), st.sampled_from(["Mean", "P50", "P99"]), st.booleans())
def test_only_a_whole_interval_beside_the_limit_decides(
    found: list[float], limit: int, statistic: str, above: bool
) -> None:
    rule = VerdictRule(limit, None, 1, statistic) if above else VerdictRule(None, limit, 1, statistic)  # type: ignore[arg-type]
    verdict = decide(scored(found), EXACT, rule)
    if verdict.verdict == "Unknown":
        return
    assert verdict.low_ppm is not None
    assert verdict.high_ppm is not None
    assert verdict.low_ppm > limit or verdict.high_ppm < limit
    other = replace(rule, fail_above_ppm=rule.fail_below_ppm, fail_below_ppm=rule.fail_above_ppm)
    assert {verdict.verdict, decide(scored(found), EXACT, other).verdict} == {"Passed", "Failed"}


@pytest.mark.parametrize("statistic", ["Mean", "P50", "P90"])
def test_a_statistic_that_is_watched_fails_and_passes(statistic: str) -> None:
    watched = VerdictRule(None, 800_000, 10, statistic, odds=WARNING)  # type: ignore[arg-type]
    assert decide(scored([0.5] * 400), EXACT, watched).verdict == "Failed"
    assert decide(scored([0.95] * 400), EXACT, watched).verdict == "Passed"


def test_a_percentile_that_is_watched_fails_on_surer_evidence_than_once() -> None:
    once = VerdictRule(None, 800_000, 10, "P50")
    mixed = scored([0.5, 0.5, 0.5, 0.95, 0.95] * 25)
    assert decide(mixed, EXACT, once).verdict == "Failed"
    unsure = decide(mixed, EXACT, replace(once, odds=WARNING))
    assert (unsure.verdict, unsure.reason) == ("Unknown", "TooFewSamples")
    assert unsure.message == "p50 50% (50-50) < 80%, not yet surely, n=125"
    assert decide(mixed + mixed + mixed + mixed, EXACT, replace(once, odds=WARNING)).verdict == "Failed"


def test_a_percentile_of_numbers_that_is_watched_fails_above_its_limit() -> None:
    rule = VerdictRule(12_000_000, None, 10, "P90", "grade", WARNING)
    assert decide(scored([20.0] * 300, of_number=True), EXACT, rule).verdict == "Failed"
    assert decide(scored([4.0] * 300, of_number=True), EXACT, rule).verdict == "Passed"
