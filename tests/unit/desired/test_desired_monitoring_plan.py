"""Several policies on one endpoint: united, with privacy winning and every loss said."""

from __future__ import annotations

from typing import Any

import pytest
from desired_specimens import endpoint, evaluation, evaluator, policy, resolved, run_here
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.collector_config import CollectorConfig, config_from_json, config_to_json
from modelward.api.evaluation import EvaluatorFacts
from modelward.api.exchange import CONTENT_ORDER, Content
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired.capture import EffectiveCapture, reveals
from modelward.desired.evaluators import ResolvedEvaluator
from modelward.desired.monitoring_plan import BoundEvaluation, MonitoringPlan, alone, merge_policies

contents = st.sampled_from(CONTENT_ORDER)


def _watch(*policies: MonitoringPolicy, allow_raw: bool = False) -> MonitoringPlan:
    evaluators = resolved(policies, {"shared": evaluator("shared", "Score")})
    return merge_policies(run_here(), policies, evaluators, allow_raw=allow_raw)


def _only(watched: MonitoringPlan) -> BoundEvaluation:
    assert len(watched.evaluations) == 1
    return watched.evaluations[0]


def _reason(watched: MonitoringPlan) -> str:
    problem = _only(watched).problem
    return problem.reason if problem else ""


@given(st.lists(contents, min_size=1, max_size=4), st.booleans())
def test_no_policy_makes_capture_more_revealing_than_another_allows(wanted: list[Content], allow_raw: bool) -> None:
    watched = _watch(*(policy(f"p{i}", {"content": c}) for i, c in enumerate(wanted)), allow_raw=allow_raw)
    assert reveals(watched.capture.content) <= min(map(reveals, wanted))
    assert allow_raw or watched.capture.content != "Full"
    assert (watched.capture.problem is not None) == ("Full" in wanted and not allow_raw)


def test_each_part_of_capture_is_united_by_its_own_rule() -> None:
    one = {"content": "Redacted", "sample": "1%", "always": {"slowerThan": "5s"}, "keepFor": "24h", "maxBody": "1Ki"}
    two = {"content": "MetadataOnly", "sample": "20%", "always": {"errors": True, "slowerThan": "2s"}}
    capture = _watch(policy("one", one), policy("two", two)).capture
    assert capture == EffectiveCapture(
        content="MetadataOnly",
        sample_ppm=200_000,
        always_errors=True,
        always_slower_than_ms=2_000,
        max_body_bytes=262_144,
        keep_for_ms=86_400_000,
        lowered_by="two",
    )
    assert capture.for_collector().sample_ppm == 200_000


def test_what_is_wrong_with_a_policy_is_known_before_any_endpoint() -> None:
    wrong = policy("p", {"content": "Full"}, evaluations=[evaluation(check={"builtin": "Vibes"})])
    watched = alone(wrong, resolved([wrong]))
    assert (_reason(watched), watched.capture.problem) == ("UnknownEvaluator", None)


def test_without_a_policy_nothing_is_kept() -> None:
    assert _watch() == MonitoringPlan()
    assert (_watch().capture.content, _watch().capture.sample_ppm) == ("None", 0)


@pytest.mark.parametrize(
    ("metadata", "selector"),
    [
        ({"namespace": "elsewhere"}, {}),
        ({"deletionTimestamp": "2026-01-01T00:00:00Z"}, {}),
        ({}, {"matchLabels": {"team": "lending"}}),
    ],
)
def test_a_policy_that_does_not_select_the_endpoint_is_left_out(metadata: Any, selector: Any) -> None:
    about = {"name": "p", "namespace": "retail", **metadata}
    spec = {"endpointSelector": selector, "evaluations": [evaluation()]}
    other = MonitoringPolicy.model_validate({"metadata": about, "spec": spec})
    assert (
        merge_policies(endpoint({"backend": {"template": {"image": "i", "port": 1}}}), (other,), resolved([other]))
        == MonitoringPlan()
    )


