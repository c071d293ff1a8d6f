"""An endpoint that became worse than it was fails, and status says how much worse."""

from __future__ import annotations

from typing import Any

import pytest
from status_specimens import HOUR_MS, MINUTE_MS, NOW_MS, counts, evaluation, result

from modelward.api.check_status import ComparisonStatus
from modelward.api.evaluation import Counts, WindowResult
from modelward.api.llmendpoint import EvaluationStatus
from modelward.status.cadence import worth_writing
from modelward.status.comparison import points
from modelward.status.evaluation_judgement import judge_evaluation
from modelward.status.judgement import JudgementInput
from modelward.status.revision import Revision

QUARTER_MS = 15 * MINUTE_MS
BASELINE = {"baseline": "5%"}
PREVIOUS = {"revision": "Previous", "by": "5%"}


def windows(*each: Counts, revision: str = "r1", until_ms: int = NOW_MS) -> list[WindowResult]:
    return [result(one, revision=revision, to_ms=until_ms - i * QUARTER_MS) for i, one in enumerate(each)]


def judged(results: list[WindowResult], revision: str = "r1", now_ms: int = NOW_MS, **asked: Any) -> EvaluationStatus:
    sight = JudgementInput(Revision(revision, (revision,)), 1_000_000)
    asked = {"failAbove": "40%", "notWorseThan": BASELINE, **asked}
    return judge_evaluation(evaluation(**asked), results, sight, now_ms)[1]


def test_a_rate_that_rose_by_more_than_allowed_fails_far_below_its_limit() -> None:
    found = judged(windows(*[counts(60, 12)] * 4, *[counts(60, 1)] * 40))
    assert (found.verdict, found.reason, found.rate) == ("Failed", "WorseThanBaseline", "20%")
    assert found.message == "+18% (+14 to +24) against the day before, n=240 and 2400; 5% is allowed"
    assert found.change is not None
    assert (found.change.against, found.change.result, found.change.samples) == ("Baseline", "Worse", 2_400)
    EvaluationStatus.model_validate(found.wire())


@pytest.mark.parametrize(("flagged", "result"), [(1, "Equal"), (4, "Worse"), (0, "Equal")])
def test_what_is_not_surely_worse_keeps_its_verdict_and_is_told(flagged: int, result: str) -> None:
    found = judged(windows(*[counts(60, flagged)] * 4, *[counts(60, 1)] * 40))
    assert found.verdict == "Passed"
    assert found.change is not None
    assert found.change.result == result


def test_a_baseline_ends_where_the_sliding_set_begins_and_takes_no_other_evaluator() -> None:
    found = judged(windows(*[counts(60, 6)] * 4))
    assert found.change == ComparisonStatus(against="Baseline", result="CannotTell")
    assert found.verdict == "Passed"


def test_a_revision_is_compared_with_the_one_before() -> None:
    results = windows(*[counts(60, 12)] * 4, revision="r2") + windows(*[counts(60, 1)] * 8, until_ms=NOW_MS - HOUR_MS)
    found = judged(results, "r2", notWorseThan=PREVIOUS)
    assert (found.verdict, found.reason) == ("Failed", "WorseThanRevision")
    assert found.change is not None
    assert (found.change.against, found.change.result) == ("r1", "Worse")
    alone = judged(windows(*[counts(60, 12)] * 4, revision="r2"), "r2", notWorseThan=PREVIOUS)
    assert alone.change == ComparisonStatus(against="Previous", result="CannotTell")
    assert alone.verdict == "Passed"


def test_too_few_samples_are_not_compared() -> None:
    assert judged(windows(counts(60, 30), *[counts(0, 0)] * 4, *[counts(60, 1)] * 40)).change is None


def test_a_policy_that_compares_nothing_has_the_hash_that_it_had() -> None:
    plain, compared = (judged(windows(counts(400, 4)), notWorseThan=one) for one in (None, BASELINE))
    assert plain.change is None
    assert plain.spec_hash != compared.spec_hash


def test_a_difference_that_moves_within_its_direction_is_written_with_the_numbers() -> None:
    def status(difference: str, told: Any) -> dict[str, Any]:
        return {"evaluations": [{"change": ComparisonStatus(against="r1", result=told, difference=difference).wire()}]}

    assert not worth_writing(status("+1%", "Equal"), status("+2%", "Equal"), 1_000, 60_000)
    assert worth_writing(status("+1%", "Equal"), status("+2%", "Worse"), 1_000, 60_000)


@pytest.mark.parametrize(("value", "text"), [(0.021, "+2.1%"), (-0.3, "-30%"), (0.0, "+0%")])
def test_points_have_a_sign(value: float, text: str) -> None:
    assert points(value) == text
