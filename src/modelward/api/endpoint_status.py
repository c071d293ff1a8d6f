"""What Modelward knows of an endpoint: the status of an LLMEndpoint, every number with its evidence.

Numbers are strings with their unit, ready for `kubectl get`; times are RFC 3339 in UTC.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from modelward.api.alerts import MAX_ALERTS, AlertStatus
from modelward.api.base import Condition, Fitted, VerdictValue, list_map
from modelward.api.quantity import Name

CollectorMode = Literal["ScrapeOnly", "Gateway", "Sidecar"]
Health = Literal["Healthy", "Degraded", "Unhealthy", "Unknown"]

MAX_CHECKS = 200
"""Objectives that a status lists at most, and evaluations."""
MAX_POLICIES = 50
MAX_SELECTOR_CHARS = 1_024

Time = Annotated[str, Field(max_length=32)]
Number = Annotated[str, Field(max_length=32)]
ReasonText = Annotated[str, Field(max_length=64)]
MessageText = Annotated[str, Field(max_length=256)]


class CheckStatus(Fitted):
    """What objectives and evaluations have in common: a verdict, and what it rests on."""

    policy: Name
    """The policy that states the check."""
    name: Name
    """The check's name in that policy."""
    samples: int = 0
    """Requests, or scored answers, that the verdict rests on."""
    verdict: VerdictValue
    """Passed, Failed, or Unknown when too little is known to say."""
    was: Literal["Passed", "Failed"] | None = None
    """Of an Unknown check: what it was when samples last decided it."""
    reason: ReasonText = ""
    """Why, as one word."""
    message: MessageText = ""
    """Why, for people."""
    observed_at: Time = ""
    """When the number was measured, or the end of the newest window that counts; empty where there is none."""
    heard_at: Time = ""
    """When samples last came, where they came after `observedAt` and decided nothing."""
    revision: Annotated[str, Field(max_length=64)] = ""
    """The revision that the verdict speaks of, or that of what it was."""
    spec_hash: Annotated[str, Field(max_length=16)] = ""
    """Digest of the check, by which a changed limit is known."""


class MetricStatus(CheckStatus):
    """One objective's number and verdict."""

    value: Number = ""
    """The number as measured, with its unit."""


class MovedPart(Fitted):
    """A topic, a word or a range of numbers, with its share of the window and how that changed."""

    label: Annotated[str, Field(max_length=64)]
    """The words of a topic, a word, or a range; only what many conversations share."""
    share: Number = ""
    """Its share of the window."""
    low: Number = ""
    """Lower end of the 95% interval of the share."""
    high: Number = ""
    """Upper end of the 95% interval of the share."""
    change: Number = ""
    """By how much the share is above (+) or below (-) that of the reference."""
    id: Annotated[str, Field(max_length=32)] = ""
    """Of a topic: by which it is known from window to window."""


class ComparisonStatus(Fitted):
    """How the rate differs from what it is compared with, in points."""

    against: Annotated[str, Field(max_length=64)]
    """Baseline, or the name of a revision."""
    result: Literal["Better", "Worse", "Equal", "CannotTell"]
    """Equal where the difference is surely within the margin; else its direction, where that is sure."""
    difference: Number = ""
    """The rate minus the other one, such as +2.1%; empty where there is nothing to compare with."""
    low: Number = ""
    """Lower end of the 95% interval of the difference."""
    high: Number = ""
    """Upper end of the 95% interval of the difference."""
    samples: int = 0
    """Scored answers that it is compared with."""


class EvaluationStatus(CheckStatus):
    """One evaluation's rate, or another statistic of its scores, with its interval, sample count and verdict."""

    rate: Number = ""
    """Share of scored answers at fault, or the mean or percentile that the policy asks for; how far a window moved."""
    low: Number = ""
    """Lower end of the 95% interval of the rate."""
    high: Number = ""
    """Upper end of the 95% interval of the rate."""
    p_value: Number = ""
    """Of an evaluator of change: how often chance alone would show as much."""
    moved: Annotated[tuple[MovedPart, ...], Field(max_length=10)] = ()
    """Of an evaluator of change: what moved, or the topics."""
    run: Annotated[str, Field(max_length=253)] = ""
    """The EvaluationRun that scored the newest window."""
    examples: Annotated[tuple[Annotated[str, Field(max_length=128)], ...], Field(max_length=3)] = ()
    """Ids of flagged exchanges."""
    change: ComparisonStatus | None = None
    """What `notWorseThan` found."""


class ErrorBudgetStatus(Fitted):
    """What is left of an objective's error budget, and how fast it goes."""

    policy: Name
    """The policy that states the objective."""
    objective: Name
    """The objective's name in that policy."""
    period: Number = ""
    """What the budget is for."""
    spent: Number = ""
    """Share of the budget that is spent."""
    remaining: Number = ""
    """Share of the budget that is left, below 0 when more was spent; empty where too little was watched."""
    low: Number = ""
    """Lower end of the 95% interval of what is left, where requests are sampled."""
    high: Number = ""
    """Upper end of that interval."""
    burn: Number = ""
    """How many times as fast as the budget allows the last hour spent it; empty without requests."""
    burning: Literal["No", "Slow", "Fast", "Unknown"] = "Unknown"
    """Whether it goes so fast that the alert BudgetBurn fires."""
    exhausted_at: Time = ""
    """When it was found to be spent, while it is."""
    seen: Number = ""
    """Share of the period that was watched."""
    message: MessageText = ""
    """Why, for people."""


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
