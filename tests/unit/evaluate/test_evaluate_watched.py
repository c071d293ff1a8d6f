"""A verdict that is taken after each window fails seldom without a cause, and soon with one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.evaluation import Counts, EvaluatorFacts
from modelward.evaluate.obstacles import usable
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.statistics.correction import ErrorRates
from modelward.evaluate.statistics.sequence import CRITICAL, WARNING
from modelward.evaluate.verdict import Verdict, decide
from modelward.evaluate.watched import SlidingSet, failing, surely_fails

MINUTE_MS = 60_000
EXACT = EvaluatorFacts("Exact", "1")
NOISY = EvaluatorFacts("Noisy", "1", 900_000, 50_000, 400, 400)
RULE = VerdictRule(fail_above_ppm=30_000, odds=WARNING)


def window(samples: int, flagged: int, weight: float = 1.0) -> Counts:
    return Counts(samples, flagged, 0, 0, samples * weight, samples * weight * weight, flagged * weight)


def watched(*newest_first: Counts, rule: VerdictRule = RULE, facts: EvaluatorFacts = EXACT) -> Verdict:
    sliding = SlidingSet(newest_first, len(newest_first) * 5 * MINUTE_MS, 60 * MINUTE_MS)
    return decide(sum(newest_first, Counts()), facts, rule, sliding=sliding)


def test_a_jump_from_one_to_ten_percent_fails_after_six_windows_of_twenty() -> None:
    before = [window(20, flagged) for flagged in (0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0)]
    after = [window(20, 2)] * 6
    for windows in range(6):
        assert watched(*[*after[:windows], *before][:12]).verdict != "Failed", windows
    found = watched(*[*after, *before][:12])
    assert (found.verdict, found.reason, found.samples) == ("Failed", "AboveLimit", 120)
    assert found.message == "10% (5.8-17) > 3%, n=120 in the newest 6 of 12 windows"


def test_a_total_loss_fails_at_once() -> None:
    found = watched(window(20, 14), *[window(20, 0)] * 11)
    assert (found.verdict, found.samples) == ("Failed", 160)


def test_what_one_question_would_call_sure_is_not_when_it_is_asked_all_day() -> None:
    windows = [window(20, 1), window(20, 1), window(20, 1), window(20, 2)] * 2
    assert decide(sum(windows, Counts()), EXACT, replace(RULE, odds=None)).verdict == "Failed"
    found = watched(*windows)
    assert (found.verdict, found.reason) == ("Unknown", "TooFewSamples")
    assert found.message.startswith("6.2% (3.4-11) > 3%, not yet surely; about ")


def test_critical_asks_for_more_than_warning_and_one_verdict_for_less() -> None:
    windows = [window(20, 2)] * 6
    assert watched(*windows).verdict == "Failed"
    assert watched(*windows, rule=replace(RULE, odds=CRITICAL)).verdict == "Unknown"
    assert watched(*windows, window(20, 2), rule=replace(RULE, odds=CRITICAL)).verdict == "Unknown"
    assert watched(*[window(20, 3)] * 6, rule=replace(RULE, odds=CRITICAL)).verdict == "Failed"


def test_a_score_that_must_not_fall_is_watched_the_other_way() -> None:
    rule = VerdictRule(fail_below_ppm=970_000, odds=WARNING)
    assert watched(*[window(20, 18)] * 6, rule=rule).verdict == "Failed"
    assert watched(*[window(20, 19)] * 6, rule=rule).verdict == "Unknown"
    assert watched(*[window(200, 198)] * 6, rule=rule).verdict == "Passed"


def test_a_limit_of_none_fails_at_the_first_fault() -> None:
    assert watched(*[window(20, 0)] * 5, window(20, 1), rule=replace(RULE, fail_above_ppm=0)).verdict == "Failed"


@pytest.mark.parametrize(
    ("samples", "flagged", "message"),
    [
        (20, 0, "0% (0-3.1); about 5 more samples, 64s at this rate, would tell it from 3%"),
        (20, 1, "5% (2.3-10); about 870 samples would tell it from 3%, and 1h holds about 240"),
        (8, 0, "48 of 100 samples; about 130 are needed at 3%, 47m at this rate"),
    ],
)
def test_what_is_undecided_says_how_many_more_decide_and_in_about_how_long(
    samples: int, flagged: int, message: str
) -> None:
    assert watched(*[window(samples, flagged)] * 6).message == message


def test_the_wait_counts_from_the_first_sample_of_the_set() -> None:
    sliding = SlidingSet((window(20, 0), window(0, 0), window(10, 0)), 15 * MINUTE_MS, 60 * MINUTE_MS)
    assert (sliding.in_time(300), sliding.holds()) == (", 2h at this rate", 120)
    assert SlidingSet(()).in_time(10) == SlidingSet((window(5, 0),)).in_time(10) == ""
    assert SlidingSet((window(5, 0),)).holds() == float("inf")


def test_unequal_weights_take_more_samples() -> None:
    uneven = replace(window(20, 2), weight_squared=80.0)
    assert watched(*[window(20, 2)] * 6).verdict == "Failed"
    assert watched(*[uneven] * 6).verdict != "Failed"


def test_what_the_evaluator_flags_by_mistake_does_not_fail_even_where_its_rate_was_measured_too_low() -> None:
    limit = VerdictRule(fail_above_ppm=100_000, odds=WARNING)
    assert watched(*[window(100, 8)] * 12, rule=limit, facts=NOISY).verdict == "Passed"
    upper = usable(NOISY)
    assert upper is not None
    at_the_limit = upper.false_positive.high + 0.05 * upper.discrimination
    assert not surely_fails(at_the_limit, 2_000, upper, limit), "half the limit, with the worst false positive rate"
    assert watched(*[window(100, 30)] * 12, rule=limit, facts=NOISY).verdict == "Failed"


def test_a_rule_without_odds_is_not_watched() -> None:
    with pytest.raises(ValueError, match="odds"):
        surely_fails(0.5, 100, ErrorRates(), replace(RULE, odds=None))


WINDOWS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=1, max_size=12)


@given(WINDOWS, st.integers(1, 500_000), st.sampled_from([EXACT, NOISY]), st.booleans())
def test_a_failure_has_its_interval_beyond_the_limit(
    rows: list[tuple[int, int]], limit: int, facts: EvaluatorFacts, above: bool
) -> None:
    windows = [window(samples, min(samples, flagged)) for samples, flagged in rows]
    rule = (
        VerdictRule(fail_above_ppm=limit, min_samples=50, odds=WARNING)
        if above
        else VerdictRule(fail_below_ppm=1_000_000 - limit, min_samples=50, odds=WARNING)
    )
    found = watched(*windows, rule=rule, facts=facts)
    if found.verdict != "Failed":
        return
    assert found.low_ppm is not None
    assert found.high_ppm is not None
    assert found.low_ppm > limit if above else found.high_ppm < 1_000_000 - limit


@given(WINDOWS, st.integers(1, 500_000))
def test_what_fails_at_critical_fails_at_warning(rows: list[tuple[int, int]], limit: int) -> None:
    sliding = SlidingSet(tuple(window(samples, min(samples, flagged)) for samples, flagged in rows))
    rule = VerdictRule(fail_above_ppm=limit, odds=CRITICAL)
    critical, _ = failing(sliding, ErrorRates(), rule)
    warning, _ = failing(sliding, ErrorRates(), replace(rule, odds=WARNING))
    assert warning >= critical


@given(WINDOWS, st.integers(1, 500_000))
def test_what_it_needs_decides_at_the_rate_that_it_was_told_for(rows: list[tuple[int, int]], limit: int) -> None:
    windows = [window(samples, min(samples, flagged)) for samples, flagged in rows]
    rule = VerdictRule(fail_above_ppm=limit, min_samples=1, odds=WARNING)
    found = watched(*windows, rule=rule)
    if " more samples" not in found.message:
        return
    known = sum(samples for samples, _ in rows)
    more = int(found.message.partition("about ")[2].split()[0])
    times = -(-(known + more) // known)
    assert (
        watched(*[window(one.samples * times, one.flagged * times) for one in windows], rule=rule).verdict != "Unknown"
    )
