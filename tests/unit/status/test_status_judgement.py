"""From readings and results to verdicts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from status_specimens import (
    HOUR_MS,
    MINUTE_MS,
    NOW_MS,
    counts,
    evaluation,
    history,
    latency,
    objective,
    result,
)

from modelward.api.evaluation import WindowResult
from modelward.api.llmendpoint import EvaluationStatus, MetricStatus
from modelward.api.quantity import timestamp
from modelward.desired.finding import Finding
from modelward.metrics.histogram import Histogram
from modelward.metrics.signals import Signal
from modelward.metrics.window import History
from modelward.reasons.checks import CheckReason
from modelward.status.evaluation_judgement import judge_evaluation
from modelward.status.evaluation_rule import rule_of
from modelward.status.judgement import JudgementInput
from modelward.status.objective_judgement import judge_objective
from modelward.status.revision import Revision

R1 = Revision("r1", ("r1",))
SEEN = JudgementInput(R1, 1_000_000)
GOOD, BAD = counts(400, 4), counts(400, 200)


def judged(
    *results: WindowResult,
    sight: JudgementInput = SEEN,
    now_ms: int = NOW_MS,
    before: EvaluationStatus | None = None,
    **asked: Any,
) -> EvaluationStatus:
    check, status = judge_evaluation(evaluation(**asked), results, sight, now_ms, before)
    assert (check.verdict, check.reason) == (status.verdict, status.reason)
    return status


def measured(
    metric: str, readings: History, sight: JudgementInput = SEEN, before: MetricStatus | None = None
) -> MetricStatus:
    check, status = judge_objective(objective(metric), readings, sight, NOW_MS, before)
    assert (check.verdict, check.reason, check.concern) == (status.verdict, status.reason, "Objectives")
    return status


def served(requests: int, errors: int | None = None, hist: Histogram | None = None) -> History:
    totals = {Signal.REQUESTS: float(requests)}
    if errors is not None:
        totals[Signal.ERRORS] = float(errors)
    return history(totals, {Signal.TTFT: hist} if hist else {})


@pytest.mark.parametrize(
    ("metric", "readings", "verdict", "reason"),
    [
        ("TimeToFirstToken", served(1_000, hist=latency(1_000, 0)), "Passed", "BelowLimit"),
        ("TimeToFirstToken", served(1_000, hist=latency(500, 500)), "Failed", "AboveLimit"),
        ("TimeToFirstToken", served(1_000, hist=latency(950, 50)), "Unknown", "NearThreshold"),
        ("TimeToFirstToken", served(50, hist=latency(50, 0)), "Unknown", "TooFewSamples"),
        ("TimeToFirstToken", served(0), "Unknown", "NotYetDecided"),
        ("TimeToFirstToken", served(1_000), "Unknown", "Missing"),
        ("TimeToFirstToken", History(), "Unknown", "Missing"),
        ("ErrorRate", served(1_000, 0), "Passed", "BelowLimit"),
        ("ErrorRate", served(1_000, 100), "Failed", "AboveLimit"),
        ("ErrorRate", served(1_000, 10), "Unknown", "NearThreshold"),
        ("ErrorRate", served(50, 0), "Unknown", "TooFewSamples"),
        ("ErrorRate", served(0, 0), "Unknown", "NotYetDecided"),
        ("ErrorRate", served(1_000), "Unknown", "Missing"),
        ("ErrorRate", History(), "Unknown", "Missing"),
    ],
)
def test_an_objective_is_decided_by_bounds_and_missing_data_is_unknown(
    metric: str, readings: History, verdict: str, reason: str
) -> None:
    found = measured(metric, readings)
    assert (found.verdict, found.reason) == (verdict, reason)


def test_an_objective_carries_its_number_with_its_unit() -> None:
    assert measured("TimeToFirstToken", served(1_000, hist=latency(1_000, 0))).value == "95ms"
    assert measured("ErrorRate", served(1_000, 100)).value == "10%"
    unknown = measured("ErrorRate", History())
    assert (unknown.value, unknown.samples) == ("", 0)
    assert unknown.message == "no pod has measured ErrorRate in the last 15m"


def test_a_time_stands_beside_a_number_alone_so_that_who_is_quiet_says_nothing_new() -> None:
    assert measured("ErrorRate", served(1_000, 100)).observed_at == timestamp(NOW_MS)
    assert measured("ErrorRate", served(5, 0)).observed_at == timestamp(NOW_MS)
    for metric in ("ErrorRate", "TimeToFirstToken"):
        for quiet in (History(), served(0, 0, latency(0, 0))):
            assert measured(metric, quiet).observed_at == ""


@pytest.mark.parametrize(("seen_ppm", "verdict"), [(899_999, "Unknown"), (900_000, "Failed"), (None, "Failed")])
def test_below_90_percent_seen_no_verdict_stands(seen_ppm: int | None, verdict: str) -> None:
    sight = JudgementInput(R1, seen_ppm)
    assert measured("ErrorRate", served(1_000, 100), sight).verdict == verdict
    found = judged(result(BAD), sight=sight)
    assert found.verdict == verdict
    assert (found.reason == "Bypassed") == (verdict == "Unknown")
    assert found.samples == 400


def test_what_passed_is_unknown_where_traffic_goes_past_us_and_what_failed_stays_failed() -> None:
    bypassed = JudgementInput(R1, 500_000)
    passed = judged(result(GOOD), sight=bypassed, before=judged(result(GOOD)))
    assert (passed.verdict, passed.reason, passed.was) == ("Unknown", "Bypassed", "Passed")
    assert judged(result(BAD), sight=bypassed, before=judged(result(BAD))).verdict == "Failed"


def test_what_is_unknown_anyway_keeps_its_own_reason_where_traffic_is_bypassed() -> None:
    assert judged(result(counts(3, 0)), sight=JudgementInput(R1, 10)).reason == "TooFewSamples"
    assert measured("ErrorRate", served(5, 0), JudgementInput(R1, 10)).reason == "TooFewSamples"


STANDING = MetricStatus(
    policy="baseline", name="asked", verdict="Failed", reason="AboveLimit", value="4s", message="4s"
)


def standing(age_ms: int, **more: Any) -> MetricStatus:
    return STANDING.model_copy(update={"observed_at": timestamp(NOW_MS - age_ms), "revision": "r1", **more})


@pytest.mark.parametrize("age_ms", [0, 16 * MINUTE_MS, 23 * HOUR_MS])
def test_an_operator_that_has_just_started_forgets_no_verdict(age_ms: int) -> None:
    found = measured("ErrorRate", History(), before=standing(age_ms))
    assert found.model_copy(update={"spec_hash": ""}) == standing(age_ms)


def test_the_first_readings_of_a_new_leader_refute_nothing_that_they_do_not_decide() -> None:
    found = measured("ErrorRate", served(225, 3), before=standing(MINUTE_MS))
    assert (found.verdict, found.reason, found.value) == ("Failed", "AboveLimit", "4s")


def test_a_verdict_that_stands_says_how_old_it_is_and_what_came_since() -> None:
    check, _ = judge_objective(objective("ErrorRate"), served(50, 0), SEEN, NOW_MS, standing(20 * MINUTE_MS))
    since = "since then: 50 of 100 requests; about 390 are needed at 1%"
    assert check.message == f"4s, as of {timestamp(NOW_MS - 20 * MINUTE_MS)[:16]}Z; {since}"


@pytest.mark.parametrize(
    ("before", "was"),
    [
        (None, None),
        (standing(24 * HOUR_MS), "Failed"),
        (standing(0, revision="r0"), "Failed"),
        (standing(0, verdict="Unknown", was="Passed"), "Passed"),
        (standing(0, verdict="Unknown"), None),
        (standing(0, spec_hash="another limit"), None),
        (STANDING, "Failed"),
    ],
)
def test_what_no_longer_stands_is_unknown_and_says_what_it_was(before: MetricStatus | None, was: str | None) -> None:
    found = measured("ErrorRate", History(), before=before)
    assert (found.verdict, found.was) == ("Unknown", was)
    assert (f"was {was}" in found.message) == (was is not None)


def test_a_new_revision_is_told_beside_what_the_old_one_was() -> None:
    sight = JudgementInput(Revision("r2", ("r2",), since_ms=NOW_MS - MINUTE_MS))
    found = measured("ErrorRate", served(1_000, 100), sight, before=standing(0))
    assert (found.verdict, found.was, found.revision) == ("Failed", None, "r2"), "100 requests of its own decide"
    found = measured("ErrorRate", served(100, 10), sight, before=standing(0))
    assert (found.verdict, found.was, found.revision, found.samples) == ("Unknown", "Failed", "r1", 10)
    assert found.message == "was Failed on revision r1; 10 of 100 requests; about 390 are needed at 1%"


def paused(before: MetricStatus | None) -> MetricStatus:
    bound = replace(objective("ErrorRate"), paused=True)
    return judge_objective(bound, served(1_000, 100), SEEN, NOW_MS + 30 * HOUR_MS, before)[1]


def test_of_a_paused_policy_the_last_verdict_stays_with_its_time_and_nothing_new_is_judged() -> None:
    good = measured("ErrorRate", served(1_000, 0))
    assert (good.verdict, paused(good)) == ("Passed", good)
    for undecided in (None, measured("ErrorRate", served(50, 0))):
        found = paused(undecided)
        assert (found.verdict, found.reason, found.observed_at) == ("Unknown", "PolicyPaused", "")


def test_enough_readings_of_our_own_replace_what_stood_before() -> None:
    assert measured("ErrorRate", served(1_000, 0), before=standing(MINUTE_MS)).verdict == "Passed"


@pytest.mark.parametrize(
    ("results", "verdict", "reason"),
    [
        ([result(GOOD)], "Passed", "BelowLimit"),
        ([result(BAD)], "Failed", "AboveLimit"),
        ([result(counts(400, 40))], "Unknown", "NearThreshold"),
        ([result(counts(40, 0))], "Unknown", "TooFewSamples"),
        ([result(counts(50, 0, failed=50))], "Unknown", "EvaluatorFailing"),
        ([result(None, reason="NoCapture")], "Unknown", "NoCapture"),
        ([], "Unknown", "NotYetDecided"),
        ([result(BAD, revision="r0")], "Unknown", "NotYetDecided"),
    ],
)
def test_an_evaluation_is_decided_for_the_revision_that_serves(
    results: list[WindowResult], verdict: str, reason: str
) -> None:
    found = judged(*results)
    assert (found.verdict, found.reason) == (verdict, reason)


def test_a_rate_carries_its_bounds_samples_run_and_examples() -> None:
    found = judged(result(BAD))
    assert (found.rate, found.samples, found.run, found.examples) == ("50%", 400, f"run-{NOW_MS}", ("e1",))
    assert (found.low, found.high) == ("45%", "55%")
    assert found.observed_at == timestamp(NOW_MS)


@pytest.mark.parametrize(("age_ms", "verdict"), [(0, "Failed"), (2 * HOUR_MS, "Failed"), (23 * HOUR_MS, "Failed"),
                                                 (24 * HOUR_MS, "Unknown")])  # fmt: skip
def test_the_last_verdict_is_kept_for_24_hours_after_traffic_ended(age_ms: int, verdict: str) -> None:
    before = judged(result(BAD, to_ms=NOW_MS - age_ms), now_ms=NOW_MS - age_ms)
    silent = [result(None, to_ms=NOW_MS - ago, reason="NoTraffic") for ago in range(0, min(age_ms, HOUR_MS), 900_000)]
    found = judged(result(BAD, to_ms=NOW_MS - age_ms), *silent, before=before)
    assert found.verdict == verdict


def test_a_trickle_that_decides_nothing_keeps_a_verdict_for_as_long_as_it_lasts() -> None:
    told = judged(result(BAD))
    for hours in range(1, 60):
        now_ms = NOW_MS + hours * HOUR_MS
        told = judged(result(counts(3, 0), to_ms=now_ms), now_ms=now_ms, before=told)
        assert (told.verdict, told.samples, told.observed_at) == ("Failed", 400, timestamp(NOW_MS))
    assert judged(now_ms=NOW_MS + 83 * HOUR_MS - 1, before=told).verdict == "Failed"
    assert judged(now_ms=NOW_MS + 83 * HOUR_MS, before=told).was == "Failed"


def test_windows_that_drop_out_one_by_one_take_no_verdict_back() -> None:
    windows = [result(counts(30, 15), to_ms=NOW_MS - quarter * 15 * MINUTE_MS) for quarter in range(4)]
    told = judged(*windows)
    for minute in range(24 * 60):
        told = judged(*windows, now_ms=NOW_MS + minute * MINUTE_MS, before=told)
        assert told.verdict == "Failed", minute


def test_a_restart_takes_no_verdict_back_and_its_samples_count_on() -> None:
    told = judged(result(BAD))
    restarted = JudgementInput(Revision("r1", ("r1-again", "r1")), 1_000_000)
    assert judged(sight=restarted, before=told).verdict == "Failed"
    windows = (result(counts(60, 0), to_ms=NOW_MS - 15 * MINUTE_MS), result(counts(60, 0), revision="r1-again"))
    assert judged(*windows, sight=restarted, before=told).samples == 120


def test_what_the_policy_can_no_longer_see_was_not_refuted() -> None:
    told = judged(result(BAD))
    finding = Finding(CheckReason.CAPTURE_FORBIDDEN, "policy quiet lowered the content to None")
    assert judged(before=told, problem=finding).verdict == "Failed"


def test_a_hub_that_is_away_takes_back_no_verdict_that_it_gave() -> None:
    away = JudgementInput(R1, None, "the hub does not answer")
    assert judged(result(BAD), sight=away).verdict == "Failed"
    without = judged(sight=away)
    assert (without.verdict, without.reason, without.message) == (
        "Unknown", "HubUnavailable", "the hub does not answer",
    )  # fmt: skip


def test_what_cannot_run_says_so_before_anything_else() -> None:
    finding = Finding(CheckReason.UNKNOWN_EVALUATOR, "there is no built-in Nope")
    found = judged(result(BAD), problem=finding)
    assert (found.verdict, found.reason, found.message) == ("Unknown", "UnknownEvaluator", "there is no built-in Nope")


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(0, 200)), max_size=6))
def test_no_scores_give_a_verdict_without_enough_samples(windows: list[tuple[int, int, int]]) -> None:
    scored = [counts(samples, min(flagged, samples), failed) for samples, flagged, failed in windows]
    results = [
        result(one, to_ms=NOW_MS - i * 15 * MINUTE_MS) for i, one in enumerate(scored) if one.samples + one.failed
    ]
    found = judged(*results)
    assert found.verdict == "Unknown" or found.samples >= 100
    EvaluationStatus.model_validate(found.wire())


def test_a_rule_takes_the_side_that_is_written() -> None:
    assert rule_of(evaluation()).fail_above_ppm == 100_000
    below = rule_of(evaluation(failAbove=None, failBelow="90%", minSamples=7))
    assert (below.fail_above_ppm, below.fail_below_ppm, below.min_samples) == (None, 900_000, 7)


def test_what_is_asked_over_more_than_is_kept_is_unknown_and_not_decided_on_less() -> None:
    finding = Finding(CheckReason.VALUE_OUT_OF_RANGE, "over 24h of objective asked is above 1h")
    bound = replace(objective("ErrorRate"), problem=finding)
    check, found = judge_objective(bound, served(1_000, 0), SEEN, NOW_MS, standing(0, verdict="Passed"))
    assert (check.verdict, check.reason, found.was) == ("Unknown", "ValueOutOfRange", "Passed")
    assert judged(result(BAD), problem=finding, before=judged(result(BAD))).verdict == "Unknown"
