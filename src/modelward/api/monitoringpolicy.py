"""MonitoringPolicy: how the endpoints of a namespace are watched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from modelward.api.alerts import AlertsSpec
from modelward.api.base import (
    BUILTINS_HELP,
    DNS_LABEL_RULE,
    Model,
    ObjectMeta,
    OneOf,
    Severity,
    list_map,
    rules,
)
from modelward.api.evaluation import MAX_SAMPLES, Statistic
from modelward.api.exchange import Content
from modelward.api.form import durations
from modelward.api.imported import Imported
from modelward.api.objectives import OBJECTIVES, metric_help, of_kind
from modelward.api.policy_status import MonitoringPolicyStatus
from modelward.api.quantity import Bytes, Currency, Duration, Limit, Money, Name, Percent

OBJECTIVE_OVER_MAX_MS = 3_600_000
"""As long as readings are kept."""
EVALUATION_OVER_MAX_MS = 24 * 3_600_000
"""As long as results are kept, and two hours more for those that come late."""
_RATES = [row.name for row in of_kind("Rate")]
_IS_RATE = f"self.metric in {_RATES}"
Config = Annotated[
    Mapping[str, Any], Field(json_schema_extra={"type": "object", "x-kubernetes-preserve-unknown-fields": True})
]


class SelectorRequirement(Model):
    """One line of a label selector's matchExpressions."""

    model_config = rules(
        (
            "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
            "In and NotIn need values; Exists and DoesNotExist have none",
        ),
    )

    key: Annotated[str, Field(min_length=1, max_length=317)]
    """The label."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    """How the label's value is compared."""
    values: Annotated[tuple[Annotated[str, Field(max_length=63)], ...] | None, Field(max_length=50)] = None
    """The values that In and NotIn compare with."""


class LabelSelector(Model):
    """A full Kubernetes label selector; `{}` selects everything in the namespace."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-map-type": "atomic"})

    match_labels: Annotated[Mapping[str, Annotated[str, Field(max_length=63)]] | None, Field(max_length=20)] = None
    """Labels that must have exactly these values."""
    match_expressions: Annotated[tuple[SelectorRequirement, ...] | None, Field(max_length=20)] = None
    """Further requirements; all must hold."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether an object with these labels is selected, by the rules of Kubernetes."""
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


class ErrorBudget(Model):
    """What an objective may miss over a long period: the share that its bound allows, of all requests of the period."""

    model_config = rules(
        (f"{durations('self.period')} duration(self.period) >= duration('24h')", "period must be at least 24h"),
        (
            f"{durations('self.period')} duration(self.period) <= duration('8760h')",
            "period must be at most 8760h: a year",
        ),
    )

    period: Duration = "672h"
    """The sliding time that the budget is for, such as 672h (28 days); from 24h to 8760h."""


class PolicyObjective(Model):
    """A bound on a number that the traffic itself shows."""

    model_config = rules(
        (
            f"has(self.maxRate) == ({_IS_RATE}) && has(self.maxDuration) != has(self.maxRate)",
            f"the rates ({', '.join(_RATES)}) need maxRate; the latency metrics need maxDuration",
        ),
        (f"!({_IS_RATE}) || !has(self.percentile)", "percentile belongs to the latency metrics"),
        (
            "!has(self.maxDuration) || !self.maxDuration.matches('^[0hms]+$')",
            "maxDuration must be longer than 0: no answer comes at once",
        ),
        (
            "!has(self.maxRate) || !self.maxRate.matches('^[0.]+%$')",
            "maxRate must be above 0%: no number of requests proves that none fails; write what may fail, such as 0.1%",
        ),
        (f"{durations('self.over')} duration(self.over) >= duration('10s')", "over must be at least 10s"),
        (
            f"{durations('self.over')} duration(self.over) <= duration('1h')",
            "over must be at most 1h: readings are kept for an hour",
        ),
    )

    name: Name
    """Name of the objective, unique in the policy."""
    metric: Annotated[str, OneOf(tuple(OBJECTIVES)), Field(description=metric_help())]
    percentile: Annotated[int | None, Field(ge=1, le=99)] = None
    """Which percentile of a latency must keep the bound; 95 when left out."""
    max_duration: Duration | None = None
    """Bound of a latency, such as 800ms; longer than 0."""
    max_rate: Percent | None = None
    """Bound of a rate, such as 1%; above 0%."""
    over: Duration = "15m"
    """The time that the number is taken over; at most 1h."""
    min_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    """Fewest requests for a verdict; below, the objective is Unknown."""
    budget: ErrorBudget | None = None
    severity: Severity = "Warning"
    """What a failure does: Info nothing, Warning makes Degraded, Critical makes Unhealthy."""


class BuiltinCheck(Model):
    """An evaluator that ships with Modelward, with its settings; or scores that something else has made."""

    model_config = rules(
        ("has(self.builtin) != has(self.imported)", "set exactly one of builtin and imported"),
        ("!has(self.config) || has(self.builtin)", "config is for builtin; imported has none"),
    )

    builtin: Annotated[str | None, Field(min_length=1, max_length=63, description=BUILTINS_HELP)] = None
    imported: Imported | None = None
    config: Config | None = None
    """Its settings, which depend on the evaluator: see builtin."""


class EvaluatorRef(Model):
    """An Evaluator of this namespace."""

    kind: Literal["Evaluator"] = "Evaluator"
    """Kind of the object."""
    name: Name
    """Name of the Evaluator."""


