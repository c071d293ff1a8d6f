"""The messages that people try receivers with: an alert as it may be, and a test that says that it is one."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from modelward.alerts.message import AlertEvidence, AlertFact, AlertMessage, MessageKind
from modelward.api.alert_status import AlertState
from modelward.api.quantity import timestamp

KINDS: tuple[MessageKind, ...] = get_args(MessageKind)
_ENDED = ("Resolved", "Closed")


def specimen(kind: MessageKind, now_ms: int) -> AlertMessage:
    """Return a message of a kind about an endpoint that does not exist; all of one incident have one key."""
    begun_ms = now_ms - 720_000
    state: AlertState = "Resolved" if kind == "Resolved" else "Closed" if kind == "Closed" else "Firing"
    fact = AlertFact(
        key="example",
        namespace="retail",
        endpoint="chat",
        policy="baseline",
        name="Check/stays-on-topic",
        severity="Critical",
        state=state,
        since_ms=begun_ms,
        episode=timestamp(begun_ms),
        what="stays-on-topic: 31% of answers are off topic, more than 10%",
        evidence=AlertEvidence("31%", "24", "39", 140, "10%"),
        changed=("revision 7c9f became 8d2a, 14m ago",),
        next_command="kubectl modelward why retail/chat",
    )
    return AlertMessage(
        key=f"modelward-example-{begun_ms // 1_000}",
        sequence=KINDS.index(kind) + 1,
        kind=kind,
        cluster="example",
        title="retail/chat: stays-on-topic 31% is above 10%",
        alerts=(fact,),
        sent_ms=now_ms,
        open=0 if kind in _ENDED or kind == "Test" else 1,
        severity="Critical",
    )


def trial(receiver: str, where: str, now_ms: int) -> AlertMessage:
    """Return the test message of a receiver, about which there is nothing to do."""
    message = specimen("Test", now_ms)
    fact = replace(
        message.alerts[0],
        endpoint="test",
        namespace=where,
        policy="",
        name="Modelward",
        severity="Info",
        what=f"This is a test of receiver {receiver}; there is nothing to do.",
        evidence=AlertEvidence(),
        changed=(),
        next_command="",
        since_ms=now_ms,
    )
    key = f"modelward-test-{receiver}-{now_ms // 1_000}"
    title = f"test of receiver {receiver}"
    return replace(message, key=key, title=title, alerts=(fact,), severity="Info", cluster="")
