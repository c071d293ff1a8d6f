"""The block `alerts` of a MonitoringPolicy: who is told of what, and when; and what status says of each alert."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from modelward.api.base import Fitted, Model, Severity, list_map, rules
from modelward.api.form import (
    ALERT,
    API_URL,
    CHANNEL,
    HOST_PORT,
    MAIL_ADDRESS,
    REPOSITORY,
    SECRET_KEY,
    durations,
)
from modelward.api.quantity import Duration, Name, SecretName, TextUrl

AlertState = Literal["Pending", "Firing", "Held", "Resolved", "Closed"]
GroupLabel = Literal["Endpoint", "Alert", "Severity"]
WebhookFormat = Literal["Modelward", "CloudEvents", "Alertmanager"]
AlertWay = Literal["Direct", "Chart", "Policy"]
MAX_RECEIVERS = 10
MAX_ALERTS = 50
"""Alerts that the status of an endpoint lists at most."""

AlertPattern = Annotated[str, Field(pattern=ALERT.pattern, max_length=96)]
"""An alert, or all of its kind: `NotReady`, `Check`, `Check/stays-on-topic`."""
MailAddress = Annotated[str, Field(pattern=MAIL_ADDRESS.pattern, max_length=254)]


class ReceiverSecretRef(Model):
    """A key of a Secret; only what sends mounts it."""

    name: SecretName
    """Name of the Secret, in the policy's namespace; it begins with `modelward-`."""
    key: Annotated[str, Field(pattern=SECRET_KEY.pattern, min_length=1, max_length=253)]
    """The key that holds the value."""


class FromSecret(Model):
    """A value that a Secret holds."""

    secret_ref: ReceiverSecretRef


class SlackReceiver(Model):
    """A channel of Slack: by an incoming webhook, or by a bot, which keeps an incident in one thread."""

    model_config = rules(
        ("has(self.webhookUrlFrom) != has(self.tokenFrom)", "set exactly one of webhookUrlFrom and tokenFrom"),
        ("has(self.tokenFrom) == has(self.channel)", "a bot (tokenFrom) needs channel; a webhook has its own"),
    )

    webhook_url_from: FromSecret | None = None
    """The URL of an incoming webhook."""
    token_from: FromSecret | None = None
    """The token of a bot that may write to the channel (scope chat:write)."""
    channel: Annotated[str | None, Field(pattern=CHANNEL.pattern, max_length=80)] = None
    """Id or name of the channel, such as C0123456789."""


class TeamsReceiver(Model):
    """A channel or chat of Microsoft Teams, by a workflow that starts when a webhook request is received."""

    webhook_url_from: FromSecret
    """The URL that the workflow shows."""


class PagerDutyReceiver(Model):
    """A service of PagerDuty, by an integration of the Events API v2."""

    routing_key_from: FromSecret
    """The integration key."""
    region: Literal["US", "EU"] = "US"
    """Where the account is kept."""


class EmailReceiver(Model):
    """Mail, sent through a server of yours."""

    model_config = rules(
        ("has(self.username) == has(self.passwordFrom)", "username and passwordFrom need each other"),
        (
            "!has(self.passwordFrom) || self.security != 'None'",
            "a password needs security StartTLS or TLS, or it crosses the network in the clear",
        ),
    )

    server: Annotated[str, Field(pattern=HOST_PORT.pattern, max_length=261)]
    """The mail server and its port, such as smtp.example.com:587."""
    security: Literal["StartTLS", "TLS", "None"] = "StartTLS"
    """How the connection is encrypted."""
    username: Annotated[str | None, Field(min_length=1, max_length=254)] = None
    """Who logs in to the server."""
    password_from: FromSecret | None = None
    """The password of `username`."""
    sender: Annotated[MailAddress, Field(alias="from")]
    """The address that mail comes from."""
    to: Annotated[tuple[MailAddress, ...], Field(min_length=1, max_length=10)]
    """The addresses that mail goes to."""


class WebhookReceiver(Model):
    """Any address that takes JSON by POST."""

    model_config = rules(("has(self.url) != has(self.urlFrom)", "set exactly one of url and urlFrom"))

    url: TextUrl | None = None
    """Where it is posted to: https, or http to a Service of the cluster."""
    url_from: FromSecret | None = None
    """The same, where the address itself is a secret."""
    format: WebhookFormat = "Modelward"
    """Modelward's own JSON, a CloudEvent, or what Alertmanager posts to its webhooks."""
    token_from: FromSecret | None = None
    """Sent as a bearer token."""


