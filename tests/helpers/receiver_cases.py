"""One receiver of each kind with the service behind it, and messages as they are sent to all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, cast

import github_service
import pagerduty_service
import slack_service
import teams_service
from aiohttp import web
from github_service import GitHubService
from mail_server import PASSWORD, USER, MailServer, mail_server
from pagerduty_service import PagerDutyService
from plain_receiver import PlainReceiver
from secure_hosts import Town, town
from slack_service import SlackService
from teams_service import TeamsService

from modelward.alerts.message import AlertEvidence, AlertFact, AlertMessage
from modelward.api.alert_receivers import PlatformReceiver
from modelward.api.alert_status import AlertState

SECRET = "modelward-alerts"
NOW_MS = 1_795_773_600_000
SIGNING_KEY = "b1946ac92492d2347c6235b4d2611184"
TEAMS_HOST = "prod-00.westeurope.logic.azure.com"


class Service(Protocol):
    """What stands behind a receiver; `texts` are what people read there."""

    @property
    def texts(self) -> list[str]:
        """One text for each message."""


def _from(key: str) -> dict[str, Any]:
    return {"secretRef": {"name": SECRET, "key": key}}


RECEIVERS: Mapping[str, dict[str, Any]] = {
    "slack": {"slack": {"webhookUrlFrom": _from("slack")}},
    "slack-bot": {"slack": {"tokenFrom": _from("slack-token"), "channel": "#alerts"}},
    "teams": {"teams": {"webhookUrlFrom": _from("teams")}},
    "pagerduty": {"pagerDuty": {"routingKeyFrom": _from("pagerduty")}},
    "email": {
        "email": {
            "server": "smtp.example.com:587",
            "username": USER,
            "passwordFrom": _from("smtp"),
            "from": "modelward@example.com",
            "to": ["oncall@example.com", "lead@example.com"],
        }
    },
    "webhook": {"webhook": {"url": "https://alerts.example.com/in", "tokenFrom": _from("hook")}},
    "cloudevents": {"webhook": {"urlFrom": _from("hook-url"), "format": "CloudEvents"}},
    "alertmanager-webhook": {"webhook": {"url": "http://hook.retail.svc:8080/am", "format": "Alertmanager"}},
    "github": {"gitIssue": {"repository": github_service.REPOSITORY, "tokenFrom": _from("github")}},
    "alertmanager": {"alertmanager": {"urls": ["http://alertmanager-0.monitoring.svc:9093"]}},
}
SECRETS: Mapping[str, str] = {
    "slack": f"https://hooks.slack.com{slack_service.WEBHOOK_PATH}\n",
    "slack-token": slack_service.TOKEN,
    "teams": f"https://{TEAMS_HOST}{teams_service.PATH}?{teams_service.QUERY}",
    "pagerduty": pagerduty_service.ROUTING_KEY,
    "smtp": PASSWORD,
    "hook": "hook-token",
    "hook-url": "https://alerts.example.com/events/5d3f",
    "signing-key": SIGNING_KEY,
    "github": github_service.TOKEN,
}


def receiver(name: str, **block: Any) -> PlatformReceiver:
    """Return a receiver of the table; `block` changes what its block says."""
    ((kind, settings),) = RECEIVERS[name].items()
    return PlatformReceiver.model_validate({"name": name, kind: {**settings, **block}})


@dataclass(frozen=True)
class Services:
    """The town with every service, by the receiver's name."""

    town: Town
    by_name: Mapping[str, Any]


@asynccontextmanager
async def services(folder: Path) -> AsyncIterator[Services]:
    """Serve all of them while the block runs, with their Secrets mounted."""
    slack, teams, duty, github = SlackService(), TeamsService(), PagerDutyService(), GitHubService()
    hook, inside, alertmanager = PlainReceiver(), PlainReceiver(), PlainReceiver()
    applications: dict[str, web.Application] = {
        "hooks.slack.com": slack.application,
        "slack.com": slack.application,
        TEAMS_HOST: teams.application,
        "events.pagerduty.com": duty.application,
        "api.github.com": github.application,
        "alerts.example.com": hook.application,
        "hook.retail.svc": inside.application,
        "alertmanager-0.monitoring.svc": alertmanager.application,
    }
    async with town(folder, applications) as place, _mail(place) as mails:
        for key, value in SECRETS.items():
            place.keep(SECRET, key, value)
        found = {
            "slack": slack, "slack-bot": slack, "teams": teams, "pagerduty": duty, "email": mails, "webhook": hook,
            "cloudevents": hook, "alertmanager-webhook": inside, "github": github, "alertmanager": alertmanager,
        }  # fmt: skip
        yield Services(place, found)


