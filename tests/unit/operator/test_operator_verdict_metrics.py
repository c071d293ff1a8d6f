"""The verdict series: every number that status shows, as Prometheus reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from modelward.api.llmendpoint import EvaluationStatus, LLMEndpointStatus, MetricStatus, ScalingStatus, UsageStatus
from modelward.api.quantity import duration_text, percent_text
from modelward.api.usage import Prices
from modelward.operator.observe.verdict_metrics import VerdictMetrics
from modelward.reasons.checks import CheckReason
from modelward.reasons.reason import Reason
from modelward.status.checks import Check
from modelward.status.conditions import ConditionState, settle


def exported(status: LLMEndpointStatus) -> dict[tuple[str, str], float]:
    """Return the samples of endpoint `retail/chat` by name and the value of their last label."""
    registry = CollectorRegistry()
    VerdictMetrics(registry).endpoint("retail", "chat", status)
    return samples(registry)


def samples(registry: CollectorRegistry) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        (
            sample.name,
            next((v for k, v in sample.labels.items() if k not in ("namespace", "endpoint", "policy")), ""),
        ): (sample.value)
        for family in families
        for sample in family.samples
    }


def test_conditions_health_and_replicas_are_exported() -> None:
    states = [
        ConditionState("Ready", "True", Reason("R")),
        ConditionState("Accepted", "False", Reason("R")),
        ConditionState("QualityHealthy", "Unknown", Reason("R")),
    ]
    status = LLMEndpointStatus(
        health="Degraded",
        ready_replicas=2,
        scaling=ScalingStatus(desired=3),
        conditions=settle(states, (), 1, 0),
    )
    found = exported(status)
    assert [found["modelward_condition", kind] for kind in ("Ready", "Accepted", "QualityHealthy")] == [1, 0, -1]
    moods = ("Healthy", "Degraded", "Unhealthy", "Unknown")
    assert [found["modelward_health", mood] for mood in moods] == [0, 1, 0, 0]
    assert (found["modelward_replicas", ""], found["modelward_replicas_desired", ""]) == (2, 3)


@given(st.integers(0, 1_500_000))
def test_every_share_that_status_can_show_is_exported(ppm: int) -> None:
    text = percent_text(ppm)
    one = EvaluationStatus(policy="p", name="topic", verdict="Unknown", rate=text, low=text, samples=7)
    found = exported(LLMEndpointStatus(evaluations=(one,)))
    assert found["modelward_evaluation_rate", "topic"] == pytest.approx(ppm / 1e6, rel=0.06, abs=0.0051)
    assert found["modelward_evaluation_samples", "topic"] == 7
    assert ("modelward_evaluation_rate_high", "topic") not in found


@given(st.integers(0, 10**9))
def test_every_duration_that_status_can_show_is_exported_in_seconds(ms: int) -> None:
    one = MetricStatus(policy="p", name="first-token", verdict="Unknown", value=duration_text(ms))
    found = exported(LLMEndpointStatus(metrics=(one, one.model_copy(update={"name": "none", "value": ""}))))
    assert found["modelward_objective_value", "first-token"] == pytest.approx(ms / 1e3, rel=0.5, abs=0.06)
    assert ("modelward_objective_value", "none") not in found


def test_a_check_is_exported_with_its_verdict_and_the_severity_that_its_policy_gives_it() -> None:
    checks = (
        Check("p", "errors", "Objectives", "Critical", "Failed", CheckReason.ABOVE_LIMIT),
        Check("p", "topic", "Quality", "Warning", "Unknown", CheckReason.NO_TRAFFIC),
        Check("p", "leaks", "Safety", "Critical", "Passed", CheckReason.PASSED),
    )
    registry = CollectorRegistry()
    VerdictMetrics(registry).endpoint("retail", "chat", LLMEndpointStatus(), checks)
    found = samples(registry)
    assert found["modelward_objective_verdict", "errors"] == 0
    assert [found["modelward_evaluation_verdict", name] for name in ("topic", "leaks")] == [-1, 1]
    value = registry.get_sample_value
    labels = {"namespace": "retail", "endpoint": "chat", "policy": "p"}
    severe = {**labels, "evaluation": "leaks", "severity": "Critical", "condition": "SafetyHealthy", "via": "Chart"}
    assert value("modelward_evaluation_info", severe) == 1
    missed = {**labels, "objective": "errors", "severity": "Critical", "condition": "ObjectivesMet", "via": "Chart"}
    assert value("modelward_objective_info", missed) == 1


def test_what_the_operator_reads_itself_is_exported_in_every_mode() -> None:
    usage = UsageStatus(requests_per_minute="60", first_token_p95=">10s", error_rate="69%")
    found = exported(LLMEndpointStatus(usage=usage))
    assert found["modelward_usage_requests_per_minute", ""] == 60
    assert found["modelward_usage_first_token_p95_seconds", ""] == 10
    assert found["modelward_usage_error_ratio", ""] == 0.69, "and not 0.6900000000000001"
    assert ("modelward_usage_input_tokens_per_minute", "") not in found, "what is not known is no zero"


def test_no_series_outlives_its_endpoint() -> None:
    registry = CollectorRegistry()
    verdicts = VerdictMetrics(registry)
    verdicts.endpoint("retail", "chat", LLMEndpointStatus())
    verdicts.orphan_brake(True)
    verdicts.forget("retail", "chat")
    verdicts.forget("retail", "chat")
    assert samples(registry) == {("modelward_orphan_brake", ""): 1.0}


def test_prices_are_exported_for_each_model_and_end_with_their_endpoint() -> None:
    registry = CollectorRegistry()
    verdicts = VerdictMetrics(registry)
    price = {"model": "*", "perMillionInputTokens": "0.15", "perMillionOutputTokens": "999999.999999"}
    prices = Prices.model_validate({"currency": "USD", "models": [price]})
    verdicts.endpoint("retail", "chat", LLMEndpointStatus(), prices=prices)
    told = {
        sample.labels["gen_ai_token_type"]: (sample.labels["model"], sample.labels["currency"], sample.value)
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
        if sample.name == "modelward_token_price"
    }
    assert told == {
        "input": ("*", "USD", 0.15e-6),
        "cached_input": ("*", "USD", 0.15e-6),
        "output": ("*", "USD", 0.999999999999),
    }
    verdicts.forget("retail", "chat")
    assert samples(registry) == {("modelward_orphan_brake", ""): 0.0}
