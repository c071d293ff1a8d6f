"""What a policy says of the scopes that it judges by."""

from __future__ import annotations

from dataclasses import replace

from modelward.api.scope import MAX_EXAMPLES, MAX_LINES, ScopeFacts
from modelward.status.conditions import ConditionState
from modelward.status.scope import EvaluationScope, scope_checked

GOOD = ScopeFacts(0.12, 20, (), 18, 0, (), 158, 0.8, 0.05)
BAD = replace(GOOD, examples_out=(7,), templates_out=3, lines_out=(2,))


def told(*scopes: tuple[str, ScopeFacts | None]) -> ConditionState:
    (state,) = scope_checked([EvaluationScope(tuple(names.split()), facts) for names, facts in scopes])
    return state


def test_a_policy_that_judges_by_no_scope_says_nothing() -> None:
    assert scope_checked([]) == ()


def test_it_says_how_many_questions_stay_in_over_all_scopes() -> None:
    state = told(("off refused", GOOD), ("other", replace(GOOD, templates=20, templates_out=1, lines_out=(0,))))
    assert (state.type, state.status, state.reason) == ("ScopeChecked", "True", "QuestionsStayIn")
    assert state.message == "77 of 78 in-scope questions stay in"


def test_too_few_examples_are_told_where_the_questions_stay_in() -> None:
    state = told(("off", replace(GOOD, examples=3, caught=None, lost=None)))
    assert state.status == "True"
    assert state.message.endswith("; off: error rates take 20 inScopeExamples or a calibration")


def test_questions_that_fall_out_are_counted_and_named_by_their_place() -> None:
    state = told(("off refused", BAD), ("other", GOOD), ("new", None))
    assert (state.status, state.reason) == ("False", "QuestionsFallOut")
    assert state.message.startswith(
        "off, refused: 4 of 38 in-scope questions fall out (inScope[2], inScopeExamples[7]); give each part"
    )


def test_before_the_first_run_it_is_unknown_and_says_who_checks_it() -> None:
    state = told(("off refused", None), ("other", GOOD))
    assert (state.status, state.reason) == ("Unknown", "NotCheckedYet")
    assert state.message == "the first run of off, refused checks the scope"


def test_the_largest_message_fits_a_condition() -> None:
    worst = replace(
        GOOD, examples=200, examples_out=tuple(range(MAX_EXAMPLES)), templates=9_999, templates_out=9_999,
        lines_out=tuple(range(MAX_LINES)),
    )  # fmt: skip
    state = told(*((f"evaluation-{number}", worst) for number in range(20)))
    assert len(state.message) < 1_024
    assert state.message.endswith("shows the questions)")
