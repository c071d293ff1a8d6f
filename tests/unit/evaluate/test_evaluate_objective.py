"""Objectives are decided by the share of requests beyond them, not by a point on a curve."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from modelward.evaluate.interval import wilson
from modelward.evaluate.objective import DurationBins, decide_latency, decide_rate, histogram_from_cumulative
from modelward.evaluate.statistics.sequence import HEALTHY_PART, surely_above
from modelward.status.judgement import READING_ODDS

ODDS = {str(severity): odds for severity, odds in READING_ODDS.items()}
BOUNDS = (100.0, 200.0, 400.0, 800.0, 1_600.0)
histograms = st.lists(st.integers(0, 5_000), min_size=6, max_size=6).map(lambda c: DurationBins(BOUNDS, tuple(c)))


def latency(counts: tuple[int, ...], limit_ms: int = 800) -> tuple[str, str]:
    verdict = decide_latency(
        DurationBins(BOUNDS, counts), percentile_ppm=950_000, max_duration_ms=limit_ms, min_requests=100
    )
    return verdict.verdict, verdict.reason


def test_far_fewer_slow_requests_than_allowed_pass() -> None:
    verdict = decide_latency(
        DurationBins(BOUNDS, (300, 500, 190, 8, 2, 0)), percentile_ppm=950_000, max_duration_ms=800, min_requests=100
    )
    assert (verdict.verdict, verdict.unit, verdict.value) == ("Passed", "ms", 358)
    assert verdict.message == "p95 358ms (344ms-372ms) < 800ms, n=1000"


def test_more_slow_requests_than_allowed_fail() -> None:
    assert latency((300, 300, 200, 50, 100, 50)) == ("Failed", "AboveLimit")


def test_too_few_requests_to_bound_a_percentile_from_above_say_so() -> None:
    verdict = decide_latency(
        DurationBins(BOUNDS, (0, 20, 0, 0, 0, 0)), percentile_ppm=950_000, max_duration_ms=50, min_requests=20
    )
    assert verdict.high is None
    assert verdict.message == "p95 195ms (185ms or more) > 50ms, n=20"


def test_too_few_requests_to_tell_are_not_called_around_the_limit() -> None:
    fast = decide_latency(
        DurationBins(BOUNDS, (25, 0, 0, 0, 0, 0)), percentile_ppm=950_000, max_duration_ms=3_000, min_requests=20
    )
    assert (fast.verdict, fast.reason) == ("Unknown", "TooFewSamples")
    assert fast.message == "p95 95ms (86ms or more); 25 of about 73 requests needed to tell it from 3000ms"
    none = decide_rate(requests=42, errors=0, max_rate_ppm=20_000, min_requests=20)
    assert none.message == "0% (0-8.4); 42 of about 190 requests needed to tell it from 2%"
    few = decide_rate(requests=7, errors=0, max_rate_ppm=20_000, min_requests=20)
    assert few.message == "7 of 20 requests; about 190 are needed at 2%"


@pytest.mark.parametrize(
    ("bounds", "limit_ms", "message"),
    [
        ((1_000.0, 2_000.0), 30_000, "p95 1.95s (1.94s-1.96s) < 30s, n=1000"),
        ((10_000.0, 12_679.0), 60_000, "p95 12.5s (12.5s-12.6s) < 60s, n=1000"),
        ((1_000.0, 2_000.0), 3_000, "p95 1950ms (1936ms-1964ms) < 3000ms, n=1000"),
    ],
)
def test_one_message_has_one_unit_and_the_value_of_status(
    bounds: tuple[float, ...], limit_ms: int, message: str
) -> None:
    found = decide_latency(
        DurationBins(bounds, (0, 1_000, 0)), percentile_ppm=950_000, max_duration_ms=limit_ms, min_requests=100
    )
    assert found.message == message
    assert found.shown == message.split()[1]


@given(st.integers(1, 100_000), st.integers(0, 100_000), st.integers(0, 1_000_000))
def test_a_rate_is_written_alike_in_value_and_message(requests: int, errors: int, limit: int) -> None:
    found = decide_rate(requests=requests, errors=min(errors, requests), max_rate_ppm=limit, min_requests=1)
    assert found.message.startswith(f"{found.shown} (")


def test_a_share_near_the_allowance_is_unknown() -> None:
    assert latency((300, 300, 300, 50, 25, 25)) == ("Unknown", "NearThreshold")


def test_a_limit_inside_a_bucket_is_not_guessed() -> None:
    # 100 of 1000 are between 400 and 800 ms: with the limit at 600 ms the side is unknown.
    assert latency((600, 200, 100, 100, 0, 0), limit_ms=600) == ("Unknown", "NearThreshold")
    assert latency((600, 200, 100, 100, 0, 0), limit_ms=400) == ("Failed", "AboveLimit")


def test_too_few_requests_decide_nothing() -> None:
    assert latency((50, 0, 0, 0, 0, 49)) == ("Unknown", "TooFewSamples")
    assert latency((0, 0, 0, 0, 0, 0)) == ("Unknown", "NoTraffic")


def test_error_rates_are_decided_by_bounds() -> None:
    def rate(requests: int, errors: int) -> tuple[str, str]:
        verdict = decide_rate(requests=requests, errors=errors, max_rate_ppm=10_000, min_requests=100)
        return verdict.verdict, verdict.reason

    assert rate(5_000, 10) == ("Passed", "BelowLimit")
    assert rate(1_000, 40) == ("Failed", "AboveLimit")
    assert rate(200, 2) == ("Unknown", "NearThreshold")
    assert rate(99, 99) == ("Unknown", "TooFewSamples")
    assert rate(0, 0) == ("Unknown", "NoTraffic")


@given(histograms, st.sampled_from([100, 150, 400, 800, 1_600, 5_000]))
def test_at_least_is_never_more_than_at_most(histogram: DurationBins, limit_ms: int) -> None:
    at_least, at_most = histogram.slower(limit_ms)
    assert 0 <= at_least <= at_most <= histogram.total


@given(histograms, st.floats(0.01, 1), st.floats(0.01, 1))
def test_quantiles_rise_and_stay_within_the_bounds(histogram: DurationBins, a: float, b: float) -> None:
    low, high = (histogram.quantile_ms(q) for q in sorted((a, b)))
    if histogram.total:
        assert low is not None
        assert high is not None
        assert 0 <= low <= high <= BOUNDS[-1]
    else:
        assert low is high is None


def test_cumulative_buckets_that_fall_are_not_negative_counts() -> None:
    histogram = histogram_from_cumulative((100.0, 200.0), (5, 4, 9))
    assert histogram.counts == (5, 0, 4)


def test_buckets_must_fit_their_bounds() -> None:
    with pytest.raises(ValueError, match="bounds must rise"):
        DurationBins((2.0, 1.0), (0, 0, 0))


READINGS, WINDOWS, NEW = 288, 12, 10
"""Of a day; that the window of an hour holds; requests between two of them."""


def errors_of_the_hour(share: float, days: int) -> NDArray[np.int64]:
    """Return the errors that each reading of some days sees in its last hour."""
    drawn = np.random.default_rng(11).binomial(NEW, share, (days, READINGS + WINDOWS - 1))
    summed: NDArray[np.int64] = np.lib.stride_tricks.sliding_window_view(drawn, WINDOWS, axis=1).sum(axis=-1)
    return summed


def failed(errors: int, severity: str) -> bool:
    found = decide_rate(
        requests=NEW * WINDOWS, errors=errors, max_rate_ppm=30_000, min_requests=20, odds=ODDS[severity]
    )
    return found.verdict == "Failed"


@pytest.mark.parametrize("severity", ["Warning", "Critical"])
def test_a_healthy_endpoint_that_is_asked_all_day_does_not_fail(severity: str) -> None:
    """At half its limit, 288 readings a day; by a 95 % interval, as before, it failed on one day in twenty."""
    seen = errors_of_the_hour(0.015, 1_000)
    fails = np.array([failed(errors, severity) for errors in range(seen.max() + 1)])
    above = np.array([wilson(errors, NEW * WINDOWS).low > 0.03 for errors in range(seen.max() + 1)])
    assert fails[seen].any(axis=1).sum() == 0
    assert above[seen].any(axis=1).mean() > 0.02, "what is asked is not asked in vain"


def test_an_endpoint_at_its_limit_seldom_fails_and_one_beyond_it_does() -> None:
    fails = np.array([failed(errors, "Warning") for errors in range(NEW * WINDOWS + 1)])
    assert fails[errors_of_the_hour(0.03, 400)].any(axis=1).mean() < 0.25
    assert fails[errors_of_the_hour(0.25, 50)].all(axis=1).mean() > 0.9


def test_what_is_above_the_limit_and_not_yet_surely_is_told() -> None:
    found = decide_rate(requests=400, errors=14, max_rate_ppm=20_000, min_requests=20)
    assert (found.verdict, found.reason) == ("Unknown", "TooFewSamples")
    assert found.message.startswith("3.5% (2.1-5.8) > 2%, not yet surely; 400 of about ")
    slow = decide_latency(
        DurationBins(BOUNDS, (180, 0, 0, 0, 0, 20)), percentile_ppm=950_000, max_duration_ms=800, min_requests=20
    )
    assert (slow.verdict, slow.reason) == ("Unknown", "TooFewSamples")
    assert "> 800ms, not yet surely; 200 of about " in slow.message


@given(st.integers(1, 5_000), st.floats(0.001, 0.3), st.sampled_from(["Warning", "Critical"]))
def test_more_errors_never_make_less_of_a_failure(requests: int, limit: float, severity: str) -> None:
    verdicts = [
        decide_rate(
            requests=requests, errors=errors, max_rate_ppm=round(limit * 1e6), min_requests=1, odds=ODDS[severity]
        ).verdict
        for errors in range(0, requests + 1, max(1, requests // 40))
    ]
    order = [("Passed", "Unknown", "Failed").index(one) for one in verdicts]
    assert order == sorted(order)


@pytest.mark.parametrize(("requests", "limit"), [(120, 0.01), (120, 0.05), (1_200, 0.05)])
def test_a_critical_objective_that_is_read_all_day_fails_once_in_100_000_days(requests: int, limit: float) -> None:
    """The sum over 5,760 readings bounds what overlapping windows can do; with the odds of windows it was 18,000."""
    odds = READING_ODDS["Critical"]
    fewest = next(bad for bad in range(requests + 1) if surely_above(bad, requests, limit, HEALTHY_PART * limit, odds))
    half = limit / 2
    chance = 1 - math.fsum(math.comb(requests, k) * half**k * (1 - half) ** (requests - k) for k in range(fewest))
    assert chance * 5_760 < 1 / 100_000