def test_objectives_and_evaluations_are_united_under_their_policies() -> None:
    objective = {"name": "errors", "metric": "ErrorRate", "maxRate": "1%"}
    spec: dict[str, Any] = {"objectives": [objective], "evaluations": [evaluation()]}
    watched = _watch(policy("b", {"content": "Redacted"}, **spec), policy("a", {"content": "Redacted"}, **spec))
    assert [bound.policy for bound in watched.objectives] == ["a", "b"]
    assert [bound.policy for bound in watched.evaluations] == ["a", "b"]
    assert [(applied.name, applied.generation) for applied in watched.applied] == [("a", 3), ("b", 3)]


def test_a_paused_policy_keeps_its_place_and_is_marked() -> None:
    objective = {"name": "errors", "metric": "ErrorRate", "maxRate": "1%"}
    watched = _watch(
        policy("a", {"content": "Redacted"}, paused=True, evaluations=[evaluation()], objectives=[objective])
    )
    assert _only(watched).paused
    assert watched.objectives[0].paused


def test_an_evaluation_that_lost_its_text_names_the_policy_that_took_it() -> None:
    strict = policy("strict", {"content": "MetadataOnly"})
    problem = _only(_watch(policy("a", {"content": "Redacted"}, evaluations=[evaluation()]), strict)).problem
    assert problem is not None
    assert problem.reason == "CaptureForbidden"
    assert "policy strict lowered the content to MetadataOnly" in problem.message


@pytest.mark.parametrize(
    ("content", "check", "reason"),
    [
        ("Redacted", evaluation(), ""),
        ("MetadataOnly", evaluation(), "NoCapture"),
        ("Full", evaluation(), ""),
        ("Redacted", evaluation(check={"builtin": "Nonsense"}), "UnknownEvaluator"),
        ("Redacted", evaluation(evaluatorRef={"name": "absent"}), "EvaluatorNotFound"),
        ("Redacted", {"name": "neither", "failAbove": "1%"}, "EvaluatorNotFound"),
        ("Redacted", evaluation(evaluatorRef={"name": "shared"}), "InvalidThreshold"),
        ("MetadataOnly", evaluation(evaluatorRef={"name": "shared"}, failBelow="1%"), ""),
        ("Redacted", evaluation(failBelow="1%"), "InvalidThreshold"),
        ("Redacted", evaluation(check={"builtin": "Score", "config": {"bad": 1}}, failBelow="1%"), "InvalidConfig"),
    ],
)
def test_an_evaluation_that_cannot_run_says_why(content: str, check: dict[str, Any], reason: str) -> None:
    assert _reason(_watch(policy("a", {"content": content}, evaluations=[check]))) == reason


@pytest.mark.parametrize(
    ("config", "asked", "said"),
    [
        ({}, {"statistic": "Mean", "failBelow": "80%"}, ""),
        ({}, {"statistic": "P95", "failBelow": "80%"}, ""),
        ({}, {"statistic": "P95", "failAbove": "80%"}, "Score is bad below a limit; set failBelow"),
        ({}, {"statistic": "P95", "failBelow": "80"}, "P95 of Score is from 0% to 100%; write failBelow with %"),
        ({"unit": "grade"}, {"statistic": "P95", "failBelow": "8"}, ""),
        (
            {"unit": "grade"},
            {"statistic": "P95", "failBelow": "8%"},
            "P95 of Score is a number of unit grade; write failBelow without %",
        ),
        (
            {"unit": "grade"},
            {"statistic": "Mean", "failBelow": "8%"},
            "Score has a number of unit grade, whose mean has no bounds; set statistic to P50, P90, P95 or P99",
        ),
    ],
)
def test_a_statistic_that_the_evaluator_cannot_have_says_what_to_write(config: Any, asked: Any, said: str) -> None:
    check = evaluation(check={"builtin": "Score", "config": config}, **asked)
    problem = _only(_watch(policy("a", {"content": "Redacted"}, evaluations=[check]))).problem
    assert (problem.message if problem else "") == said
    assert problem is None or problem.reason == "InvalidThreshold"