@asynccontextmanager
async def _mail(place: Town) -> AsyncIterator[MailServer]:
    async with mail_server(place.authority.server("smtp.example.com")) as found:
        place.hosts.places["smtp.example.com"] = ("127.0.0.1", found.port)
        yield found


FACT = AlertFact(
    key="5f0c1d2e",
    namespace="retail",
    endpoint="chat",
    policy="baseline",
    name="Check/stays-on-topic",
    severity="Critical",
    state="Firing",
    since_ms=NOW_MS - 720_000,
    episode="2026-11-27T09:48:00Z",
    what="stays-on-topic 31% is above 10%",
    evidence=AlertEvidence("31%", "24", "39", 140, "10%"),
    changed=("revision 7c9f -> 8d2a, 14m ago", "policy baseline: failAbove 5% -> 10%, 3h ago"),
    next_command="kubectl modelward why retail/chat",
    url="https://console.example.com/retail/chat",
)
FIRING = AlertMessage(
    key="mw-9f2c61d4",
    sequence=1,
    kind="Firing",
    cluster="prod-eu",
    title="retail/chat: stays-on-topic 31% is above 10%",
    alerts=(FACT,),
    sent_ms=NOW_MS,
    open=1,
    severity="Critical",
    url="https://console.example.com/alerts",
)


def later(kind: str, sequence: int = 2, state: str | None = None, **changes: Any) -> AlertMessage:
    """Return what is said next of the same incident, a minute later."""
    over = kind in ("Resolved", "Closed")
    state = state or (kind if over else "Firing")
    facts = tuple(replace(one, state=cast("AlertState", state)) for one in FIRING.alerts)
    told: dict[str, Any] = {"kind": kind, "sequence": sequence, "alerts": facts, "open": 0 if over else 1}
    return replace(FIRING, sent_ms=NOW_MS + 60_000, **{**told, **changes})


HOSTILE = (
    "<!channel> <!here|x> <@U123> <https://evil.example|click>",
    "@here @team/admins #1 [x](https://evil.example) ![](https://evil.example/p.png)",
    "*b* _i_ ~s~ `c` ``` **B** </code><script>alert(1)</script><img src=x onerror=alert(1)>",
    "\u202egnp.exe\u2066 line\r\nBcc: victim@example.com\x00\x07 \ud800 {{7*7}} ${x} & < > --> <at>all</at>",
)
"""What names and texts may try: mentions, links, markup, headers, characters that are not seen."""


def hostile() -> AlertMessage:
    """Return a message in which every text is an attempt."""
    texts = HOSTILE
    fact = replace(
        FACT, namespace=texts[0], endpoint=texts[1], policy=texts[2], what=" ".join(texts), changed=texts,
        next_command=texts[2], held=texts[3], evidence=AlertEvidence(*texts[:3], 3, texts[3]), name=f"Check/{texts[2]}",
    )  # fmt: skip
    return replace(FIRING, alerts=(fact,), title=" ".join(texts), cluster=texts[0])


def largest() -> AlertMessage:
    """Return a message with as many alerts as there can be, each as long as can be."""
    fact = replace(
        FACT, namespace="n" * 63, endpoint="e" * 63, what="w" * 900, changed=("c" * 200,) * 5, policy="p" * 63,
        next_command="kubectl " + "x" * 500, held="h" * 64, url="https://console.example.com/" + "u" * 400,
    )  # fmt: skip
    facts = tuple(replace(fact, key=f"k{number}", endpoint=f"{number}" + "é" * 60) for number in range(20))
    return replace(FIRING, alerts=facts, title="t" * 2_000, more=280, open=300)
