"""A change is Failed only when it is sure and large, and never because one looks all day."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from modelward.api.base import Severity
from modelward.api.evaluation import EvaluatorFacts, WindowResult
from modelward.api.window_answer import Moved, WindowTest, window_tests_from_json
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.window_verdict import change_text, decide_change, newest, p_text, spent

MINUTE_MS = 60_000
RULE = VerdictRule(fail_above_ppm=100_000)
SURE = WindowTest(
    "r1", 400, 200, 2_000, 1_795_000_000_000, 1_795_010_000_000, 0.4, 1e-8, 0.3, 0.2, 0.4,
    (Moved("cake-flour", 0.31, 0.25, 0.38, 0.31), Moved("card", 0.2, 0.1, 0.3, -0.28)),
)  # fmt: skip


def window(
    to_minute: int = 15, minutes: int = 15, run: str = "modelward-20261120-101500", **changes: Any
) -> WindowResult:
    times: dict[str, Any] = {"from_ms": (to_minute - minutes) * MINUTE_MS, "to_ms": to_minute * MINUTE_MS}
    base = WindowResult("retail", "chat", "p", "e", **times, run=run, evaluator=EvaluatorFacts("D", "1"), tests=(SURE,))
    return replace(base, **changes)


@pytest.mark.parametrize(
    ("changes", "verdict", "reason", "told"),
    [
        ({}, "Failed", "AboveLimit", "moved 30% (20-40), p=1e-08, n=400 against 2000 from 2026-11-18 > 10%: cake"),
        ({"low": 0.05}, "Unknown", "NearThreshold", "around 10%"),
        ({"p_value": 1e-4}, "Unknown", "NearThreshold", "p above 2e-06, which looks all day ask for"),
        ({"effect": 0.02, "low": 0.0, "high": 0.08, "p_value": 0.4}, "Passed", "BelowLimit", "< 10%"),
        ({"effect": 0.02, "low": 0.0, "high": 0.2, "p_value": 0.4}, "Unknown", "TooFewSamples", "about 2100 samples"),
        ({"samples": 99}, "Unknown", "TooFewSamples", "99 of 100 samples"),
        ({"reason": "TooFewSamples", "reference_samples": 150}, "Unknown", "TooFewSamples", "150 exchanges of 200"),
        ({"reason": "TooFewSamples", "reference_samples": 700}, "Unknown", "TooFewSamples", "complete after a day"),
        ({"reason": "Missing"}, "Unknown", "Missing", "no exchange carries what is compared"),
        ({"reason": "EvaluatorFailing", "samples": 0}, "Unknown", "EvaluatorFailing", "no sample could be judged"),
        (
            {"reason": "EvaluatorFailing", "samples": 2, "failed": 18, "cause": "HTTP401"},
            "Unknown", "EvaluatorFailing", "18 of 20 pairs were not answered: HTTP401: it wants a key",
        ),
        (
            {"reason": "EvaluatorFailing", "samples": 0, "cause": "no-mark"},
            "Unknown", "EvaluatorFailing", "no sample could be judged: no-mark: the hub signs no mark",
        ),
    ],
)  # fmt: skip
def test_a_verdict_needs_both_a_sure_change_and_bounds_beyond_the_limit(
    changes: dict[str, Any], verdict: str, reason: str, told: str
) -> None:
    found = decide_change(window(), replace(SURE, **changes), RULE, "Warning")
    assert (found.verdict, found.reason) == (verdict, reason)
    assert told in found.message


@pytest.mark.parametrize(("severity", "most"), [("Warning", 1 / 5_000), ("Critical", 1 / 100_000)])
@pytest.mark.parametrize("minutes", [[5] * 288, [60] * 24, [1, 44] * 32])
def test_all_looks_of_a_day_spend_the_budget_of_one_day(severity: Severity, most: float, minutes: list[int]) -> None:
    assert sum(spent(window(minutes=length), severity) for length in minutes) == pytest.approx(most)
    assert spent(window(minutes=100_000), severity) == pytest.approx(most)


def test_without_a_window_it_is_unknown_and_says_why() -> None:
    assert decide_change(None, None, RULE, "Warning").reason == "NoTraffic"
    assert decide_change(None, None, RULE, "Warning", missing="NoCapture").reason == "NoCapture"


def test_the_newest_window_of_the_revision_decides_and_the_schedule_comes_first() -> None:
    old, new, by_hand = window(15), window(30), window(40, run="mine")
    other = window(45, tests=(replace(SURE, revision="r2"),))
    found = newest([new, by_hand, other, old], ("r1",), 60 * MINUTE_MS, 60 * MINUTE_MS)
    assert found == (new, SURE)
    assert newest([new], ("r1",), 20 * MINUTE_MS, 60 * MINUTE_MS) == (None, None)
    assert newest([by_hand], ("r1",), 60 * MINUTE_MS, 60 * MINUTE_MS) == (by_hand, SURE)


def test_numbers_are_told_as_people_read_them() -> None:
    assert [p_text(p) for p in (1.0, 0.0312, 2.34e-8)] == ["1", "0.031", "2e-08"]
    assert [change_text(one) for one in (0.081, -0.2, 0.0)] == ["+8.1%", "-20%", "+0%"]


@pytest.mark.parametrize("broken", [None, {}, "x", [None], [{"revision": "r1"}], [{"revision": "r1", "p_value": "x"}]])
def test_tests_that_cannot_be_read_are_left_out(broken: Any) -> None:
    assert window_tests_from_json(broken) == ()
