"""What a window's test found stands in status: the effect, how sure it is, and what moved."""

from __future__ import annotations

from dataclasses import replace

import pytest
from status_specimens import MINUTE_MS, NOW_MS, evaluation

from modelward.api.evaluation import Counts, EvaluatorFacts, WindowResult
from modelward.api.evaluationrun import RunItem
from modelward.api.window_answer import Moved, WindowTest
from modelward.desired.monitoring_plan import BoundEvaluation
from modelward.evaluate.rule import VerdictRule
from modelward.status.evaluation_judgement import judge_evaluation
from modelward.status.judgement import JudgementInput
from modelward.status.revision import Revision
from modelward.status.run import item_status

SEEN = JudgementInput(Revision("r1", ("r1", "r1-restarted")), 1_000_000)
MOVED = (Moved("card-stolen", 0.31, 0.25, 0.38, 0.31, "t1", "AAAA"), Moved("loan", 0.2, 0.1, 0.3, -0.28, "t2"))
FOUND = WindowTest("r1-restarted", 400, 200, 2_000, 1, 2, 0.4, 1e-8, 0.3, 0.2, 0.4, MOVED)
RESULT = WindowResult(
    "retail", "chat", "baseline", "topic", NOW_MS - 16 * MINUTE_MS, NOW_MS - MINUTE_MS, "modelward-20261120-101500",
    EvaluatorFacts("EmbeddingDrift", "1"), {"r1-restarted": Counts(100, 0)}, tests=(FOUND,),
)  # fmt: skip


def bound(**asked: object) -> BoundEvaluation:
    found = evaluation(**asked)
    assert found.evaluator is not None
    return replace(found, evaluator=replace(found.evaluator, answers="Change"))


def test_status_says_how_far_it_moved_how_sure_that_is_and_what_moved() -> None:
    check, status = judge_evaluation(bound(), [RESULT], SEEN, NOW_MS)
    assert (check.verdict, status.rate, status.low, status.high) == ("Failed", "30%", "20%", "40%")
    assert (status.p_value, status.samples, status.revision) == ("1e-08", 400, "r1")
    assert [(one.label, one.share, one.change, one.id) for one in status.moved] == [
        ("card-stolen", "31%", "+31%", "t1"), ("loan", "20%", "-28%", "t2"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("results", "verdict", "reason"),
    [
        ([], "Unknown", "NotYetDecided"),
        ([replace(RESULT, tests=(), revisions={}, reason="NoCapture")], "Unknown", "NoCapture"),
        ([replace(RESULT, tests=(replace(FOUND, reason="TooFewSamples"),))], "Unknown", "TooFewSamples"),
        (
            [replace(RESULT, tests=(replace(FOUND, p_value=0.4, low=0.0, effect=0.01, high=0.05),))],
            "Passed",
            "BelowLimit",
        ),
    ],
)
def test_nothing_that_was_not_compared_is_a_pass(results: list[WindowResult], verdict: str, reason: str) -> None:
    _, status = judge_evaluation(bound(), results, SEEN, NOW_MS)
    assert (status.verdict, status.reason) == (verdict, reason)
    assert status.p_value == ("0.4" if verdict == "Passed" else "")


def test_another_limit_of_severity_asks_for_more() -> None:
    likely = replace(RESULT, tests=(replace(FOUND, p_value=1e-6),))
    assert judge_evaluation(bound(), [likely], SEEN, NOW_MS)[1].verdict == "Failed"
    assert judge_evaluation(bound(severity="Critical"), [likely], SEEN, NOW_MS)[1].verdict == "Unknown"


def test_a_run_by_hand_is_judged_by_its_own_window() -> None:
    times = {"from": "2026-11-20T10:00:00Z", "to": "2026-11-20T10:15:00Z"}
    item = RunItem.model_validate({"endpoint": "chat", "policy": "baseline", "evaluation": "topic", **times})
    assert item_status(item, RESULT, VerdictRule(fail_above_ppm=100_000)).result == "Failed"
    assert item_status(item, RESULT, VerdictRule(fail_above_ppm=300_000)).result == "Inconclusive"
