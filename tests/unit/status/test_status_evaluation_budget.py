"""Error budgets of evaluations: what is left with its interval, corrected, and Unknown where too little is known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from status_specimens import NOW_MS, counts, evaluation

from modelward.api.check_status import EvaluationBudgetStatus
from modelward.api.evaluation import EvaluatorFacts
from modelward.api.quantity import timestamp
from modelward.desired.finding import Finding
from modelward.reasons.checks import CheckReason
from modelward.status.evaluation_budget import ScoredPeriod, evaluation_budget

EXACT = EvaluatorFacts("OffTopicAnswered", "1.0.0")
MEASURED = EvaluatorFacts("OffTopicAnswered", "1.0.0", 900_000, 50_000, 400, 400)
BUDGET: dict[str, Any] = {"budget": {"period": "672h"}}


def left(
    samples: int,
    flagged: int,
    *,
    facts: EvaluatorFacts = EXACT,
    seen_ppm: int = 910_000,
    before: EvaluationBudgetStatus | None = None,
    problem: Finding | None = None,
) -> EvaluationBudgetStatus:
    found = ScoredPeriod(counts(samples, flagged), seen_ppm)
    row = evaluation_budget(evaluation(problem, **BUDGET), found, facts, before, NOW_MS)
    assert row is not None
    return row


def number(text: str) -> float:
    return float(text.removesuffix("%"))


def test_what_is_left_has_an_interval() -> None:
    row = left(10_000, 650)
    assert (row.policy, row.evaluation, row.period, row.samples) == ("baseline", "topic", "672h", 10_000)
    assert (row.spent, row.remaining, row.low, row.high, row.seen) == ("65%", "35%", "30%", "40%", "91%")
    assert (row.message, row.exhausted_at) == ("", "")


def test_more_samples_narrow_it() -> None:
    few, many = left(400, 26), left(40_000, 2_600)
    assert number(few.low) < number(many.low) < 35 < number(many.high) < number(few.high)


def test_it_is_corrected_for_the_errors_of_the_evaluator() -> None:
    """Of 10 % flagged with 5 % false alarms and nine of ten found, 5.9 % are at fault, of 10 % that are allowed."""
    row = left(10_000, 1_000, facts=MEASURED)
    assert 57 <= number(row.spent) <= 61
    assert number(row.low) < number(left(10_000, 590).low), "the rates are uncertain too"


def test_it_is_exhausted_only_where_that_is_sure() -> None:
    assert left(1_000, 105).exhausted_at == "", "105 of 1000 may be less than 10 %"
    spent = left(1_000, 200)
    assert (spent.remaining, spent.exhausted_at) == ("-100%", timestamp(NOW_MS))
    kept = spent.model_copy(update={"exhausted_at": "2026-11-01T00:00:00Z"})
    assert left(1_000, 210, before=kept).exhausted_at == "2026-11-01T00:00:00Z"
    assert left(1_000, 50, before=kept).exhausted_at == ""


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (left(40, 2), "40 of 100 samples"),
        (left(10_000, 650, seen_ppm=200_000), "it was scored first 20% of 672h ago, 50% is needed"),
        (left(1_000, 50, problem=Finding(CheckReason.NO_CAPTURE, "no text")), "no text"),
        (
            left(1_000, 50, facts=EvaluatorFacts("OffTopicAnswered", "1", 500_000, 480_000, 50, 50)),
            "the error rates of the evaluator are not known well enough",
        ),
    ],
)
def test_where_too_little_is_known_it_is_unknown_and_says_why(row: EvaluationBudgetStatus, told: str) -> None:
    assert (row.remaining, row.low, row.high, row.message) == ("", "", "", told)


def test_before_the_hub_answers_what_was_said_stays() -> None:
    bound = evaluation(**BUDGET)
    first = evaluation_budget(bound, None, EXACT, None, NOW_MS)
    assert first is not None
    assert (first.remaining, first.message) == ("", "the history is not known yet")
    before = left(10_000, 650)
    assert evaluation_budget(bound, None, EXACT, before, NOW_MS) == before
    older = ScoredPeriod(problem="the hub is of an older version and has no sums of evaluations")
    told = evaluation_budget(bound, older, EXACT, before, NOW_MS)
    assert told is not None
    assert (told.remaining, told.message) == ("", older.problem)


def test_an_evaluation_without_a_budget_has_no_row() -> None:
    assert evaluation_budget(evaluation(), ScoredPeriod(counts(1_000, 10)), EXACT, None, NOW_MS) is None


@given(st.integers(100, 5_000), st.data())
def test_the_interval_holds_what_is_left_and_more_faults_never_leave_more(samples: int, data: st.DataObject) -> None:
    flagged = data.draw(st.integers(0, samples - 1))
    less, more = left(samples, flagged), left(samples, flagged + 1)
    assert number(less.low) <= number(less.remaining) <= number(less.high)
    assert number(more.remaining) <= number(less.remaining)
