"""What an Evaluator's status says of its judge comes from the newest run that asked it."""

from __future__ import annotations

from typing import Any

import pytest

from modelward.api.evaluation import AskedModel, Counts, EvaluatorFacts, WindowResult
from modelward.api.evaluator import AskedStatus
from modelward.desired.finding import Finding
from modelward.reasons.checks import CheckReason
from modelward.status.judge import JudgeState, judge_state, still_asked


def result(to_ms: int, counts: Counts, name: str = "brand", **asked: Any) -> WindowResult:
    told = AskedModel(**({"model": "m", "readout": "Word"} | asked))
    facts = EvaluatorFacts(name, f"judge/1+{to_ms}")
    return WindowResult("retail", "bot", "p", "e", 0, to_ms, "run", facts, {"r1": counts}, asked=told)


def told(state: JudgeState) -> tuple[str, str]:
    return state.reachable.status, state.reachable.reason


FINE = Counts(samples=10)
DOWN = Counts(failed=20, causes=(("HTTP 401", 20),))


def test_before_the_first_run_nothing_is_known() -> None:
    assert told(judge_state("brand", [], None)) == ("Unknown", "NotAskedYet")
    assert told(judge_state("brand", [result(1, FINE, "other")], None)) == ("Unknown", "NotAskedYet")


def test_the_newest_run_counts_and_names_model_readout_and_what_is_left_out() -> None:
    found = judge_state("brand", [result(2, FINE, left_out=("ChatLabel", "seed")), result(1, DOWN)], None)
    assert told(found) == ("True", "JudgeAnswers")
    assert found.version == "judge/1+2"
    assert found.asked == AskedStatus(model="m", readout="Word", left_out=("ChatLabel", "seed"))


def test_a_judge_that_answers_none_is_unavailable_with_its_cause() -> None:
    found = judge_state("brand", [result(1, FINE), result(2, DOWN)], None)
    assert told(found) == ("False", "JudgeUnavailable")
    assert found.reachable.message.startswith("HTTP 401: none of 20 exchanges")


@pytest.mark.parametrize(
    "counts",
    [
        Counts(failed=20, causes=(("foreign-label", 20),)),
        Counts(failed=20, causes=(("HTTP 422", 20),)),
        Counts(failed=20, causes=(("HTTP 503", 19), ("truncated", 1))),
        Counts(samples=1, failed=19, causes=(("timeout", 19),)),
        Counts(abstained=1, failed=19, causes=(("timeout", 19),)),
        Counts(not_applicable=3),
    ],
)
def test_whatever_a_judge_answers_it_can_be_reached(counts: Counts) -> None:
    assert told(judge_state("brand", [result(1, counts)], None)) == ("True", "JudgeAnswers")


def test_an_endpoint_without_an_address_is_said_before_all_results() -> None:
    gone = Finding(CheckReason.JUDGE_UNAVAILABLE, "brand asks LLMEndpoint judge-llm, which is not in this namespace")
    found = judge_state("brand", [result(1, FINE)], gone)
    assert told(found) == ("False", "JudgeUnavailable")
    assert found.reachable.message == gone.message


def test_a_run_that_paid_for_nothing_new_leaves_what_the_judge_refused() -> None:
    before, cached = AskedStatus(model="m", readout="Word", left_out=("seed",)), AskedStatus(model="m", readout="Word")
    assert still_asked(cached, before) == before
    assert still_asked(AskedStatus(model="other", readout="Word"), before) == AskedStatus(model="other", readout="Word")
    assert still_asked(before, cached) == before
    assert still_asked(None, before) is None
    assert still_asked(cached, None) == cached
