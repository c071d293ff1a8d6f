"""What became of an evaluator's container is told by its newest run, and by the checks that it should have scored."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from status_specimens import NOW_MS, counts, evaluation, result

from modelward.status.evaluation_judgement import judge_evaluation
from modelward.status.evaluator_container import ContainerFailure, container_trouble, failing
from modelward.status.judgement import JudgementInput
from modelward.status.revision import Revision

KEY = ("chat", "baseline", "brand")
TO, TO_MS = "2026-01-02T03:00:00Z", 1_767_322_800_000


def told(*runs: dict[str, Any]) -> dict[tuple[str, str, str], str]:
    found = failing(runs)
    assert {one.to_ms for one in found.values()} <= {TO_MS}
    return {key: one.cause for key, one in found.items()}


def pod(**container: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "status": {"initContainerStatuses": [{"name": "evaluator-1", **container}]}}


def ended(code: int, reason: str) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason}}


@pytest.mark.parametrize(
    ("container", "told"),
    [
        ({"ready": True, "state": {"running": {}}}, ""),
        ({"state": ended(143, "Error")}, ""),
        ({"state": ended(0, "Completed")}, ""),
        ({"state": ended(137, "OOMKilled")}, "OOMKilled"),
        ({"ready": True, "state": {"running": {}}, "lastState": ended(137, "OOMKilled")}, "OOMKilled"),
        ({"state": ended(143, "Error"), "lastState": ended(1, "Error")}, "its container exited with code 1 (Error)"),
        (
            {"image": "brand:1", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling"}}},
            "container evaluator-1 cannot pull brand:1",
        ),
    ],
)
def test_what_went_wrong_with_a_container_is_named(container: dict[str, Any], told: str) -> None:
    assert container_trouble([pod(**container)]) == told


def test_a_run_without_pods_or_containers_has_no_trouble() -> None:
    assert container_trouble([]) == container_trouble([{"metadata": {"name": "p"}}]) == ""


def item(cause: str = "", **changes: Any) -> dict[str, Any]:
    named = {"endpoint": KEY[0], "policy": KEY[1], "evaluation": KEY[2]}
    return {**named, "result": "Error" if cause else "Passed", "cause": cause, **changes}


def run(minute: int, *items: dict[str, Any], part: str = "-0a1b2c3d", **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": f"modelward-20260102-03{minute:02}00{part}"},
        "spec": {"items": [item(to=TO)]},
        "status": {"result": "Error", "items": list(items), **status},
    }


def stuck(minute: int, reason: str, part: str = "-0a1b2c3d") -> dict[str, Any]:
    complete = {"type": "Complete", "status": "False", "reason": reason, "message": "pod p: cannot pull brand:1"}
    return run(minute, part=part, result=None, conditions=[complete])


def test_the_newest_run_says_whether_a_container_answers() -> None:
    bad, good = run(1, item("OOMKilled")), run(2, item())
    assert told(bad) == {KEY: "OOMKilled"}
    assert told(good, bad) == {}
    assert told(run(3, item("OOMKilled")), good) == {KEY: "OOMKilled"}
    assert told({**bad, "metadata": {"name": "mine"}}) == {}, "a run by hand decides nothing"


def test_a_run_that_is_stuck_says_so_before_it_has_ended_and_one_that_goes_on_well_says_nothing_yet() -> None:
    assert told(stuck(1, "ImageNotPullable")) == {KEY: "pod p: cannot pull brand:1"}
    assert told(stuck(1, "ImageNotPullable", part="")) == {}, "what needs no container has none that fails"
    bad = run(1, item("OOMKilled"))
    assert told(bad, stuck(2, "Running")) == {KEY: "OOMKilled"}


@given(st.permutations([run(1, item("a")), run(2, item()), run(3, item("b")), stuck(4, "Running")]))
def test_the_order_of_runs_makes_no_difference(runs: list[dict[str, Any]]) -> None:
    assert told(*runs) == {KEY: "b"}


def sight(cause: str, to_ms: int = NOW_MS) -> JudgementInput:
    return JudgementInput(
        Revision("r1", ("r1",)), failing={("baseline", "topic"): ContainerFailure(cause, to_ms)} if cause else {}
    )


def test_a_check_whose_evaluator_never_started_is_unknown_for_that_cause() -> None:
    check, status = judge_evaluation(evaluation(), [], sight("pod p: cannot pull brand:1"), NOW_MS)
    assert (check.verdict, check.reason) == ("Unknown", "EvaluatorFailing")
    assert "cannot pull brand:1" in check.message
    assert status.verdict == "Unknown"


def test_samples_that_failed_name_what_became_of_the_container() -> None:
    check, _ = judge_evaluation(evaluation(), [result(counts(83, 0, 37))], sight("OOMKilled"), NOW_MS)
    assert (check.verdict, check.reason) == ("Unknown", "EvaluatorFailing")
    assert "37 of 120" in check.message
    assert check.message.endswith(": OOMKilled")


def test_a_window_that_was_scored_since_tells_what_is_true_now() -> None:
    found = [result(counts(3, 0))]
    check, _ = judge_evaluation(evaluation(), found, sight("OOMKilled", NOW_MS - 1), NOW_MS)
    assert (check.verdict, check.reason) == ("Unknown", "TooFewSamples")


def test_what_is_decided_all_the_same_stays_decided() -> None:
    found = [result(counts(400, 0, 3))]
    told = [judge_evaluation(evaluation(), found, sight(cause), NOW_MS)[0] for cause in ("", "OOMKilled")]
    assert {one.verdict for one in told} == {"Passed"}
