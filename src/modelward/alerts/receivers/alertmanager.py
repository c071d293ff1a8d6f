"""Alertmanager, API v2: every replica is posted to, and they agree among themselves on who notifies.

What is not posted again before `endsAt` counts as resolved, so `endsAt` is an hour ahead while an alert fires; it is
posted again each minute (prometheus.io/docs/alerting/latest/alerts_api).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from modelward.alerts.message import AlertFact, AlertMessage
from modelward.alerts.receiver import Addressee, Answered, Outgoing, Told
from modelward.alerts.receivers.json_call import json_call
from modelward.alerts.receivers.kind import ReceiverKind
from modelward.alerts.receivers.prometheus_alert import (
    FIRING_FOR_MS,
    TEST_FOR_MS,
    described,
    ended,
    labels,
    started,
)
from modelward.alerts.receivers.replies import Replies, first_failure, succeeded, undelivered
from modelward.api.alert_receivers import PlatformReceiver
from modelward.api.base import Severity
from modelward.api.quantity import timestamp

REPOST_MS = 60_000
"""How often what fires is posted again."""
_MILDER: dict[Severity, tuple[Severity, ...]] = {"Critical": ("Warning", "Info"), "Warning": ("Info",), "Info": ()}


class AlertmanagerPosts:
    """Posts the same to each replica; one that takes it is enough, because the others are posted to each minute."""

    def requests(self, message: AlertMessage, to: Addressee, replies: Replies = ()) -> tuple[Outgoing, ...]:
        """Return one post for each replica."""
        receiver = to.receiver
        if not isinstance(receiver, PlatformReceiver) or receiver.alertmanager is None:
            raise ValueError(f"{receiver.name} is no Alertmanager")
        if replies:
            return ()
        alerts = [*_alerts(message)]
        urls = (f"{url.rstrip('/')}/api/v2/alerts" for url in receiver.alertmanager.urls)
        return tuple(json_call((url,), alerts) for url in urls)

    def read(self, message: AlertMessage, to: Addressee, replies: Replies) -> Answered:  # noqa: ARG002
        """Alertmanager answers 200; 400 says that it takes no such alert."""
        failed = first_failure(replies)
        return undelivered(failed) if failed and not any(map(succeeded, replies)) else Told()


def _alerts(message: AlertMessage) -> Iterator[dict[str, Any]]:
    for fact in message.alerts:
        yield _alert(fact, message, over=ended(fact))
        if message.kind == "Raised":
            # The severity is one of the labels that name an alert: the milder one ends, or it would fire for an hour.
            yield from (_alert(replace(fact, severity=one), message, over=True) for one in _MILDER[fact.severity])


def _alert(fact: AlertFact, message: AlertMessage, *, over: bool) -> dict[str, Any]:
    ahead_ms = TEST_FOR_MS if message.kind == "Test" else FIRING_FOR_MS
    return {
        "labels": labels(fact, message.cluster),
        "annotations": described(fact, message.sent_ms),
        "startsAt": started(fact),
        "endsAt": timestamp(message.sent_ms if over else message.sent_ms + ahead_ms),
        **({"generatorURL": fact.url} if fact.url else {}),
    }


ALERTMANAGER = ReceiverKind("alertmanager", AlertmanagerPosts())