class GitIssueReceiver(Model):
    """An issue for each incident, closed when it is over."""

    forge: Literal["GitHub"] = "GitHub"
    """Whose API it is."""
    repository: Annotated[str, Field(pattern=REPOSITORY.pattern, max_length=140)]
    """Owner and name, such as retail/chat."""
    token_from: FromSecret
    """A token that may write issues of this repository, and nothing else."""
    api_url: Annotated[str | None, Field(pattern=API_URL.pattern, max_length=512)] = None
    """Base URL of the API of a server of your own."""


class AlertmanagerReceiver(Model):
    """Every replica of an Alertmanager, which then routes, groups and silences by its own rules."""

    urls: Annotated[tuple[TextUrl, ...], Field(min_length=1, max_length=5)]
    """Base URLs, one for each replica."""


class AlertReceiver(Model):
    """Who is told: one of your own, or one that the platform offers (`shared`)."""

    model_config = rules(
        (
            (
                "[has(self.shared), has(self.slack), has(self.teams), has(self.pagerDuty), has(self.email),"
                " has(self.webhook), has(self.gitIssue)].filter(one, one).size() == 1"
            ),
            "set exactly one of shared, slack, teams, pagerDuty, email, webhook and gitIssue",
        ),
    )

    name: Name
    """Name of the receiver, unique in the policy."""
    shared: Name | None = None
    """Name of a receiver of the platform (Helm value alerts.receivers)."""
    slack: SlackReceiver | None = None
    teams: TeamsReceiver | None = None
    pager_duty: PagerDutyReceiver | None = None
    email: EmailReceiver | None = None
    webhook: WebhookReceiver | None = None
    git_issue: GitIssueReceiver | None = None


class PlatformReceiver(AlertReceiver):
    """One of Helm's alerts.receivers: the same, and an Alertmanager; its Secrets are the operator's own."""

    alertmanager: AlertmanagerReceiver | None = None


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


class DeliveryStatus(Fitted):
    """What a receiver has been told of an alert."""

    receiver: Annotated[str, Field(max_length=80)]
    """The receiver's name; a shared one after `shared/`."""
    key: Annotated[str, Field(max_length=64)] = ""
    """Names the incident at the receiver; the same on each resend."""
    told: Annotated[str, Field(max_length=16)] = ""
    """What it was last told: Firing, Resolved or Closed; empty while nothing arrived."""
    severity: Annotated[str, Field(max_length=16)] = ""
    """The severity that it was told."""
    at: Annotated[str, Field(max_length=32)] = ""
    """When it was last told."""
    sending: Annotated[str, Field(max_length=16)] = ""
    """What is being sent and not yet known to have arrived."""
    sending_since: Annotated[str, Field(max_length=32)] = ""
    """Since when."""
    ref: Annotated[str, Field(max_length=128)] = ""
    """By which the receiver finds it again: a thread, an issue."""
    problem: Annotated[str, Field(max_length=128)] = ""
    """Why it could not be told, such as HTTP 403."""


class AlertStatus(Fitted):
    """One alert of an endpoint: its state, and who knows."""

    policy: Name
    """The policy that it belongs to."""
    name: Annotated[str, Field(max_length=96)]
    """NotReady, Unwatched, Objective/NAME, Check/NAME and so on."""
    state: Annotated[str, Field(max_length=16)] = ""
    """Pending, Firing, Held (firing, without data), Resolved, or Closed (ended without evidence of recovery)."""
    since: Annotated[str, Field(max_length=32)] = ""
    """When the state began."""
    episode: Annotated[str, Field(max_length=32)] = ""
    """When the episode began: the first failure, kept while it comes back within the cooldown."""
    severity: Annotated[str, Field(max_length=16)] = ""
    """Info, Warning or Critical."""
    message: Annotated[str, Field(max_length=256)] = ""
    """What is wrong, with its numbers."""
    held: Annotated[str, Field(max_length=64)] = ""
    """Why nothing is known at present, as one word; of Held and Closed alerts."""
    by: Annotated[str, Field(max_length=128)] = ""
    """What keeps it from being told: another alert, or an AlertSilence."""
    verdict: Annotated[str, Field(max_length=16)] = ""
    """What was last known of it: Failed, Passed, NearThreshold or Unknown."""
    verdict_since: Annotated[str, Field(max_length=32)] = ""
    """Since when."""
    failed_for: Annotated[str, Field(max_length=24)] = ""
    """Of a Pending alert whose check does not fail at present: how long it did."""
    reopened: Annotated[tuple[Annotated[str, Field(max_length=32)], ...], Field(max_length=5)] = ()
    """When it came back, within the last hour."""
    deliveries: Annotated[
        tuple[DeliveryStatus, ...], Field(max_length=MAX_RECEIVERS + 2, json_schema_extra=list_map("receiver"))
    ] = ()
    """What each receiver was told."""
