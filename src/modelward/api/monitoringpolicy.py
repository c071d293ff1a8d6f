"""MonitoringPolicy: how the endpoints of a namespace are watched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from modelward.api.base import Condition, Model, ObjectMeta, Severity, list_map, rules
from modelward.api.exchange import Content
from modelward.api.quantity import Bytes, Duration, Name, Percent

ObjectiveMetric = Literal["TimeToFirstToken", "TimePerOutputToken", "RequestDuration", "ErrorRate"]
Config = Annotated[
    Mapping[str, Any], Field(json_schema_extra={"type": "object", "x-kubernetes-preserve-unknown-fields": True})
]


class SelectorRequirement(Model):
    """One line of a label selector's matchExpressions."""

    key: Annotated[str, Field(min_length=1, max_length=317)]
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: Annotated[tuple[Annotated[str, Field(max_length=63)], ...] | None, Field(max_length=50)] = None


class LabelSelector(Model):
    """A full Kubernetes label selector; `{}` selects everything in the namespace."""

    match_labels: Annotated[Mapping[str, Annotated[str, Field(max_length=63)]] | None, Field(max_length=20)] = None
    match_expressions: Annotated[tuple[SelectorRequirement, ...] | None, Field(max_length=20)] = None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether an object with these labels is selected, by the rules of Kubernetes."""
        wanted = (labels.get(key) == value for key, value in (self.match_labels or {}).items())
        return all(wanted) and all(_holds(line, labels) for line in self.match_expressions or ())


def _holds(line: SelectorRequirement, labels: Mapping[str, str]) -> bool:
    match line.operator:
        case "Exists":
            return line.key in labels
        case "DoesNotExist":
            return line.key not in labels
        case "In":
            return labels.get(line.key) in (line.values or ())
        case "NotIn":
            return labels.get(line.key) not in (line.values or ())


class AlwaysCapture(Model):
    """What is captured whatever the sample says."""

    errors: bool = False
    slower_than: Duration | None = None


class Capture(Model):
    """How much of the traffic is kept for evaluation, how revealing, and for how long."""

    content: Content = "MetadataOnly"
    sample: Percent = "10%"
    always: AlwaysCapture = AlwaysCapture()
    keep_for: Duration = "168h"
    max_body: Bytes = "256Ki"


class PolicyObjective(Model):
    """A bound on a number that the traffic itself shows."""

    model_config = rules(
        (
            "has(self.maxRate) == (self.metric == 'ErrorRate') && has(self.maxDuration) != has(self.maxRate)",
            "ErrorRate needs maxRate (a percentage); the latency metrics need maxDuration",
        ),
        ("self.metric != 'ErrorRate' || !has(self.percentile)", "percentile belongs to the latency metrics"),
    )

    name: Name
    metric: ObjectiveMetric
    percentile: Annotated[int | None, Field(ge=1, le=99)] = None
    max_duration: Duration | None = None
    max_rate: Percent | None = None
    over: Duration = "15m"
    min_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    severity: Severity = "Warning"


class Check(Model):
    """An evaluator that ships with Modelward, with its settings."""

    builtin: Annotated[str, Field(min_length=1, max_length=63, description="Name of a built-in evaluator.")]
    config: Config | None = None


class EvaluatorRef(Model):
    """An Evaluator of this namespace."""

    kind: Literal["Evaluator"] = "Evaluator"
    name: Name


class Evaluation(Model):
    """One check of sampled answers, and what its result means for health."""

    model_config = rules(
        ("has(self.check) != has(self.evaluatorRef)", "set exactly one of check and evaluatorRef"),
        ("has(self.failAbove) != has(self.failBelow)", "set exactly one of failAbove and failBelow"),
        ("duration(self.over) >= duration(self.every)", "over must be at least as long as every"),
    )

    name: Name
    check: Check | None = None
    evaluator_ref: EvaluatorRef | None = None
    fail_above: Percent | None = None
    fail_below: Percent | None = None
    every: Duration = "15m"
    over: Duration = "1h"
    min_samples: Annotated[int, Field(ge=1, le=100_000)] = 100
    affects: Literal["Quality", "Safety"] = "Quality"
    severity: Severity = "Warning"


class MonitoringPolicySpec(Model):
    """What the user wants watched."""

    endpoint_selector: Annotated[LabelSelector, Field(description="Which endpoints; {} means all in the namespace.")]
    capture: Capture = Capture()
    objectives: Annotated[tuple[PolicyObjective, ...], Field(max_length=50, json_schema_extra=list_map("name"))] = ()
    evaluations: Annotated[tuple[Evaluation, ...], Field(max_length=50, json_schema_extra=list_map("name"))] = ()
    paused: Annotated[bool, Field(description="Keep the last verdicts and start nothing new.")] = False


class Binding(Model):
    """An endpoint that the policy selects."""

    endpoint: Name
    health: Annotated[str, Field(max_length=16)] = ""


class MonitoringPolicyStatus(Model):
    """Which endpoints the policy reaches."""

    observed_generation: int = 0
    endpoints: int = 0
    healthy: int = 0
    endpoints_summary: Annotated[str, Field(max_length=32)] = ""
    bindings: Annotated[tuple[Binding, ...], Field(max_length=100, json_schema_extra=list_map("endpoint"))] = ()
    conditions: Annotated[tuple[Condition, ...], Field(max_length=8, json_schema_extra=list_map("type"))] = ()


class MonitoringPolicy(Model):
    """How endpoints are to be watched."""

    metadata: SkipJsonSchema[ObjectMeta]
    spec: MonitoringPolicySpec
    status: MonitoringPolicyStatus = MonitoringPolicyStatus()
