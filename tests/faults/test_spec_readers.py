"""Every spec that the API server accepts is one that every reader accepts: collector, hub, schedule, runs, status."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schema_rules import mended
from schema_semantics import SCHEMAS, specs
from schema_strategies import at, boundaries, leaves

from modelward.api.budget import (
    BudgetState,
    BudgetTerms,
    Spend,
    SpendRequest,
    SpentSoFar,
    terms_from_json,
    terms_to_json,
)
from modelward.api.collector_config import CollectorConfig, config_from_json, config_to_json
from modelward.api.evaluationrun import EvaluationRun
from modelward.api.llmendpoint import LLMEndpoint, LLMEndpointStatus
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.policy_status import MonitoringPolicyStatus
from modelward.api.run_plan import plan_from_json, plan_to_json
from modelward.desired import runs
from modelward.desired.capture import effective_capture
from modelward.desired.children import Facts, children
from modelward.desired.due import TrafficSince, due
from modelward.desired.installation import Installation
from modelward.desired.monitoring_plan import MonitoringPlan, merge_policies
from modelward.hub.ledger import opened, reserve
from modelward.hub.rules import Rule
from modelward.hub.rules_format import asked_from_json
from modelward.job.installed import catalogue
from modelward.status.budget import limits_of, seen_in
from modelward.status.policy import PolicyFacts, policy_status

NOW_MS = 1_795_480_000_000
INSTALLED = Installation("collector", "modelward", hub_url="https://modelward-hub.modelward-system.svc:8443")
SOUND = settings(
    max_examples=60, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
POLICIES = st.lists(specs("MonitoringPolicy", sensible=False), min_size=1, max_size=3)


def _policies(made: list[Any]) -> tuple[MonitoringPolicy, ...]:
    """Return policies of these specs that select every endpoint."""
    every = [{**spec, "endpointSelector": {}} for spec in made]
    about = [{"name": f"p{i}", "namespace": "retail", "generation": 1} for i in range(len(every))]
    return tuple(MonitoringPolicy.model_validate({"metadata": a, "spec": s}) for a, s in zip(about, every, strict=True))


def _endpoint(spec: Any) -> LLMEndpoint:
    metadata = {"name": "chat", "namespace": "retail", "uid": "u", "generation": 1}
    return LLMEndpoint.model_validate({"metadata": metadata, "spec": spec})


def _read_everywhere(endpoint: LLMEndpoint, policies: tuple[MonitoringPolicy, ...]) -> MonitoringPlan:
    asked = merge_policies(endpoint, policies, catalogue().of_policies(policies, {}), allow_raw=True)
    capture = effective_capture(policies, allow_raw=True)
    config = config_to_json(CollectorConfig(capture=capture.for_collector(), hub_url="https://hub"))
    read = config_from_json(json.loads(json.dumps(config)))
    assert (read.capture, read.unreadable) == (capture.for_collector(), ())
    row = {"content": capture.content, "keepForSeconds": capture.keep_for_ms // 1_000,
           "maxBodyBytes": capture.max_body_bytes}  # fmt: skip
    rules = asked_from_json(json.loads(json.dumps({"rules": {"retail/chat": row}})), Rule())
    assert rules.refused == {}
    assert rules.rules["retail/chat"].content == capture.content
    for name in ("Deployment", "StatefulSet"):
        children(endpoint, asked, INSTALLED, Facts(_workload(name)))
    return asked


def _workload(kind: str) -> dict[str, Any]:
    pod = {
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "m", "ports": [{"containerPort": 80}]}]},
    }
    metadata = {"name": "my-vllm", "namespace": "retail", "uid": "w", "resourceVersion": "1"}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "a"}}, "template": pod}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}


def _run(spec: Any) -> EvaluationRun:
    metadata = {"name": "run", "namespace": "retail", "uid": "r", "creationTimestamp": "2026-11-24T12:00:00Z"}
    return EvaluationRun.model_validate({"metadata": metadata, "spec": spec})


@SOUND
@given(specs("LLMEndpoint", sensible=False), POLICIES)
def test_what_policies_ask_is_read_by_collector_hub_schedule_and_status(spec: Any, made: list[Any]) -> None:
    endpoint, policies = _endpoint(spec), _policies(made)
    asked = _read_everywhere(endpoint, policies)
    items = due(NOW_MS, {"chat": asked}, {"chat": TrafficSince(NOW_MS - 1, 10**6)}, {}, {})
    if items:
        scheduled = runs.scheduled_run("retail", runs.fitting(items, {"chat": asked}), NOW_MS)
        run = EvaluationRun.model_validate(scheduled)
        plan = runs.plan(run, {"chat": asked}, INSTALLED)
        assert plan_from_json(json.loads(json.dumps(plan_to_json(plan)))) == plan
    for policy in policies:
        facts = PolicyFacts(captures=[asked.capture])
        MonitoringPolicyStatus.model_validate(policy_status(policy, [endpoint], (), NOW_MS, facts).wire())
        if policy.spec.budget is not None and policy.spec.budget.bounds_judges:
            _read_by_the_ledger(policy)
    LLMEndpointStatus.model_validate(endpoint.status.wire())


def _read_by_the_ledger(policy: MonitoringPolicy) -> None:
    """Take the limits to the hub, spend them there, and read what the status then says."""
    assert policy.spec.budget is not None
    terms = BudgetTerms("retail", "p", limits_of(policy.spec.budget), SpentSoFar(20_000, Spend()))
    assert terms_from_json(json.loads(json.dumps(terms_to_json(terms)))) == terms
    whole = Spend(terms.limits.tokens or 0, terms.limits.cost or 0)
    asked = SpendRequest("key-0001", "run", "judge", whole.tokens, whole.cost, terms.limits.currency)
    ledger, decision = reserve(opened(20_000, terms.seen), asked, replace(terms.limits, per_run_ppm=1_000_000))
    assert decision.refusal is None
    state = BudgetState("retail", "p", 20_000, ledger.total)
    said = policy_status(policy, [], (), NOW_MS, PolicyFacts(spent=state))
    shown = MonitoringPolicyStatus.model_validate(said.wire())
    seen = seen_in(shown.budget)
    assert seen is not None
    assert seen.spend.tokens == whole.tokens
    assert seen.spend.cost == whole.cost


@SOUND
@given(specs("EvaluationRun", sensible=False))
def test_what_a_run_asks_for_is_planned(spec: Any) -> None:
    endpoint = _endpoint({"backend": {"workloadRef": {"name": "my-vllm"}}})
    asked = {"chat": merge_policies(endpoint, _policies([{}]), {})}
    run = _run(spec)
    for item in runs.items(run, asked):
        assert item.from_ < item.to or item.from_ != item.to
    plan = runs.plan(run, asked, INSTALLED)
    assert plan_from_json(plan_to_json(plan)) == plan


def test_every_edge_of_a_capture_is_in_force_as_it_was_written_or_cut_with_a_word() -> None:
    schema = SCHEMAS["MonitoringPolicy"]
    fields = [path for path in leaves(schema) if path[0] == "capture"]
    assert len(fields) >= 6
    for path in fields:
        for edge in boundaries(at(schema, path)):
            inner: Any = edge
            for step in reversed(path):
                inner = {step: inner}
            accepted = mended(schema, {"endpointSelector": {}, **inner})
            asked = _read_everywhere(_endpoint({"backend": {"workloadRef": {"name": "v"}}}), _policies([accepted]))
            assert asked.capture.problem is None, (path, edge)
            stored = _read_everywhere(_endpoint({"backend": {"workloadRef": {"name": "v"}}}), _policies([inner]))
            assert (stored.capture == asked.capture) or stored.capture.problem is not None, (path, edge)
