"""No status of ours is refused by our own schema, whatever pods, tenants and other controllers put into it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from status_specimens import ACCEPTED, FRESH, NOW_MS, SEEN, SERVING, counts, endpoint, evaluation, result

from modelward.api import crd
from modelward.api.base import Condition
from modelward.api.check_status import EvaluationStatus, MetricStatus
from modelward.api.endpoint_status import ScalingDecision, ScalingStatus, UsageStatus
from modelward.api.evaluation import Example
from modelward.api.evaluationrun import EvaluationRunStatus, RunItemStatus
from modelward.api.evaluator import EvaluatorStatus
from modelward.api.llmendpoint import AppliedPolicy, CollectorStatus, LLMEndpointStatus
from modelward.api.policy_status import Binding, MonitoringPolicyStatus
from modelward.operator.endpoint.status_writer import wire
from modelward.status.conditions import ConditionState
from modelward.status.endpoint import EndpointFacts, endpoint_status
from modelward.status.evaluation_judgement import judge_evaluation
from modelward.status.judgement import JudgementInput
from modelward.status.revision import Revision

R1 = Revision("r1", ("r1",))
SCHEMAS = {
    kind.name: document["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    for kind, document in zip(crd.KINDS, crd.documents(), strict=True)
}
LONG = st.one_of(st.text(max_size=30), st.integers(100, 5_000).map(lambda size: "ä" * size), st.just("\ud800half"))
SAID = LONG.filter(bool)
NUMBER = st.integers(-(10**30), 10**30)
NAME = st.integers(0, 10_000).map(lambda number: f"n{number}")


def refused(value: Any, schema: dict[str, Any], path: str = "status") -> list[str]:
    """Return what the API server would say of a value; of the rules that our statuses use."""
    if isinstance(value, dict):
        known = schema.get("properties", {})
        missing = [f"{path}.{name} is missing" for name in schema.get("required", ()) if name not in value]
        return missing + [why for name, one in value.items() for why in refused(one, known[name], f"{path}.{name}")]
    if isinstance(value, list):
        keys = schema.get("x-kubernetes-list-map-keys", ())
        names = [tuple(one[key] for key in keys) for one in value] if keys else []
        many = [f"{path} has {len(value)} items"] if len(value) > schema.get("maxItems", len(value)) else []
        twice = [f"{path} repeats a key"] if len(set(names)) < len(names) else []
        return many + twice + [why for one in value for why in refused(one, schema["items"], f"{path}[]")]
    if isinstance(value, str):
        value.encode()
        fine = (
            len(value) <= schema.get("maxLength", len(value))
            and value in schema.get("enum", (value,))
            and re.search(schema.get("pattern", ""), value)
        )
        return [] if fine else [f"{path}: {value[:40]!r}"]
    return [] if abs(value) < 2**63 else [f"{path}: {value}"]


def _metrics() -> st.SearchStrategy[MetricStatus]:
    decided = st.sampled_from(["Passed", "Failed", "Unknown"])
    more = {"value": LONG, "samples": NUMBER, "reason": LONG, "message": LONG}
    return st.builds(MetricStatus, policy=NAME, name=NAME, verdict=decided, **more)


def _evaluations() -> st.SearchStrategy[EvaluationStatus]:
    decided = st.sampled_from(["Passed", "Failed", "Unknown"])
    more = dict.fromkeys(("rate", "low", "high", "reason", "message", "run"), LONG)
    examples = st.lists(LONG, max_size=6).map(tuple)
    return st.builds(
        EvaluationStatus, policy=NAME, name=NAME, verdict=decided, samples=NUMBER, examples=examples, **more
    )


def _by_key(one: MetricStatus | EvaluationStatus) -> tuple[str, str]:
    return one.policy, one.name


FOUND = st.builds(
    EndpointFacts,
    accepted=st.builds(ConditionState, st.just("Accepted"), st.sampled_from(["True", "False"]), LONG, LONG),
    workload=st.builds(ConditionState, st.just("WorkloadReady"), st.sampled_from(["True", "False"]), LONG, LONG),
    collector=st.just(SEEN),
    metrics=st.just(FRESH),
    replicas=NUMBER,
    ready_replicas=NUMBER,
    desired_replicas=NUMBER,
    selector=LONG,
    url=LONG,
    models=st.lists(LONG, max_size=40).map(tuple),
    revision=st.builds(Revision, LONG, st.lists(LONG, max_size=30).map(tuple), LONG),
    usage=st.builds(UsageStatus, requests_per_minute=LONG, first_token_p95=LONG, error_rate=LONG),
    objectives=st.lists(_metrics(), max_size=5, unique_by=_by_key).map(tuple),
    evaluations=st.lists(_evaluations(), max_size=5, unique_by=_by_key).map(tuple),
    scaling_status=st.builds(
        ScalingStatus,
        desired=NUMBER,
        reason=LONG,
        message=LONG,
        capacity=LONG,
        decisions=st.lists(
            st.builds(ScalingDecision, time=SAID, replicas=NUMBER, reason=SAID, message=LONG), max_size=20
        ).map(tuple),
    ),
    collector_status=st.builds(CollectorStatus, mode=st.just("Sidecar"), ready=NUMBER, version=LONG, injected=LONG),
)


@settings(max_examples=60)
@given(FOUND)
def test_every_endpoint_status_is_one_that_the_api_server_takes(found: EndpointFacts) -> None:
    status = endpoint_status(endpoint({"revision": "r0"}), found, NOW_MS)
    assert refused(wire(status), SCHEMAS["LLMEndpoint"]) == []


@given(SAID, SAID, NUMBER)
def test_every_other_status_is_one_that_the_api_server_takes(name: str, text: str, number: int) -> None:
    condition = Condition(type=name, status="True", reason=text, message=text, last_transition_time=text)
    item = RunItemStatus(endpoint="a", policy="b", evaluation="c", result="Error", samples=number, message=text)
    run = EvaluationRunStatus(
        message=text, job=text, samples=number, start_time=text, items=(item,), conditions=(condition,)
    )
    policy = MonitoringPolicyStatus(
        endpoints=number, endpoints_summary=text, bindings=(Binding(endpoint="a", health=text),)
    )
    judge = EvaluatorStatus(version=text, measured=text, conditions=(condition,))
    for kind, status in (("EvaluationRun", run), ("MonitoringPolicy", policy), ("Evaluator", judge)):
        assert refused(wire(status), SCHEMAS[kind]) == []


def _many(count: int, **more: Any) -> tuple[MetricStatus, ...]:
    return tuple(
        MetricStatus(policy=f"p{number // 50}", name=f"o{number % 50}", verdict="Passed", **more)
        for number in range(count)
    )


def test_what_status_has_no_room_for_is_told_and_what_failed_is_listed_first() -> None:
    plenty = EndpointFacts(ACCEPTED, SERVING, SEEN, FRESH, objectives=_many(250))
    assert len(endpoint_status(endpoint(), replace(plenty, objectives=_many(200)), NOW_MS).metrics) == 200
    failed = plenty.objectives[249].model_copy(update={"verdict": "Failed"})
    before = plenty.objectives[248].model_copy(update={"verdict": "Unknown", "was": "Failed"})
    policies = tuple(AppliedPolicy(name=f"p{number}", generation=1) for number in range(51))
    found = replace(plenty, objectives=(*plenty.objectives[:248], before, failed), applied=policies)
    status = endpoint_status(endpoint(), found, NOW_MS)
    assert status.metrics[:2] == (failed, before)
    accepted = next(one for one in status.conditions if one.type == "Accepted")
    assert (accepted.status, accepted.reason) == ("True", "StatusCut")
    assert accepted.message == "status lists 50 of 51 policies, 200 of 250 objectives; all of them count"
    assert refused(wire(status), SCHEMAS["LLMEndpoint"]) == []


@pytest.mark.parametrize("length", [128, 129, 256])
def test_an_example_whose_id_is_too_long_is_counted_and_the_next_one_is_listed(length: int) -> None:
    ids = ("x" * length, "second", "third", "fourth")
    found = replace(result(counts(400, 200)), examples={"r1": tuple(Example(one, "x") for one in ids)})
    check, status = judge_evaluation(evaluation(), [found], JudgementInput(R1), NOW_MS)
    assert status.examples == (ids[:3] if length == 128 else ids[1:])
    assert ("1 flagged exchanges have ids over 128 characters" in check.message) == (length > 128)
    LLMEndpointStatus(evaluations=(status,))


def test_a_selector_that_has_no_room_is_left_out_and_said_so() -> None:
    found = EndpointFacts(ACCEPTED, SERVING, SEEN, FRESH, selector="a=b," * 300)
    status = endpoint_status(endpoint(), found, NOW_MS)
    assert status.selector == ""
    assert "selector has 1200 characters" in next(one.message for one in status.conditions if one.type == "Accepted")
