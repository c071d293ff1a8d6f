"""What Modelward knows of an endpoint: the status of an LLMEndpoint, every number with its evidence.

Numbers are strings with their unit, ready for `kubectl get`; times are RFC 3339 in UTC.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from modelward.api.alert_status import MAX_ALERTS, AlertStatus
from modelward.api.base import Condition, Fitted, list_map
from modelward.api.check_status import ErrorBudgetStatus, EvaluationBudgetStatus, EvaluationStatus, MetricStatus
from modelward.api.quantity import Name
from modelward.api.status_fields import MessageText, Number, ReasonText, Time

CollectorMode = Literal["ScrapeOnly", "Gateway", "Sidecar"]
Health = Literal["Healthy", "Degraded", "Unhealthy", "Unknown"]
MAX_CHECKS = 200
"""Objectives that a status lists at most, and evaluations."""
MAX_POLICIES = 50
MAX_SELECTOR_CHARS = 1_024


class ScalingDecision(Fitted):
    """One change of replicas that was decided, and why."""

    time: Time
    """When it was decided."""
    replicas: int
    """The number that was decided."""
    reason: ReasonText
    """Why, as one word."""
    message: MessageText = ""
    """Why, for people, with the numbers."""


class ScalingStatus(Fitted):
    """What the scaler wants and why."""

    desired: int | None = None
    """Replicas that the scaler last decided on."""
    reason: ReasonText = ""
    """Why, as one word."""
    message: MessageText = ""
    """Why, for people, with the numbers."""
    capacity: Annotated[str, Field(max_length=64)] = ""
    """What one replica carries within the objective, and how that is known."""
    decisions: Annotated[tuple[ScalingDecision, ...], Field(max_length=10)] = ()
    """The last changes, newest first."""


class CollectorStatus(Fitted):
    """How many collectors see the traffic, and which version they are."""

    mode: CollectorMode
    """How traffic is seen."""
    ready: int = 0
    """Collectors that answer."""
    desired: int = 0
    """Collectors that there should be."""
    version: Annotated[str, Field(max_length=128)] = ""
    """Version that the collectors run."""
    traffic_seen: Annotated[str, Field(max_length=9)] = ""
    """Share of the engine's requests that collectors saw."""
    injected: Annotated[str, Field(max_length=64)] = ""
    """What of the spec a sidecar was put in for, and into which workload: who takes it out is respected."""


class AppliedPolicy(Fitted):
    """A policy that watches this endpoint, and the generation that is in force."""

    name: Name
    """The policy's name."""
    generation: int
    """Its metadata.generation that is in force."""


class Change(Fitted):
    """A change that may explain a later one."""

    time: Time
    """When it changed."""
    kind: Literal["Revision", "Policy", "Version", "Scale"]
    """What changed."""
    message: MessageText
    """From what to what."""


class UsageStatus(Fitted):
    """What passed through in the last five minutes."""

    requests_per_minute: Number = ""
    """Requests per minute."""
    input_tokens_per_minute: Number = ""
    """Prompt tokens per minute."""
    output_tokens_per_minute: Number = ""
    """Generated tokens per minute."""
    first_token_p95: Number = ""
    """Time to first token, 95th percentile."""
    error_rate: Annotated[str, Field(max_length=9)] = ""
    """Share of requests that failed."""
    cost_per_hour: Annotated[str, Field(max_length=40)] = ""
    """What an hour like these minutes costs, where each model that is used has a price."""


class ServingRevision(Fitted):
    """How the serving revision is known again after a restart of its pods, which changes the hash of their template."""

    hashes: Annotated[tuple[Annotated[str, Field(max_length=64)], ...], Field(max_length=10)] = ()
    """Hashes of its pod template, newest first: one for each restart."""
    template: Annotated[str, Field(max_length=16)] = ""
    """Digest of its pod template without `restartedAt` and what is Modelward's own."""
    since: Time = ""
    """When it began to serve; empty for the first that was seen."""


class Address(Fitted):
    """Where clients reach the endpoint."""

    url: Annotated[str, Field(max_length=512)]
    """Base URL inside the cluster."""


class LLMEndpointStatus(Fitted):
    """What Modelward knows of an endpoint; every number with its evidence."""

    observed_generation: int = 0
    """The metadata.generation that the status speaks of."""
    summary: Annotated[str, Field(max_length=80)] = ""
    """What health rests on, in one line."""
    health: Health = "Unknown"
    """Healthy, Degraded (a Warning check failed), Unhealthy (not serving or a Critical one failed) or Unknown."""
    health_since: Time = ""
    """When health last changed."""
    checks: Annotated[str, Field(max_length=16)] = ""
    """Decided checks of all checks, such as 4/5."""
    replicas: int = 0
    """Pods that there are."""
    ready_replicas: int = 0
    """Pods that serve."""
    replicas_summary: Annotated[str, Field(max_length=16)] = ""
    """Ready of desired pods, such as 3/3."""
    selector: Annotated[str, Field(max_length=MAX_SELECTOR_CHARS)] = ""
    """Label selector of the pods, for autoscalers."""
    address: Address | None = None
    engine: Annotated[str, Field(max_length=32)] = ""
    """What serves the model: spec.engine, or what a generic one was recognised as by its metrics."""
    models: Annotated[tuple[Annotated[str, Field(max_length=253)], ...], Field(max_length=20)] = ()
    """Models that the endpoint serves, by their own account."""
    revision: Annotated[str, Field(max_length=64)] = ""
    """What serves now, by the first hash of its pod template; a restart is no new revision."""
    serving: ServingRevision | None = None
    usage: UsageStatus | None = None
    metrics: Annotated[
        tuple[MetricStatus, ...], Field(max_length=MAX_CHECKS, json_schema_extra=list_map("policy", "name"))
    ] = ()
    """One entry per objective of each policy."""
    evaluations: Annotated[
        tuple[EvaluationStatus, ...], Field(max_length=MAX_CHECKS, json_schema_extra=list_map("policy", "name"))
    ] = ()
    """One entry per evaluation of each policy."""
    budgets: Annotated[
        tuple[ErrorBudgetStatus, ...], Field(max_length=MAX_CHECKS, json_schema_extra=list_map("policy", "objective"))
    ] = ()
    """One entry per objective with an error budget."""
    evaluation_budgets: Annotated[
        tuple[EvaluationBudgetStatus, ...],
        Field(max_length=MAX_CHECKS, json_schema_extra=list_map("policy", "evaluation")),
    ] = ()
    """One entry per evaluation with an error budget."""
    scaling: ScalingStatus | None = None
    collector: CollectorStatus | None = None
    applied_policies: Annotated[
        tuple[AppliedPolicy, ...], Field(max_length=MAX_POLICIES, json_schema_extra=list_map("name"))
    ] = ()
    """Policies that select this endpoint."""
    changes: Annotated[tuple[Change, ...], Field(max_length=5)] = ()
    """The last changes, newest first."""
    alerts: Annotated[
        tuple[AlertStatus, ...], Field(max_length=MAX_ALERTS, json_schema_extra=list_map("policy", "name"))
    ] = ()
    """Alerts that wait, fire or have ended a short while ago, by the policies that ask for alerts."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=16, json_schema_extra=list_map("type"))] = ()
    """What holds and what does not, each with its reason."""
