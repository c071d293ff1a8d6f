"""MonitoringPolicy: how the endpoints of a namespace are watched."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from modelward.api.alerts import AlertsSpec
from modelward.api.base import (
    DNS_LABEL_RULE,
    Model,
    ObjectMeta,
    list_map,
    rules,
)
from modelward.api.exchange import Content
from modelward.api.form import durations
from modelward.api.label_selector import LabelSelector
from modelward.api.policy_budget import Budget
from modelward.api.policy_evaluation import Evaluation
from modelward.api.policy_objective import PolicyObjective
from modelward.api.policy_status import MonitoringPolicyStatus
from modelward.api.quantity import Bytes, Duration, Percent


class AlwaysCapture(Model):
    """What is captured regardless of the sample."""

    errors: bool = False
    """Capture every request that failed."""
    slower_than: Duration | None = None
    """Capture every request that took longer, such as 10s."""


class Capture(Model):
    """How much of the traffic is kept for evaluation, how revealing, and for how long."""

    model_config = rules(
        (  # the API server checks the default of `capture` before it fills its fields in
            f"!has(self.keepFor) || {durations('self.keepFor')} duration(self.keepFor) >= duration('1m')",
            "keepFor must be at least 1m: an evaluation needs time to read",
        ),
        (
            (
                "!has(self.maxBody) || !isQuantity(self.maxBody)"
                " || quantity(self.maxBody).compareTo(quantity('16Mi')) <= 0"
            ),
            "maxBody must be at most 16Mi: a collector holds no more of one request",
        ),
    )

    content: Content = "MetadataOnly"
    """None, MetadataOnly (no text), Redacted (personal data and secrets masked in the pod) or Full."""
    sample: Percent = "10%"
    """Share of exchanges that is captured."""
    always: AlwaysCapture = AlwaysCapture()
    keep_for: Duration = "168h"
    """How long captured exchanges are kept; at least 1m."""
    max_body: Bytes = "256Ki"
    """Longest request or answer that is kept whole, at most 16Mi; the rest is cut."""


class MonitoringPolicySpec(Model):
    """What the user wants watched."""

    model_config = rules(
        (
            (
                f"!has(self.evaluations) || {durations('self.capture.keepFor')} self.evaluations.all(e,"
                f" {durations('e.every')} duration(e.every) <= duration(self.capture.keepFor))"
            ),
            "every must be at most capture.keepFor: what is no longer kept cannot be judged",
        ),
    )

    endpoint_selector: Annotated[LabelSelector, Field(description="Which endpoints; {} means all in the namespace.")]
    capture: Capture = Capture()
    objectives: Annotated[tuple[PolicyObjective, ...], Field(max_length=50, json_schema_extra=list_map("name"))] = ()
    """Bounds on numbers that the traffic itself shows."""
    evaluations: Annotated[tuple[Evaluation, ...], Field(max_length=50, json_schema_extra=list_map("name"))] = ()
    """Checks of sampled answers."""
    budget: Budget | None = None
    alerts: AlertsSpec | None = None
    paused: Annotated[bool, Field(description="Keep the last verdicts and start nothing new.")] = False


class MonitoringPolicy(Model):
    """How endpoints are to be watched."""

    model_config = rules(DNS_LABEL_RULE)

    metadata: SkipJsonSchema[ObjectMeta]
    spec: MonitoringPolicySpec
    status: MonitoringPolicyStatus = MonitoringPolicyStatus()
