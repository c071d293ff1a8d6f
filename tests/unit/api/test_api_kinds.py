"""The kinds: immutable, tolerant of newer fields, and with the answers that decisions ask of them."""

from typing import Any

import pytest
from pydantic import ValidationError

from modelward.api.evaluationrun import EvaluationRun
from modelward.api.evaluator import Evaluator
from modelward.api.label_selector import LabelSelector
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy

TEMPLATE = {"template": {"port": 8080, "image": "llama:1"}}
ADOPTED = {"workloadRef": {"name": "my-vllm"}}
EXTERNAL = {"external": {"url": "https://api.example.com/v1"}}
LABELS = {"team": "retail", "tier": "gold"}


def endpoint(backend: dict[str, Any], **spec: Any) -> LLMEndpoint:
    return LLMEndpoint.model_validate({"metadata": {"name": "chat"}, "spec": {"backend": backend, **spec}})


@pytest.mark.parametrize(("backend", "mode"), [(TEMPLATE, "Sidecar"), (ADOPTED, "ScrapeOnly"), (EXTERNAL, "Gateway")])
def test_a_backend_has_a_collector_mode_of_its_own_unless_one_is_written(backend: dict[str, Any], mode: str) -> None:
    assert endpoint(backend).mode == mode
    assert endpoint(backend, collector={"mode": "Gateway"}).mode == "Gateway"


def test_our_service_leaves_the_plain_name_to_the_adopted_workloads_own() -> None:
    assert endpoint(TEMPLATE).service_name == "chat"
    assert endpoint(ADOPTED).service_name == "chat-collector"
    assert endpoint(ADOPTED, service={"name": "front"}).service_name == "front"


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ({}, True),
        ({"matchLabels": {"team": "retail"}}, True),
        ({"matchLabels": {"team": "retail", "tier": "silver"}}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["gold", "silver"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["gold"]}]}, False),
        ({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]}, True),
        ({"matchExpressions": [{"key": "zone", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]}, True),
        ({"matchLabels": {"team": "retail"}, "matchExpressions": [{"key": "zone", "operator": "Exists"}]}, False),
    ],
)
def test_a_selector_selects_by_the_rules_of_kubernetes(selector: dict[str, Any], selected: bool) -> None:
    assert LabelSelector.model_validate(selector).matches(LABELS) is selected


def test_fields_of_a_newer_version_are_passed_over() -> None:
    assert endpoint(ADOPTED, shinyNewThing=1).spec.backend.workload_ref is not None


def test_an_object_cannot_be_changed_in_memory() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        endpoint(ADOPTED).spec.paused = True  # type: ignore[misc]


def test_the_wire_form_is_camel_case_without_what_is_unset() -> None:
    wire = endpoint(ADOPTED).wire()["spec"]
    assert wire["backend"] == {
        "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "my-vllm", "acceptRestart": False},
    }
    assert "replicas" not in wire


def test_a_policy_may_hold_everything_that_people_write() -> None:
    policy = MonitoringPolicy.model_validate(
        {
            "metadata": {"name": "baseline"},
            "spec": {
                "endpointSelector": {"matchLabels": {"team": "retail"}},
                "capture": {"content": "Redacted", "always": {"errors": True, "slowerThan": "10s"}},
                "objectives": [{"name": "errors", "metric": "ErrorRate", "maxRate": "1%"}],
                "evaluations": [
                    {"name": "topic", "check": {"builtin": "OffTopicAnswered", "config": {"k": 0.5}}, "failAbove": "1%"}
                ],
            },
        }
    )
    (evaluation,) = policy.spec.evaluations
    assert evaluation.check is not None
    assert evaluation.check.config == {"k": 0.5}
    assert policy.spec.capture.keep_for == "168h"


@pytest.mark.parametrize("moment", ["yesterday", "2026-11-24", "2026-11-24T25:00:00Z", "2026-11-24T10:00:00"])
def test_a_look_back_needs_real_times(moment: str) -> None:
    spec = {"endpoint": "chat", "from": moment, "to": "2026-11-24T10:00:00Z"}
    with pytest.raises(ValidationError, match="from"):
        EvaluationRun.model_validate({"metadata": {"name": "look-back"}, "spec": spec})


def test_an_evaluators_settings_are_kept_as_written() -> None:
    config = {"inScope": ["bank cards"], "nested": {"deep": [1, 2]}}
    evaluator = Evaluator.model_validate(
        {"metadata": {"name": "topic"}, "spec": {"builtin": "OffTopicAnswered", "config": config}}
    )
    assert evaluator.wire()["spec"]["config"] == config
