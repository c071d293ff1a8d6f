"""How a run and a policy stand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from status_specimens import NOW_MS, counts, endpoint, evaluation, result

from modelward.api.evaluation import Counts
from modelward.api.evaluationrun import EvaluationRunStatus, RunItem, RunItemStatus
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.quantity import timestamp
from modelward.desired.finding import Finding
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.desired.obstacles import RunContext
from modelward.evaluate.rule import VerdictRule
from modelward.reasons.checks import CheckReason
from modelward.reasons.policy import PolicyReason
from modelward.status.evaluation_judgement import judge_evaluation
from modelward.status.judgement import JudgementInput
from modelward.status.policy import PolicyFacts, policy_status
from modelward.status.revision import Revision
from modelward.status.run import finished, item_status, judged, lost, running_state, summed_up

RULE = VerdictRule(fail_above_ppm=100_000, min_samples=100)
RESULTS = ("Error", "Failed", "Inconclusive", "Passed")


BEGAN_MS = 1_790_000_000_000
BEGAN = {"startTime": timestamp(BEGAN_MS)}
ITEM = RunItem(
    endpoint="chat",
    policy="baseline",
    evaluation="topic",
    **{"from": timestamp(BEGAN_MS), "to": timestamp(BEGAN_MS + 1_000)},
)


def item(scored: Counts | None, reason: str = "") -> RunItemStatus:
    return item_status(ITEM, result(scored, reason=reason), RULE)


def job(status: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "once", "namespace": "retail"}, "status": status}


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "once-x7"}, "status": status}


@pytest.mark.parametrize(
    ("status", "seconds", "reason"),
    [
        ({}, 100, "Running"),
        (BEGAN, 29, "Running"),
        (BEGAN, 31, "NoPod"),
        ({**BEGAN, "active": 1}, 31, "Running"),
        ({**BEGAN, "failed": 1}, 31, "Running"),
    ],
)
def test_a_job_whose_pod_is_refused_does_not_pass_for_one_that_runs(
    status: dict[str, Any], seconds: int, reason: str
) -> None:
    state = running_state(job(status), (), BEGAN_MS + seconds * 1_000, suspend=False)
    assert (state.status, state.reason) == ("False", reason)
    events = "kubectl get events -n retail --field-selector involvedObject.name=once,reason=FailedCreate"
    assert (events in state.message) == (reason == "NoPod")
    assert running_state(job(status), (), BEGAN_MS, suspend=True).reason == "Suspended"


def test_a_pod_that_cannot_start_is_named_with_its_image_and_the_cause() -> None:
    cause = "rpc error: not found"
    waiting = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "m:9": ErrImagePull: {cause}'}
    container = {"name": "evaluate", "image": "m:9", "state": {"waiting": waiting}}
    found = running_state(job({**BEGAN, "active": 1}), [pod(containerStatuses=[container])], BEGAN_MS, suspend=False)
    assert (found.reason, found.message) == (
        "ImageNotPullable",
        f"pod once-x7: container evaluate cannot pull m:9: {cause}",
    )


def test_a_pod_that_no_node_takes_quotes_the_scheduler() -> None:
    condition = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}
    found = running_state(job({**BEGAN, "active": 1}), [pod(conditions=[condition])], BEGAN_MS, suspend=False)
    assert (found.reason, found.message) == ("Unschedulable", "pod once-x7: 0/3 nodes are available")
    good = [{**condition, "status": "True"}, {"type": "Ready", "status": "False"}]
    running = running_state(job({**BEGAN, "active": 1}), [pod(conditions=good)], BEGAN_MS, suspend=False)
    assert running.reason == "Running"


@given(st.integers(1, 5_000))
def test_a_run_whose_samples_all_failed_is_an_error_and_never_passed(failed: int) -> None:
    found = item(counts(0, 0, failed))
    assert (found.result, found.message) == ("Error", f"all {failed} samples failed in OffTopicAnswered")


@given(st.integers(0, 99))
def test_too_few_samples_are_inconclusive(samples: int) -> None:
    assert item(counts(samples, 0) if samples else None, "NoTraffic").result == "Inconclusive"


@pytest.mark.parametrize(
    ("scored", "expected"),
    [
        (counts(400, 4), "Passed"),
        (counts(400, 200), "Failed"),
        (counts(400, 40), "Inconclusive"),
        (counts(400, 0, failed=100), "Error"),
        (counts(400, 4, failed=10), "Passed"),
    ],
)
def test_an_item_is_judged_by_its_own_window(scored: Counts, expected: str) -> None:
    found = item(scored)
    assert (found.result, found.samples) == (expected, 400)


@pytest.mark.parametrize("flagged", [0, 4, 200, 400])
def test_an_evaluator_that_may_not_alert_has_neither_failed_nor_passed_anything(flagged: int) -> None:
    short = Finding(CheckReason.NOT_CALIBRATED, "κ ≥ .21 only, .40 are asked")
    found = item_status(ITEM, result(counts(400, flagged)), RULE, short)
    assert (found.result, found.message) == ("Inconclusive", "NotCalibrated: κ ≥ .21 only, .40 are asked")
    assert summed_up([found]) == ("Inconclusive", "undecided: topic of chat")


def test_one_that_may_not_alert_and_fails_is_still_an_error() -> None:
    short = Finding(CheckReason.NOT_CALIBRATED, "no calibration yet")
    found = item_status(ITEM, result(counts(400, 0, failed=100)), RULE, short)
    assert found.result == "Error"
    assert "100 of 500 samples" in found.message


def test_a_run_says_of_an_uncalibrated_evaluator_what_the_endpoint_says() -> None:
    bound = evaluation()
    assert bound.evaluator is not None
    short = Finding(CheckReason.NOT_CALIBRATED, "no calibration yet")
    for why, expected in ((short, "Inconclusive"), (None, "Failed")):
        asked = replace(bound, evaluator=replace(bound.evaluator, uncalibrated=why))
        around = RunContext({"chat": False}, {"chat": MonitoringPlan(evaluations=(asked,))}, hub=True)
        scored = result(counts(400, 200))
        told = judged(ITEM, scored, around)
        assert told.result == expected
        _, status = judge_evaluation(asked, [scored], JudgementInput(Revision("r1", ("r1",))), NOW_MS)
        assert (status.verdict == "Unknown") == (expected == "Inconclusive")
        assert (status.message == told.message.removeprefix("NotCalibrated: ")) == (expected == "Inconclusive")


def test_an_item_without_a_result_is_an_error_with_its_own_reason() -> None:
    found = item_status(ITEM, Finding(CheckReason.NO_CAPTURE, "no text"), RULE)
    assert (found.result, found.samples, found.message) == ("Error", 0, "NoCapture: no text")


def test_a_result_that_never_came_says_what_kept_the_job_and_whether_it_is_tried_again() -> None:
    assert lost("", again=True).message == "the Job ended without a result; it is due again"
    by_hand = lost("pod once-x7: no room", again=False)
    assert by_hand.reason == "ResultLost"
    assert by_hand.message == "the Job ended without a result; make another EvaluationRun; pod once-x7: no room"


@given(st.lists(st.sampled_from(RESULTS), max_size=8))
def test_a_run_is_as_good_as_its_worst_item(results: list[Any]) -> None:
    items = [RunItemStatus(endpoint="chat", policy="p", evaluation=f"e{i}", result=r) for i, r in enumerate(results)]
    worst, message = summed_up(items)
    assert worst == (min(results, key=RESULTS.index) if results else "Inconclusive")
    assert ("passed" in message) == ("Passed" in results)


def test_what_did_not_pass_is_named() -> None:
    results = ("Passed", "Failed", "Failed", "Inconclusive", "Passed")
    items = [RunItemStatus(endpoint="chat", policy="p", evaluation=f"e{i}", result=r) for i, r in enumerate(results)]
    assert summed_up(items) == ("Failed", "failed: e1 of chat and 1 more; undecided: e3 of chat; 2 passed")


def test_a_run_goes_on_until_it_has_a_result() -> None:
    assert not finished(EvaluationRunStatus())
    assert finished(EvaluationRunStatus(result="Error"))


def policy(**spec: Any) -> MonitoringPolicy:
    selector = {"endpointSelector": {"matchLabels": {"team": "retail"}}}
    return MonitoringPolicy.model_validate(
        {"metadata": {"name": "baseline", "namespace": "retail", "generation": 2}, "spec": {**selector, **spec}}
    )


def reasons(found: Any) -> dict[str, tuple[str, str]]:
    return {condition.type: (condition.status, condition.reason) for condition in found.conditions}


def test_a_policy_lists_what_it_reaches() -> None:
    chats = [endpoint({"health": mood}) for mood in ("Healthy", "Degraded")]
    found = policy_status(policy(), chats, (), NOW_MS)
    assert (found.endpoints, found.healthy, found.endpoints_summary) == (2, 1, "1/2 healthy")
    assert [binding.health for binding in found.bindings] == ["Healthy", "Degraded"]
    assert reasons(found) == {"Accepted": ("True", "Valid"), "Bound": ("True", "EndpointsSelected")}


def test_a_policy_of_hundreds_of_endpoints_lists_a_hundred() -> None:
    found = policy_status(policy(), [endpoint()] * 300, (), NOW_MS)
    assert (found.endpoints, len(found.bindings)) == (300, 100)


@pytest.mark.parametrize(
    ("selector", "hint"), [({"matchLabels": {"team": "retail"}}, "carries team=retail"), ({}, "matches")]
)
def test_a_policy_that_reaches_nothing_says_what_it_looks_for(selector: dict[str, Any], hint: str) -> None:
    found = policy_status(policy(endpointSelector=selector), (), (), NOW_MS)
    assert found.endpoints_summary == "none"
    (bound,) = [condition for condition in found.conditions if condition.type == "Bound"]
    assert (bound.status, bound.reason) == ("False", "NothingSelected")
    assert bound.message.endswith(hint)


def test_a_policy_names_everything_that_cannot_run() -> None:
    problems = (
        (PolicyReason.UNKNOWN_EVALUATOR, "typo: no such"),
        (PolicyReason.EVALUATOR_NOT_FOUND, "later: not here"),
    )
    found = policy_status(policy(), [endpoint()], problems, NOW_MS)
    (accepted,) = [condition for condition in found.conditions if condition.type == "Accepted"]
    assert (accepted.status, accepted.reason, accepted.message) == (
        "False", "UnknownEvaluator", "typo: no such; later: not here",
    )  # fmt: skip


def test_a_paused_policy_is_accepted_and_says_that_it_is_paused() -> None:
    assert reasons(policy_status(policy(paused=True), [endpoint()], (), NOW_MS))["Accepted"] == ("True", "Paused")


def test_a_policy_says_when_its_namespace_has_used_up_its_share_of_the_hub_and_when_it_is_over() -> None:
    gib = 1 << 30
    assert "SamplesKept" not in reasons(policy_status(policy(), [endpoint()], (), NOW_MS))
    full = policy_status(policy(), [endpoint()], (), NOW_MS, PolicyFacts(full=(2 * gib, 2 * gib)))
    assert reasons(full)["SamplesKept"] == ("False", "StorageFull")
    assert "2.0 GiB" in next(one.message for one in full.conditions if one.type == "SamplesKept")
    before = policy().model_copy(update={"status": full})
    assert reasons(policy_status(before, [endpoint()], (), NOW_MS))["SamplesKept"] == ("True", "WithinShare")


def kept(full: tuple[int, int] | None, cut: str) -> tuple[str, str, str]:
    found = policy_status(policy(), [endpoint()], (), NOW_MS, PolicyFacts(full, cut))
    return next((one.status, one.reason, one.message) for one in found.conditions if one.type == "SamplesKept")


def test_a_policy_says_until_when_results_of_its_namespace_were_dropped() -> None:
    status, reason, message = kept(None, "2026-11-24T09:00:00Z")
    assert (status, reason) == ("False", "ResultsDropped")
    assert "ended until 2026-11-24T09:00:00Z" in message
    assert "a longer every" in message
    status, reason, message = kept((1, 1), "2026-11-24T09:00:00Z")
    assert (status, reason) == ("False", "StorageFull")
    assert "ended until 2026-11-24T09:00:00Z" in message, "the other loss is not passed over"
