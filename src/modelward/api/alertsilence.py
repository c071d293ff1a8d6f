"""AlertSilence: alerts that people want to hear nothing of for a while, or take care of already."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from modelward.api.alerts import AlertPattern
from modelward.api.base import DNS_LABEL_RULE, Fitted, Model, ObjectMeta, rules
from modelward.api.evaluationrun import WindowTime
from modelward.api.quantity import Name

MAX_SILENCE_MS = 30 * 24 * 3_600_000
"""From when it was made; what is silenced for longer is an alert that should be changed or removed."""


class AlertSilenceSpec(Model):
    """Which alerts, and for how long."""

    model_config = rules(
        (
            (
                "!(has(self.untilResolved) && self.untilResolved) || (has(self.endpoint) && has(self.alerts)"
                " && size(self.alerts) == 1 && !(self.alerts[0] in"
                " ['Objective', 'BudgetBurn', 'Check', 'CheckUndecided']))"
            ),
            "untilResolved acknowledges one alert: name its endpoint and the alert whole, such as Check/stays-on-topic",
        ),
        (
            "self.until >= timestamp('2000-01-01T00:00:00Z') && self.until <= timestamp('2200-01-01T00:00:00Z')",
            "until must lie between the years 2000 and 2200",
        ),
    )

    endpoint: Name | None = None
    """The endpoint; all of the namespace where it is left out."""
    alerts: Annotated[tuple[AlertPattern, ...], Field(max_length=20)] = ()
    """Alerts or kinds of alerts, such as BudgetBurn or BudgetBurn/errors; all where none is named."""
    until: WindowTime
    """When it ends, at most 30 days after it was made."""
    until_resolved: bool = False
    """Acknowledge: silence the one alert that fires now, and none that comes after it."""
    comment: Annotated[str, Field(max_length=256)] = ""
    """Why, for others who read the alert."""
    author: Annotated[str, Field(max_length=128)] = ""
    """Who asked for it, where the console or `modelward` made it."""


class AlertSilenceStatus(Fitted):
    """Whether the silence is in force."""

    observed_generation: int = 0
    """The metadata.generation that the status speaks of."""
    state: Annotated[str, Field(max_length=16)] = ""
    """Active, or Expired."""
    until: Annotated[str, Field(max_length=32)] = ""
    """When it ends: spec.until, or 30 days after it was made."""
    covers: int = 0
    """Alerts that it silences now."""


class AlertSilence(Model):
    """Silences alerts of this namespace for a while, or acknowledges one; ended ones do nothing and may be deleted."""

    model_config = rules(DNS_LABEL_RULE)

    metadata: SkipJsonSchema[ObjectMeta]
    spec: AlertSilenceSpec
    status: AlertSilenceStatus = AlertSilenceStatus()
