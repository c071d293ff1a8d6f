"""A plan tells the address of an endpoint to an evaluator that asks it, and to no other."""

from __future__ import annotations

from typing import Any

import pytest

from modelward.api.evaluationrun import EvaluationRun
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.run_plan import PlanItem, plan_from_json, plan_to_json
from modelward.desired import runs
from modelward.desired.installation import Installation
from modelward.desired.monitoring_plan import merge_policies
from modelward.job.installed import catalogue

ABOUT = {"namespace": "retail"}
URL = "http://chat.retail.svc"


def planned(check: dict[str, Any], status: dict[str, Any]) -> PlanItem:
    backend = {"template": {"image": "llama", "port": 8080}}
    chat = LLMEndpoint.model_validate(
        {"metadata": {"name": "chat", **ABOUT}, "spec": {"backend": backend}, "status": status}
    )
    asked = {"name": "fair", "check": check, "failAbove": "20%"}
    spec = {"endpointSelector": {}, "capture": {"content": "Redacted"}, "evaluations": [asked]}
    policy = MonitoringPolicy.model_validate({"metadata": {"name": "p", **ABOUT}, "spec": spec})
    plans = {"chat": merge_policies(chat, [policy], catalogue().of_policies([policy], {}))}
    window = {"from": "2026-01-02T02:00:00Z", "to": "2026-01-02T03:00:00Z"}
    item = {"endpoint": "chat", "policy": "p", "evaluation": "fair", **window}
    run = EvaluationRun.model_validate({"metadata": {"name": "r", **ABOUT}, "spec": {"items": [item]}})
    made = runs.plan(run, plans, Installation("collector", "modelward", hub_url="https://hub"))
    assert plan_from_json(plan_to_json(made)) == made
    return made.items[0]


@pytest.mark.parametrize(
    ("builtin", "status", "address"),
    [
        ("CounterfactualBias", {"address": {"url": URL}}, URL),
        ("CounterfactualBias", {}, ""),
        ("EmbeddingDrift", {"address": {"url": URL}}, ""),
    ],
)
def test_only_what_probes_an_endpoint_is_told_where_it_is(builtin: str, status: dict[str, Any], address: str) -> None:
    assert planned({"builtin": builtin}, status).address == address