def test_an_evaluator_of_flags_alone_has_a_share_only() -> None:
    check = evaluation(statistic="Mean")
    problem = _only(_watch(policy("a", {"content": "Redacted"}, evaluations=[check]))).problem
    assert problem is not None
    assert (
        problem.message == "OffTopicAnswered flags exchanges and has no value; leave statistic out, or set it to Share"
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"maxBody": "999999Mi"}, "maxBody 999999Mi of policy stored is above 16Mi; 16Mi is in force"),
        ({"keepFor": "500ms"}, "keepFor 500ms of policy stored is below 1s; 1s is in force"),
        ({"keepFor": "0s"}, "keepFor 0s of policy stored is below 1s; 1s is in force"),
    ],
)
def test_what_an_earlier_version_stored_beyond_a_bound_is_cut_and_the_policy_says_so(asked: Any, said: str) -> None:
    capture = _watch(policy("stored", asked)).capture
    assert capture.keep_for_ms >= 1_000
    assert capture.max_body_bytes <= 16 << 20
    assert capture.problem is not None
    assert (capture.problem.reason, said in capture.problem.message) == ("ValueOutOfRange", True)
    told = config_to_json(CollectorConfig(capture=capture.for_collector()))
    assert config_from_json(told).capture == capture.for_collector()


@pytest.mark.parametrize("asked", [{"maxBody": "16Mi"}, {"keepFor": "1s"}])
def test_what_lies_within_the_bounds_is_not_cut(asked: Any) -> None:
    assert _watch(policy("stored", asked)).capture.problem is None


def stored(keep_for: str = "168h", **checks: Any) -> MonitoringPlan:
    """Watch an endpoint by a policy that an earlier version stored."""
    spec = {"endpointSelector": {}, "capture": {"content": "Redacted", "keepFor": keep_for}, **checks}
    policy = MonitoringPolicy.model_validate({"metadata": {"name": "old", "namespace": "retail"}, "spec": spec})
    return merge_policies(run_here(), (policy,), resolved([policy]))


@pytest.mark.parametrize(("over", "honoured"), [("1h", True), ("3601s", False), ("24h", False)])
def test_an_objective_over_more_than_is_kept_says_so(over: str, honoured: bool) -> None:
    asked = {"name": "errors", "metric": "ErrorRate", "maxRate": "1%", "over": over}
    (bound,) = stored(objectives=[asked]).objectives
    assert (bound.problem is None) == honoured
    if bound.problem is not None:
        message = f"over {over} of objective errors is above 1h: readings are kept for an hour; write less"
        assert (bound.problem.reason, bound.problem.message) == ("ValueOutOfRange", message)


@pytest.mark.parametrize(
    ("asked", "keep_for", "reason"),
    [
        ({"over": "24h"}, "168h", ""),
        ({"over": "24h1s"}, "168h", "ValueOutOfRange"),
        ({"every": "15m", "over": "1h", "minSamples": 8_000}, "168h", ""),
        ({"every": "15m", "over": "1h", "minSamples": 8_001}, "168h", "ValueOutOfRange"),
        ({"every": "15m", "over": "1h"}, "15m", ""),
        ({"every": "15m", "over": "1h"}, "14m", "KeptTooShort"),
    ],
)
def test_an_evaluation_that_asks_for_more_than_is_kept_says_so(asked: Any, keep_for: str, reason: str) -> None:
    one = {"name": "leaks", "check": {"builtin": "PII"}, "failAbove": "1%", **asked}
    (bound,) = stored(keep_for, evaluations=[one]).evaluations
    assert (bound.problem.reason if bound.problem else "") == reason


@pytest.mark.parametrize(
    ("answers", "asked", "said"),
    [
        ("Share", {}, ""),
        (
            "Share",
            {"statistic": "Mean"},
            "notWorseThan compares shares flagged; leave statistic out, or set it to Share",
        ),
        ("Change", {}, "notWorseThan compares shares flagged, and E compares windows itself; leave it out"),
    ],
)
def test_what_has_no_share_flagged_is_not_compared(answers: Any, asked: Any, said: str) -> None:
    check = evaluation(notWorseThan={"baseline": "5%"}, **asked)
    compares = ResolvedEvaluator("builtin", "E", {}, EvaluatorFacts("E", "1"), answers=answers, has_value=True)
    watched = policy("a", {"content": "Redacted"}, evaluations=[check])
    [bound] = alone(watched, {("a", check["name"]): compares}).evaluations
    assert (bound.problem.message if bound.problem else "") == said
