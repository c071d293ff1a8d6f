"""What a Job is to send, and what became of it, survive the way through a ConfigMap and a termination message."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.notify_plan import (
    MAX_ORDERS,
    OUTCOME_BYTES,
    PROBLEM_CHARACTERS,
    REF_CHARACTERS,
    NotifyOrder,
    NotifyOutcome,
    NotifyPlan,
    notify_plan_from_json,
    notify_plan_to_json,
    outcomes_from_text,
    outcomes_to_text,
)

TEXT = st.text(max_size=300)
OUTCOMES = st.builds(
    NotifyOutcome,
    id=st.text("abc0123456789", min_size=1, max_size=16),
    told=st.booleans(),
    ref=TEXT,
    problem=TEXT,
    permanent=st.booleans(),
    retry_after_s=st.integers(0, 86_400),
)
PLAN = NotifyPlan(
    "retail",
    (NotifyOrder("1", {"title": "chat is unhealthy"}, {"name": "team", "slack": {"channel": "C1"}}, "C1:1.2"),),
    ("hooks.slack.com",),
)


def test_a_plan_comes_back_as_it_went() -> None:
    assert notify_plan_from_json(json.loads(json.dumps(notify_plan_to_json(PLAN)))) == PLAN


@pytest.mark.parametrize("data", [{}, {"namespace": "a", "orders": [1]}, {"namespace": "a", "orders": None}])
def test_what_is_no_plan_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a plan of messages"):
        notify_plan_from_json(data)


@given(st.lists(OUTCOMES, max_size=MAX_ORDERS))
def test_outcomes_fit_into_a_termination_message_and_lose_no_decision(outcomes: list[NotifyOutcome]) -> None:
    text = outcomes_to_text(outcomes)
    assert len(text.encode()) <= OUTCOME_BYTES
    decided = [(one.id, one.told, one.permanent, one.retry_after_s) for one in outcomes]
    assert [(one.id, one.told, one.permanent, one.retry_after_s) for one in outcomes_from_text(text)] == decided


def test_an_outcome_that_is_not_too_long_comes_back_whole() -> None:
    ref, problem = "C0123ABCDEF:1700000000.123456", "HTTP 404: the webhook is gone; make a new one"
    outcomes = (NotifyOutcome("1", told=True, ref=ref), NotifyOutcome("2", told=False, problem=problem, permanent=True))
    assert outcomes_from_text(outcomes_to_text(outcomes)) == outcomes


def test_long_texts_are_cut_and_a_ref_is_never_dropped() -> None:
    one = NotifyOutcome("1", told=False, ref="r" * 80, problem='"' * 200)
    (found,) = outcomes_from_text(outcomes_to_text([one] * MAX_ORDERS)[:-1].partition("},")[0] + "}]")
    assert found.ref == "r" * REF_CHARACTERS
    assert len(found.problem) < PROBLEM_CHARACTERS


@pytest.mark.parametrize("text", ["", "Killed", "[1]", '[{"id":"1"}]', '{"told":true}'])
def test_what_is_no_outcome_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own, or ours
        outcomes_from_text(text)
