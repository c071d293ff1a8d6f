"""What a policy requires of the numbers of the traffic itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modelward.api.base import (
    Model,
    OneOf,
    Severity,
    rules,
)
from modelward.api.form import durations
from modelward.api.objectives import OBJECTIVES, metric_help, of_kind
from modelward.api.quantity import Duration, Name, Percent

OBJECTIVE_OVER_MAX_MS = 3_600_000
"""As long as readings are kept."""
_RATES = [row.name for row in of_kind("Rate")]
_IS_RATE = f"self.metric in {_RATES}"


class ErrorBudget(Model):
    """What may go wrong over a long period: the share that the bound allows, of all requests or answers of it."""

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
