"""A verdict is decided by bounds, and what is missing is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.evaluation import Counts, EvaluatorFacts
from modelward.api.quantity import percent_text as percent
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.verdict import decide

EXACT = EvaluatorFacts("Exact", "1")
NOISE = "ThresholdBelowEvaluatorNoise"
TEN_PERCENT = VerdictRule(fail_above_ppm=100_000, min_samples=50)


def equal(samples: int, flagged: int, *, skipped: int = 0, failed: int = 0, weight: float = 1.0) -> Counts:
    return Counts(samples, flagged, skipped, failed, samples * weight, samples * weight * weight, flagged * weight)


def test_a_share_clearly_above_fails_with_its_evidence() -> None:
    verdict = decide(equal(140, 43), EXACT, TEN_PERCENT)
    assert (verdict.verdict, verdict.reason, verdict.samples) == ("Failed", "AboveLimit", 140)
    assert verdict.message == "31% (24-39) > 10%, n=140"


def test_a_share_clearly_below_passes() -> None:
    assert decide(equal(400, 10), EXACT, TEN_PERCENT).message == "2.5% (1.4-4.5) < 10%, n=400"


def test_an_interval_around_the_limit_is_unknown() -> None:
    verdict = decide(equal(60, 6), EXACT, TEN_PERCENT)
    assert (verdict.verdict, verdict.reason) == ("Unknown", "NearThreshold")
    assert verdict.message.endswith("around 10%, n=60")


def test_a_limit_of_none_fails_at_the_first_fault_and_says_that_it_never_passes() -> None:
    none = VerdictRule(fail_above_ppm=0, min_samples=50)
    assert decide(equal(100, 1), EXACT, none).verdict == "Failed"
    clean = decide(equal(100, 0), EXACT, none)
    assert (clean.verdict, clean.reason) == ("Unknown", "NearThreshold")
    assert clean.message == "0% (0-3.7) around 0%, n=100; a limit of 0% can fail and never pass"


def test_a_score_that_must_not_fall_is_judged_the_other_way() -> None:
    rule = VerdictRule(fail_below_ppm=800_000, min_samples=50)
    assert decide(equal(200, 190), EXACT, rule).verdict == "Passed"
    assert decide(equal(200, 100), EXACT, rule).verdict == "Failed"


@pytest.mark.parametrize(
    ("counts", "missing", "facts", "reason"),
    [
        (Counts(), "", EXACT, "NoTraffic"),
        (Counts(), "NoTraffic", EXACT, "NoTraffic"),
        (equal(0, 0, skipped=70), "NoCapture", EXACT, "NoCapture"),
        (Counts(), "EvaluatorFailing", EXACT, "EvaluatorFailing"),
        (equal(0, 0, skipped=70), "", EXACT, "TooFewSamples"),
        (equal(0, 0, failed=70), "", EXACT, "EvaluatorFailing"),
        (equal(80, 0, failed=20), "", EXACT, "EvaluatorFailing"),
        (equal(49, 0), "", EXACT, "TooFewSamples"),
        (equal(100, 0), "", EvaluatorFacts("Blind", "1", 300_000, 250_000, 500, 500), "NotCalibrated"),
        (equal(100, 0), "", EvaluatorFacts("Inverse", "1", 100_000, 250_000, 500, 500), "NotCalibrated"),
        (equal(100, 0), "", EvaluatorFacts("Few", "1", 700_000, 300_000, 20, 20), "NotCalibrated"),
        (equal(100, 0), "", EvaluatorFacts("Unknown", "1", 900_000, 10_000), "NotCalibrated"),
        (Counts(), "", EvaluatorFacts("Unsure", "1", 900_000, 50_000, 50, 50, 0, 90_000), "NoTraffic"),
        (Counts(), "", EvaluatorFacts("Unsure", "1", 900_000, 110_000, 50, 50, 0, 90_000), NOISE),
    ],
)
def test_what_is_missing_is_unknown_with_its_reason(
    counts: Counts, missing: str, facts: EvaluatorFacts, reason: str
) -> None:
    verdict = decide(counts, facts, TEN_PERCENT, missing=missing)
    assert (verdict.verdict, verdict.reason) == ("Unknown", reason)
    assert verdict.message


def test_too_few_says_how_many_of_how_many() -> None:
    assert decide(equal(12, 1), EXACT, TEN_PERCENT).message == "12 of 50 samples"
    strict = VerdictRule(fail_above_ppm=10_000, min_samples=50)
    assert decide(equal(12, 0), EXACT, strict).message == "12 of 50 samples; about 390 are needed at 1%"
    good = VerdictRule(fail_below_ppm=990_000, min_samples=50)
    assert decide(equal(12, 12), EXACT, good).message == "12 of 50 samples; about 390 are needed at 99%"


def test_too_few_to_tell_is_not_called_around_the_limit() -> None:
    verdict = decide(equal(60, 3), EXACT, TEN_PERCENT)
    assert (verdict.verdict, verdict.reason) == ("Unknown", "TooFewSamples")
    assert verdict.message == "5% (1.7-14); 60 of about 140 samples needed to tell it from 10%"
    noisy = EvaluatorFacts("Noisy", "1", 850_000, 120_000, 5_000, 5_000)
    assert decide(equal(60, 3), noisy, TEN_PERCENT).message == "0% (0-2.4) < 10%, n=60"


@given(st.integers(1, 3_000), st.floats(0, 1), st.integers(1, 999_999), st.booleans())
def test_as_many_as_are_said_to_be_needed_do_decide(samples: int, share: float, limit: int, above: bool) -> None:
    rule = (
        VerdictRule(fail_above_ppm=limit, min_samples=1) if above else VerdictRule(fail_below_ppm=limit, min_samples=1)
    )
    verdict = decide(equal(samples, round(share * samples)), EXACT, rule)
    if " needed " not in verdict.message:
        return
    enough = int(verdict.message.partition(" of about ")[2].split()[0])
    assert enough > samples
    times = -(-enough // samples) + 1
    assert decide(equal(samples * times, round(share * samples) * times), EXACT, rule).verdict != "Unknown"


def test_the_evaluators_own_false_alarms_do_not_fail_an_endpoint() -> None:
    facts = EvaluatorFacts("Noisy", "1", 850_000, 120_000, 5_000, 5_000)
    assert decide(equal(2_000, 240), EXACT, TEN_PERCENT).verdict == "Failed"
    assert decide(equal(2_000, 240), facts, TEN_PERCENT).verdict == "Passed"


def test_unequal_weights_widen_the_interval() -> None:
    even, uneven = equal(100, 20), Counts(100, 20, 0, 0, 100.0, 900.0, 20.0)
    narrow, wide = decide(even, EXACT, TEN_PERCENT), decide(uneven, EXACT, TEN_PERCENT)
    assert narrow.rate_ppm == wide.rate_ppm == 200_000
    assert (narrow.verdict, wide.verdict) == ("Failed", "Unknown")


@given(st.integers(0, 3_000), st.integers(0, 3_000), st.integers(0, 400), st.floats(1, 50), st.integers(0, 10**6))
def test_decides_only_on_enough_samples_and_one_side_of_the_limit(
    samples: int, flagged: int, failed: int, weight: float, limit: int
) -> None:
    counts = equal(samples, min(flagged, samples), failed=failed, weight=weight)
    rule = VerdictRule(fail_above_ppm=limit, min_samples=50)
    verdict = decide(counts, EvaluatorFacts("E", "1", 900_000, 50_000, 300, 300), rule)
    if verdict.verdict == "Unknown":
        return
    assert verdict.low_ppm is not None
    assert verdict.high_ppm is not None
    assert samples >= 50
    assert failed <= 0.1 * (samples + failed)
    assert verdict.low_ppm > limit if verdict.verdict == "Failed" else verdict.high_ppm < limit


@given(st.integers(50, 2_000), st.integers(0, 2_000), st.integers(0, 999_999))
def test_a_stricter_limit_never_turns_a_failure_into_a_pass(samples: int, flagged: int, limit: int) -> None:
    order = {"Failed": 0, "Unknown": 1, "Passed": 2}
    counts = equal(samples, min(flagged, samples))
    strict, loose = (decide(counts, EXACT, VerdictRule(fail_above_ppm=at)) for at in (limit, limit + 1))
    assert order[strict.verdict] <= order[loose.verdict]


def test_a_rule_has_one_limit() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        VerdictRule()
    with pytest.raises(ValueError, match="exactly one"):
        VerdictRule(fail_above_ppm=1, fail_below_ppm=1)


@pytest.mark.parametrize(
    ("ppm", "text"), [(310_000, "31%"), (0, "0%"), (1_500, "0.15%"), (200, "0.02%"), (25_000, "2.5%"), (10**6, "100%")]
)
def test_percentages_read_well(ppm: int, text: str) -> None:
    assert percent(ppm) == text


FEW_LABELS = EvaluatorFacts("Checked", "1", 850_000, 50_000, 50, 50)


def test_error_rates_from_few_labels_fail_only_what_they_can_tell() -> None:
    twelve = round(2_000 * (0.12 * 0.85 + 0.88 * 0.05))
    exact = EvaluatorFacts("Exact", "1", 850_000, 50_000, 10**6, 10**6)
    assert decide(equal(2_000, twelve), exact, TEN_PERCENT).verdict == "Failed"
    unsure = decide(equal(2_000, twelve), FEW_LABELS, TEN_PERCENT)
    assert (unsure.verdict, unsure.reason) == ("Unknown", "NearThreshold")
    assert unsure.message == (
        "12% (0-17) around 10%, n=2000; its error rates are not known well enough for more samples to tell"
    )


def test_a_limit_below_what_the_evaluator_resolves_is_refused_with_both_numbers() -> None:
    elsewhere = EvaluatorFacts("Topic", "1", 710_000, 55_000, 1_000, 1_000, 150_000, 70_000)
    strict = decide(equal(2_000, 1_500), elsewhere, VerdictRule(fail_above_ppm=20_000))
    assert (strict.verdict, strict.reason) == ("Unknown", NOISE)
    assert (
        strict.message == "failAbove 2% is below 7.8%, where Topic can no longer tell it from no fault: FPR 5.5% (0-13)"
    )
    assert decide(equal(2_000, 1_500), elsewhere, VerdictRule(fail_above_ppm=80_000)).verdict == "Failed"
    high = decide(equal(2_000, 1_500), elsewhere, VerdictRule(fail_below_ppm=990_000))
    assert high.reason == NOISE
    assert high.message == (
        "failBelow 99% is above 81%, where Topic can no longer tell it from faultless: TPR 71% (56-86)"
    )


@given(st.integers(20, 5_000), st.integers(0, 100_000), st.booleans())
def test_a_faultless_endpoint_passes_every_limit_that_is_accepted(rows: int, false_ppm: int, above: bool) -> None:
    facts = EvaluatorFacts("E", "1", 900_000, false_ppm, rows, rows)
    share = false_ppm / 1e6 if above else 0.9
    counts = equal(10**9, round(share * 10**9))
    for limit in range(0, 1_000_000, 50_000):
        rule = VerdictRule(fail_above_ppm=limit) if above else VerdictRule(fail_below_ppm=1_000_000 - limit)
        verdict = decide(counts, facts, rule)
        assert verdict.verdict == "Passed" or verdict.reason in (NOISE, "NearThreshold")
        if verdict.reason == "NearThreshold":
            assert decide(counts, facts, _looser(rule, 1_000)).verdict == "Passed"


def _looser(rule: VerdictRule, by_ppm: int) -> VerdictRule:
    if rule.fail_above_ppm is not None:
        return VerdictRule(fail_above_ppm=rule.fail_above_ppm + by_ppm)
    return VerdictRule(fail_below_ppm=rule.limit_ppm - by_ppm)


def test_how_many_are_needed_counts_the_evaluators_own_errors() -> None:
    few = decide(equal(12, 0), FEW_LABELS, TEN_PERCENT)
    assert few.message == "12 of 50 samples; about 78 are needed at 10%"
