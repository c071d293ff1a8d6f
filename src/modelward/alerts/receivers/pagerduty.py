"""PagerDuty: events of the Events API v2, one incident for each key.

Limits: a summary of 1,024 characters, a key of 255, an event of 512 KB (PagerDuty's developer docs, Events API v2).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from modelward.alerts.message import AlertFact, AlertMessage
from modelward.alerts.receiver import Addressee, Answered, HttpCall, Outgoing, Told
from modelward.alerts.receivers.json_call import json_call, secret_text
from modelward.alerts.receivers.kind import ReceiverKind
from modelward.alerts.receivers.replies import Replies, first_failure, succeeded, undelivered
from modelward.alerts.receivers.text import footer, headline, lines, name_of, plain
from modelward.api.alert_receivers import PagerDutyReceiver
from modelward.api.quantity import timestamp

HOSTS = {"US": "events.pagerduty.com", "EU": "events.eu.pagerduty.com"}
SUMMARY_CHARACTERS, KEY_CHARACTERS = 1_024, 255
_SEVERITIES = {"Critical": "critical", "Warning": "warning", "Info": "info"}
_HINTS = {400: "PagerDuty takes no event with this integration key", 403: "the integration key is not known"}


class PagerDutyEvents:
    """Triggers, and resolves what passes again; what ends without evidence stays open for a person."""

    def requests(self, message: AlertMessage, to: Addressee, replies: Replies = ()) -> tuple[Outgoing, ...]:
        """Return one event; a test is resolved right after, so that nothing stays open."""
        duty = to.receiver.pager_duty
        if duty is None:
            raise ValueError(f"{to.receiver.name} is no receiver in PagerDuty")
        if not replies:
            resolved = message.over and message.kind == "Resolved"
            return (_call(duty, _event(message, "resolve" if resolved else "trigger")),)
        if message.kind == "Test" and len(replies) == 1 and succeeded(replies[0]):
            return (_call(duty, _event(message, "resolve")),)
        return ()

    def read(self, message: AlertMessage, to: Addressee, replies: Replies) -> Answered:  # noqa: ARG002
        """PagerDuty answers 202 to what it has taken."""
        failed = first_failure(replies)
        return undelivered(failed, _HINTS.get(failed.status, "")) if failed else Told()


def _call(duty: PagerDutyReceiver, event: dict[str, Any]) -> HttpCall:
    call = json_call((f"https://{HOSTS[duty.region]}/v2/enqueue",), event)
    return replace(call, fields=(("routing_key", secret_text(duty.routing_key_from)),))


def _event(message: AlertMessage, action: str) -> dict[str, Any]:
    event: dict[str, Any] = {"event_action": action, "dedup_key": message.key[:KEY_CHARACTERS]}
    if action == "resolve":
        return event
    first = message.alerts[0] if message.alerts else None
    payload = {
        "summary": headline(message, SUMMARY_CHARACTERS),
        "source": plain(message.cluster) or "modelward",
        "severity": _SEVERITIES[message.severity],
        "timestamp": timestamp(message.sent_ms),
        "component": plain(f"{first.namespace}/{first.endpoint}", 200) if first else "modelward",
        "group": plain(first.namespace, 200) if first else "",
        "class": plain(first.name, 200) if first else message.kind,
        "custom_details": _details(message),
    }
    return {**event, "payload": payload, "client": footer(message), **_links(message)}


def _details(message: AlertMessage) -> dict[str, Any]:
    alerts = {name_of(fact): _detail(fact, message.sent_ms) for fact in message.alerts}
    return {**alerts, **({"more alerts": message.more} if message.more else {})}


def _detail(fact: AlertFact, sent_ms: int) -> dict[str, str]:
    return {line.label: line.value for line in lines(fact, sent_ms)}


def _links(message: AlertMessage) -> dict[str, Any]:
    url = message.url or next((fact.url for fact in message.alerts if fact.url), "")
    return {"client_url": url, "links": [{"href": url, "text": "Open in the console"}]} if url else {}


PAGER_DUTY = ReceiverKind("pager_duty", PagerDutyEvents())
