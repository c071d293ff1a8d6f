"""The block `alerts` of a MonitoringPolicy: who is told of what, and when."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from modelward.api.alert_receivers import AlertReceiver
from modelward.api.base import Model, Severity, list_map, rules
from modelward.api.form import ALERT, durations
from modelward.api.quantity import Duration, Name

GroupLabel = Literal["Endpoint", "Alert", "Severity"]
AlertWay = Literal["Direct", "Chart", "Policy"]
MAX_RECEIVERS = 10

AlertPattern = Annotated[str, Field(pattern=ALERT.pattern, max_length=96)]
"""An alert, or all of its kind: `NotReady`, `Check`, `Check/stays-on-topic`."""


class AlertRoute(Model):
    """Which alerts go to whom; an alert takes every route that it matches."""

    alerts: Annotated[tuple[AlertPattern, ...], Field(max_length=20)] = ()
    """Alerts or kinds of alerts, such as Check or Check/stays-on-topic; all where none is named."""
    severities: Annotated[tuple[Severity, ...], Field(max_length=3)] = ()
    """Severities; Warning and Critical where none is named."""
    receivers: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_RECEIVERS)]
    """Names of receivers of this policy."""
    group_by: Annotated[tuple[GroupLabel, ...], Field(max_length=3)] = ()
    """What alerts must share to be told in one message; all of the policy where it is left out."""
    unacknowledged_for: Duration | None = None
    """Take the route only when the alert has fired for so long and no AlertSilence acknowledges it."""


class AlertTiming(Model):
    """When messages are sent, and when alerts end."""

    model_config = rules(
        (  # the API server checks the default of `timing` before it fills its fields in
            f"!has(self.repeatEvery) || {durations('self.repeatEvery')} duration(self.repeatEvery) >= duration('5m')",
            "repeatEvery must be at least 5m: who is told more often reads less",
        ),
        (
            f"!has(self.groupWait) || {durations('self.groupWait')} duration(self.groupWait) <= duration('10m')",
            "groupWait must be at most 10m: until then no receiver hears of it",
        ),
        (
            (
                f"!has(self.closeUnknownAfter) || {durations('self.closeUnknownAfter')}"
                " duration(self.closeUnknownAfter) >= duration('1h')"
            ),
            "closeUnknownAfter must be at least 1h: a restart of what measures is no end",
        ),
    )

    group_wait: Duration = "30s"
    """How long a first message waits for others that belong to it."""
    group_interval: Duration = "5m"
    """Least time between two messages about the same group; what is more severe is told at once."""
    repeat_every: Duration = "12h"
    """How often what still fires is told again."""
    resolve_after: Duration = "10m"
    """How long a check must pass before its alert is resolved."""
    cooldown: Duration = "15m"
    """How long after its end an alert that comes back is the same episode."""
    close_unknown_after: Duration = "24h"
    """After how long without data a firing alert is closed, without evidence of recovery."""


class AlertsSpec(Model):
    """Who is told when a check fails; without receivers, status.alerts shows alerts and Prometheus tells of them."""

    model_config = rules(
        (
            (
                "!has(self.routes) || self.routes.all(r, r.receivers.all(n,"
                " has(self.receivers) && self.receivers.exists(one, one.name == n)))"
            ),
            "routes name receivers of this policy: add them to receivers, or mend the name",
        ),
        (
            "!has(self.via) || (self.via == 'Direct') == (has(self.receivers) && size(self.receivers) > 0)",
            "via Direct needs receivers, and the other ways have none: each alert goes one way",
        ),
    )

    receivers: Annotated[
        tuple[AlertReceiver, ...], Field(max_length=MAX_RECEIVERS, json_schema_extra=list_map("name"))
    ] = ()
    """Who can be told."""
    via: AlertWay | None = None
    """One way out for each alert: Direct (the receivers), Chart (rules of the installation's Prometheus) or Policy (a
    PrometheusRule for this policy); Direct where there are receivers, else Chart."""
    routes: Annotated[tuple[AlertRoute, ...], Field(max_length=20)] = ()
    """Which alerts go to whom; without routes, Warning and Critical ones go to all receivers."""
    timing: AlertTiming = AlertTiming()
