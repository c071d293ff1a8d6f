"""What a policy requires of answers: an evaluator, a limit, a window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from modelward.api.base import (
    BUILTINS_HELP,
    Model,
    Severity,
    rules,
)
from modelward.api.form import durations
from modelward.api.imported import Imported
from modelward.api.policy_objective import ErrorBudget
from modelward.api.quantity import Duration, Limit, Name, Percent
from modelward.api.run_plan import MAX_SAMPLES, Statistic

EVALUATION_OVER_MAX_MS = 24 * 3_600_000
"""As long as results are kept, and two hours more for those that come late."""
Config = Annotated[
    Mapping[str, Any], Field(json_schema_extra={"type": "object", "x-kubernetes-preserve-unknown-fields": True})
]


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
            (
                "!has(self.budget) || has(self.failAbove) && !self.failAbove.matches('^[0.]+%$')"
                " && (!has(self.statistic) || self.statistic == 'Share')"
            ),
            "a budget is of a share flagged: set failAbove to what is allowed, such as 5%, and leave statistic out",
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
    budget: ErrorBudget | None = None
    """What may be at fault over a long period: the share of `failAbove`, estimated from the scored answers."""
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