class NotWorseThan(Model):
    """What an endpoint is compared with, and how many points worse it may be: a share of 3% may become 8% with 5%."""

    model_config = rules(
        ("has(self.baseline) != has(self.revision)", "set exactly one of baseline and revision"),
        ("has(self.by) == has(self.revision)", "by belongs to revision, which needs it"),
    )

    baseline: Percent | None = None
    """Points by which it may be worse than in the day before `over`."""
    revision: Literal["Previous"] | None = None
    """Compare with the revision that was evaluated before the one that serves."""
    by: Percent | None = None
    """Points by which it may be worse than that revision."""

    @property
    def margin(self) -> str:
        """The points that are set."""
        return self.baseline or self.by or "0%"


class Evaluation(Model):
    """One check of sampled answers, and what its result means for health."""

    model_config = rules(
        ("has(self.check) != has(self.evaluatorRef)", "set exactly one of check and evaluatorRef"),
        ("has(self.failAbove) != has(self.failBelow)", "set exactly one of failAbove and failBelow"),
        (
            (
                "(has(self.statistic) && self.statistic.startsWith('P'))"
                " || [has(self.failAbove) ? self.failAbove : '%', has(self.failBelow) ? self.failBelow : '%']"
                ".all(limit, limit.endsWith('%'))"
            ),
            "a limit without % is one of a percentile: set statistic to P50, P90, P95 or P99, or write 10%",
        ),
        (
            "!has(self.failBelow) || !self.failBelow.matches('^[0.]+%$')",
            "failBelow must be above 0%: no score is below",
        ),
        (
            f"{durations('self.over', 'self.every')} duration(self.over) >= duration(self.every)",
            "over must be at least as long as every",
        ),
        (
            f"{durations('self.every')} duration(self.every) >= duration('10s')",
            "every must be at least 10s: each batch is a Job",
        ),
        (
            f"{durations('self.over')} duration(self.over) <= duration('24h')",
            "over must be at most 24h: results are kept for a day",
        ),
        (
            (
                f"{durations('self.over', 'self.every')}"
                " self.minSamples * duration(self.every).getSeconds()"
                f" <= {MAX_SAMPLES} * duration(self.over).getSeconds()"
            ),
            f"minSamples must be at most {MAX_SAMPLES} for each every in over: a batch scores no more",
        ),
    )

    name: Name
    """Name of the evaluation, unique in the policy."""
    check: BuiltinCheck | None = None
    evaluator_ref: EvaluatorRef | None = None
    statistic: Statistic = "Share"
    """Of the scores: Share flagged, the Mean of values from 0 to 1, or a percentile of values or numbers."""
    fail_above: Limit | None = None
    """Fail when the statistic is surely above, such as 10%; a share of 0% fails at the first fault and never passes."""
    fail_below: Limit | None = None
    """Fail when the statistic is surely below, such as 90%; a percentile of numbers has a number, such as 12."""
    not_worse_than: NotWorseThan | None = None
    """Fail also when the share flagged is surely worse than it was, or than that of another revision."""
    every: Duration = "15m"
    """How often a batch is scored, at most keepFor; once an hour where too little is new for a verdict."""
    over: Duration = "1h"
    """The sliding time that the verdict rests on; at most 24h."""
    min_samples: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Fewest scored answers in that time for a verdict; below, the evaluation is Unknown."""
    affects: Literal["Quality", "Safety"] = "Quality"
    """Which condition the verdict moves: QualityHealthy or SafetyHealthy."""
    severity: Severity = "Warning"
    """What a failure does: Info nothing, Warning makes Degraded, Critical makes Unhealthy."""


class DailyCost(Model):
    """An amount of money a day."""

    amount: Money
    """How much, such as "5.00"."""
    currency: Currency
    """Its currency, that of the prices of the models that judge."""


class SpendLimit(Model):
    """An amount of money that endpoints should not cost more than."""

    amount: Money
    """How much, such as "100.00"."""
    currency: Currency
    """Its currency, that of the endpoints' usage.prices."""


class Budget(Model):
    """What may be spent: by judges, which the hub holds to it, and by the endpoints themselves, which is only told."""

    model_config = rules(
        (
            (
                "has(self.judgeTokensPerDay) || has(self.judgeCostPerDay) || has(self.costPerDay)"
                " || has(self.costPerMonth)"
            ),
            "set at least one of judgeTokensPerDay, judgeCostPerDay, costPerDay and costPerMonth",
        ),
        (
            (
                "!has(self.costPerDay) || !has(self.costPerMonth)"
                " || self.costPerDay.currency == self.costPerMonth.currency"
            ),
            "costPerDay and costPerMonth need one currency, that of usage.prices",
        ),
    )

    judge_tokens_per_day: Annotated[int | None, Field(ge=0, le=1_000_000_000_000)] = None
    """Most tokens of a day, those of questions and answers together."""
    judge_cost_per_day: DailyCost | None = None
    per_run: Percent = "100%"
    """Most of it that one run may spend, such as 25%; so the first one of a day leaves something for the others."""
    cost_per_day: SpendLimit | None = None
    """What the selected endpoints together should cost in a UTC day at most; no request is refused for it."""
    cost_per_month: SpendLimit | None = None
    """The same of a calendar month, by UTC."""

    @property
    def bounds_judges(self) -> bool:
        """Whether it bounds what judges spend."""
        return self.judge_tokens_per_day is not None or self.judge_cost_per_day is not None

    @property
    def spend_limits(self) -> tuple[tuple[Literal["Day", "Month"], SpendLimit], ...]:
        """What the endpoints should not cost more than, by period."""
        both: tuple[tuple[Literal["Day", "Month"], SpendLimit | None], ...] = (
            ("Day", self.cost_per_day),
            ("Month", self.cost_per_month),
        )
        return tuple((period, limit) for period, limit in both if limit is not None)


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
