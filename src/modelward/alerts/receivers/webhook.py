"""Any address that takes JSON: Modelward's own, a CloudEvent, or what Alertmanager posts to its webhooks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from modelward.alerts.message import AlertFact, AlertMessage
from modelward.alerts.receiver import Addressee, Answered, HttpCall, Outgoing, SecretTemplate, Told
from modelward.alerts.receivers.alert_json import message_document
from modelward.alerts.receivers.json_call import bearer, json_call, secret_text
from modelward.alerts.receivers.kind import ReceiverKind
from modelward.alerts.receivers.prometheus_alert import described, ended, labels, started
from modelward.alerts.receivers.replies import Replies, first_failure, undelivered
from modelward.alerts.receivers.text import plain
from modelward.api.alert_receivers import WebhookFormat, WebhookReceiver
from modelward.api.quantity import timestamp

CLOUD_EVENT_TYPE = "application/cloudevents+json; charset=utf-8"
NEVER = "0001-01-01T00:00:00Z"
"""Alertmanager's word for an alert that has not ended."""


class WebhookPosts:
    """One post a message, with an id that is the same on a resend."""

    def requests(self, message: AlertMessage, to: Addressee, replies: Replies = ()) -> tuple[Outgoing, ...]:
        """Return the post in the format that was asked for."""
        webhook = to.receiver.webhook
        if webhook is None:
            raise ValueError(f"{to.receiver.name} is no webhook")
        if replies:
            return ()
        headers = (("Idempotency-Key", (message.id,)), *bearer(webhook.token_from))
        call = _FORMATS[webhook.format](to.receiver.name, _url(webhook), message, headers)
        key = webhook.signing_key_from
        return (replace(call, signing=secret_text(key)) if key else call,)

    def read(self, message: AlertMessage, to: Addressee, replies: Replies) -> Answered:  # noqa: ARG002
        """Any 2xx means that it was taken."""
        failed = first_failure(replies)
        return undelivered(failed) if failed else Told()


def _url(webhook: WebhookReceiver) -> SecretTemplate:
    return (secret_text(webhook.url_from),) if webhook.url_from else (webhook.url or "",)


Headers = tuple[tuple[str, SecretTemplate], ...]


def _own(_: str, url: SecretTemplate, message: AlertMessage, headers: Headers) -> HttpCall:
    return json_call(url, message_document(message), headers)


def _cloud_event(_: str, url: SecretTemplate, message: AlertMessage, headers: Headers) -> HttpCall:
    """Return a CloudEvent 1.0 in structured mode; `source` and `id` name it together."""
    fact = message.alerts[0] if message.alerts else None
    event = {
        "specversion": "1.0",
        "id": message.id,
        "source": f"/modelward/{quote(plain(message.cluster), safe='')}",
        "type": f"dev.modelward.alert.{message.kind.lower()}.v1",
        **({"subject": quote(plain(f"{fact.namespace}/{fact.endpoint}"))} if fact else {}),
        "time": timestamp(message.sent_ms),
        "datacontenttype": "application/json",
        "data": message_document(message),
    }
    return json_call(url, event, headers, content_type=CLOUD_EVENT_TYPE)


def _alertmanager(name: str, url: SecretTemplate, message: AlertMessage, headers: Headers) -> HttpCall:
    """Return version 4 of Alertmanager's webhook (prometheus.io/docs/alerting/latest/configuration)."""
    alerts = [_alert(fact, message) for fact in message.alerts]
    body = {
        "version": "4",
        "groupKey": message.key,
        "truncatedAlerts": message.more,
        "status": "resolved" if message.over else "firing",
        "receiver": name,
        "groupLabels": {},
        "commonLabels": _common([one["labels"] for one in alerts]),
        "commonAnnotations": _common([one["annotations"] for one in alerts]),
        "externalURL": message.url,
        "alerts": alerts,
    }
    return json_call(url, body, headers)


def _alert(fact: AlertFact, message: AlertMessage) -> dict[str, Any]:
    over, sent = ended(fact), timestamp(message.sent_ms)
    named = labels(fact, message.cluster)
    return {
        "status": "resolved" if over else "firing",
        "labels": named,
        "annotations": described(fact, message.sent_ms),
        "startsAt": started(fact),
        "endsAt": sent if over else NEVER,
        "generatorURL": fact.url,
        "fingerprint": hashlib.sha256(repr(sorted(named.items())).encode()).hexdigest()[:16],
    }


def _common(every: list[Mapping[str, str]]) -> dict[str, str]:
    """Return what all have alike."""
    first, *others = every or [{}]
    return {name: value for name, value in first.items() if all(one.get(name) == value for one in others)}


_FORMATS: Mapping[WebhookFormat, Callable[[str, SecretTemplate, AlertMessage, Headers], HttpCall]] = {
    "Modelward": _own,
    "CloudEvents": _cloud_event,
    "Alertmanager": _alertmanager,
}
WEBHOOK = ReceiverKind("webhook", WebhookPosts())
