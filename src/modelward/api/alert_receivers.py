"""The receivers of alerts: one block for each kind, whose secrets only what sends mounts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from modelward.api.base import Model, rules
from modelward.api.form import API_URL, CHANNEL, HOST_PORT, MAIL_ADDRESS, REPOSITORY, SECRET_KEY
from modelward.api.quantity import Name, SecretName, TextUrl

WebhookFormat = Literal["Modelward", "CloudEvents", "Alertmanager"]
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
    signing_key_from: FromSecret | None = None
    """What requests are signed with, in the header Modelward-Signature."""


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
