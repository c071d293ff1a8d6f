"""A message as Modelward's own JSON, which webhooks and CloudEvents carry. Fields are added, never renamed."""

from __future__ import annotations

from typing import Any

from modelward.alerts.message import AlertFact, AlertMessage
from modelward.api.quantity import timestamp


def message_document(message: AlertMessage) -> dict[str, Any]:
    """Return the JSON object; `id` is the same on a resend and on nothing else, `key` that of the incident."""
    return {
        "version": "v1",
        "id": message.id,
        "key": message.key,
        "kind": message.kind,
        "severity": message.severity,
        "cluster": message.cluster,
        "title": message.title,
        "sentAt": timestamp(message.sent_ms),
        "open": message.open,
        "more": message.more,
        "url": message.url,
        "alerts": [_alert(fact) for fact in message.alerts],
    }


def _alert(fact: AlertFact) -> dict[str, Any]:
    return {
        "key": fact.key,
        "namespace": fact.namespace,
        "endpoint": fact.endpoint,
        "policy": fact.policy,
        "name": fact.name,
        "severity": fact.severity,
        "state": fact.state,
        "since": timestamp(fact.since_ms),
        "episode": fact.episode,
        "what": fact.what,
        "evidence": {
            "value": fact.evidence.value,
            "low": fact.evidence.low,
            "high": fact.evidence.high,
            "samples": fact.evidence.samples,
            "limit": fact.evidence.limit,
        },
        "held": fact.held,
        "changed": list(fact.changed),
        "next": fact.next_command,
        "url": fact.url,
    }
