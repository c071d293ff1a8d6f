"""A run's plan says what each judge costs: by its own prices, or by those of the endpoint that it asks."""

from __future__ import annotations

from typing import Any

from modelward.api.budget import TokenPrices
from modelward.api.evaluationrun import EvaluationRun
from modelward.api.evaluator import Evaluator
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.run_plan import PlanItem, plan_from_json, plan_to_json
from modelward.desired import runs
from modelward.desired.evaluators import EndpointAddress
from modelward.desired.installation import Installation
from modelward.desired.monitoring_plan import merge_policies
from modelward.job.installed import catalogue

ABOUT = {"namespace": "retail"}
PRICES = {"perMillionInputTokens": "0.15", "perMillionOutputTokens": "0.60"}
EXACT = TokenPrices("USD", 150_000, 600_000)
RUBRIC = {"rubric": "Polite.", "labels": {"fault": ["rude"], "ok": ["polite"]}}


def endpoint(name: str, **usage: Any) -> LLMEndpoint:
    backend = {"template": {"image": "llama", "port": 8080}}
    return LLMEndpoint.model_validate({"metadata": {"name": name, **ABOUT}, "spec": {"backend": backend, **usage}})


def planned(model: dict[str, Any], judge: LLMEndpoint, budget: Any) -> PlanItem:
    evaluator = Evaluator.model_validate(
        {"metadata": {"name": "tone", **ABOUT}, "spec": {"judge": {"model": model, **RUBRIC}}}
    )
    asked = {"name": "tone", "evaluatorRef": {"name": "tone"}, "failAbove": "10%"}
    spec = {"endpointSelector": {}, "capture": {"content": "Redacted"}, "evaluations": [asked], "budget": budget}
    policy = MonitoringPolicy.model_validate({"metadata": {"name": "brand", **ABOUT}, "spec": spec})
    addresses = {judge.metadata.name: EndpointAddress("http://judge-llm.retail.svc")}
    resolved = catalogue().of_policies([policy], {"tone": evaluator}, addresses)
    plans = {one.metadata.name: merge_policies(one, [policy], resolved) for one in (endpoint("chat"), judge)}
    window = {"from": "2026-01-02T02:00:00Z", "to": "2026-01-02T03:00:00Z"}
    item = {"endpoint": "chat", "policy": "brand", "evaluation": "tone", **window}
    run = EvaluationRun.model_validate({"metadata": {"name": "r", **ABOUT}, "spec": {"items": [item]}})
    made = runs.plan(run, plans, Installation("collector", "modelward", hub_url="https://hub"))
    assert plan_from_json(plan_to_json(made)) == made
    return made.items[0]


def test_a_judge_in_the_cluster_costs_what_its_endpoint_says() -> None:
    prices = {"currency": "USD", "models": [{"model": "mini", **PRICES}]}
    judge = endpoint("judge-llm", usage={"prices": prices})
    found = planned({"endpointRef": {"name": "judge-llm", "model": "mini"}}, judge, {"judgeTokensPerDay": 5})
    assert (found.prices, found.budgeted) == (EXACT, True)
    assert planned({"endpointRef": {"name": "judge-llm"}}, judge, None).prices is None


def test_a_judge_outside_costs_what_its_block_says() -> None:
    outside = {"url": "https://api.example.com/v1", "model": "mini", "prices": {"currency": "USD", **PRICES}}
    found = planned({"external": outside}, endpoint("judge-llm"), None)
    assert (found.prices, found.budgeted) == (EXACT, False)
