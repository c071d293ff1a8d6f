"""What a message tells of an alert: from the endpoint's status and its policy, and never text of an exchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from modelward.alerts.due_message import DueItem, DueMessage
from modelward.alerts.episode import SEVERITY_ORDER
from modelward.alerts.kinds import ALERT_KINDS, kind_of
from modelward.alerts.message import MAX_ALERTS, AlertEvidence, AlertFact, AlertMessage
from modelward.alerts.standing import StandingAlert
from modelward.api.endpoint_status import Change, LLMEndpointStatus
from modelward.api.monitoringpolicy import MonitoringPolicySpec
from modelward.api.quantity import duration_text, timestamp, timestamp_ms

_BEFORE_MS = 3_600_000
"""How long before an alert a change may explain it."""
_MAX_CHANGES = 3


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: the cluster's name, and the console's address, empty where there is none."""

    cluster: str = ""
    console_url: str = ""

    def link(self, *parts: str) -> str:
        """Return the address of a page of the console."""
        path = "/".join(quote(part, safe="") for part in parts)
        return f"{self.console_url.rstrip('/')}/{path}" if self.console_url else ""


@dataclass(frozen=True, slots=True)
class AlertedEndpoint:
    """What is known of an alert's endpoint and policy; None where they are gone."""

    status: LLMEndpointStatus | None = None
    policy: MonitoringPolicySpec | None = None


def fact_of(item: DueItem, known: AlertedEndpoint, sender: Sender) -> AlertFact:
    """Return what a message tells of one alert."""
    alert, episode = item.alert, item.alert.episode
    status = known.status or LLMEndpointStatus()
    evidence = _evidence(alert.name, alert.policy, status, known.policy)
    return AlertFact(
        key=alert.key,
        namespace=alert.namespace,
        endpoint=alert.endpoint,
        policy=alert.policy,
        name=alert.name,
        severity=episode.severity,
        state=episode.state,
        since_ms=episode.began_ms,
        episode=timestamp(episode.began_ms),
        what=_what(alert, evidence),
        evidence=evidence,
        held=episode.held if episode.state in ("Held", "Closed") else "",
        changed=_changed(status.changes, episode.began_ms),
        next_command=_command(alert),
        url=sender.link("endpoints", alert.namespace, alert.endpoint),
    )


def message_of(due: DueMessage, facts: tuple[AlertFact, ...], sender: Sender, now_ms: int) -> AlertMessage:
    """Return the message; `facts` are those of its items, in their order."""
    shown = sorted(facts, key=lambda one: (-SEVERITY_ORDER.index(one.severity), one.since_ms, one.endpoint))
    namespaces = {one.namespace for one in facts}
    return AlertMessage(
        key=due.key,
        sequence=due.sequence,
        kind=due.kind,
        cluster=sender.cluster,
        title=_title(due, shown),
        alerts=tuple(shown[:MAX_ALERTS]),
        sent_ms=now_ms,
        open=due.open,
        more=max(0, len(shown) - MAX_ALERTS),
        severity=shown[0].severity if shown else "Warning",
        url=f"{sender.link('alerts')}?ns={min(namespaces)}" if sender.console_url and namespaces else "",
    )


def _what(alert: StandingAlert, evidence: AlertEvidence) -> str:
    """Return one sentence. Of a check only numbers: its message in status may hold words that people share."""
    episode, kind = alert.episode, ALERT_KINDS[kind_of(alert.name)]
    said = episode.what or kind.means
    if kind.of_a_check and kind.name != "BudgetBurn":  # whose message has nothing but numbers
        told = f": {evidence.sentence}" if evidence.sentence else ""
        said = f"{alert.name.partition('/')[2]}{told or f': {kind.means}'}"
    if episode.state == "Closed":
        return f"closed without evidence of recovery ({episode.held or 'Unknown'}); last known: {said}"[:256]
    return said


def _title(due: DueMessage, facts: list[AlertFact]) -> str:
    """Return one line: what has become of what, where."""
    word = {"Firing": "", "Raised": "more severe: ", "Repeated": "still: ", "Flapping": "flapping: "}.get(due.kind)
    ended = f"{due.kind.lower()}: " if word is None else word
    if due.storm and len(facts) > 1:
        return f"{ended}{len(facts)} endpoints of {facts[0].namespace} do not serve"
    if len(facts) == 1:
        one = facts[0]
        return f"{ended}{one.name} of {one.namespace}/{one.endpoint}"
    endpoints = {one.endpoint for one in facts}
    where = f"{facts[0].namespace}/{facts[0].endpoint}" if len(endpoints) == 1 else f"{len(endpoints)} endpoints"
    return f"{ended}{len(facts)} alerts of {where}"


def _changed(changes: tuple[Change, ...], began_ms: int) -> tuple[str, ...]:
    """Return the changes of the hour before an alert began, newest first."""
    found: list[str] = []
    for change in changes:
        try:
            before_ms = began_ms - timestamp_ms(change.time)
        except ValueError:
            continue
        if -60_000 <= before_ms <= _BEFORE_MS:
            found.append(f"{change.kind} {change.message}, {_relative(before_ms)}"[:256])
    return tuple(found[:_MAX_CHANGES])


def _relative(before_ms: int) -> str:
    return "at the same time" if before_ms < 60_000 else f"{duration_text(before_ms)} before"


def _command(alert: StandingAlert) -> str:
    if kind_of(alert.name) in ("NotReady", "Unwatched", "TrafficUnseen", "ScalingStuck"):
        return f"kubectl describe llmendpoint -n {alert.namespace} {alert.endpoint}"
    if ALERT_KINDS[kind_of(alert.name)].of_a_policy:
        return f"kubectl describe monitoringpolicy -n {alert.namespace} {alert.policy}"
    if alert.name == "Modelward":
        return "modelward doctor"
    return f"modelward explain {alert.namespace}/{alert.endpoint}"


def _evidence(name: str, policy: str, status: LLMEndpointStatus, spec: MonitoringPolicySpec | None) -> AlertEvidence:
    check = name.partition("/")[2]
    if kind_of(name) == "Objective":
        row = next((one for one in status.metrics if (one.policy, one.name) == (policy, check)), None)
        limit = _limit("Objective", check, spec)
        return AlertEvidence(value=row.value, samples=row.samples, limit=limit) if row else AlertEvidence(limit=limit)
    if kind_of(name) in ("Check", "CheckUndecided"):
        rate = next((one for one in status.evaluations if (one.policy, one.name) == (policy, check)), None)
        limit = _limit("Check", check, spec)
        if rate is None:
            return AlertEvidence(limit=limit)
        return AlertEvidence(rate.rate, rate.low, rate.high, rate.samples, limit)
    return AlertEvidence()


def _limit(kind: Literal["Objective", "Check"], check: str, spec: MonitoringPolicySpec | None) -> str:
    if spec is None:
        return ""
    if kind == "Objective":
        asked = next((one for one in spec.objectives if one.name == check), None)
        return (asked.max_duration or asked.max_rate or "") if asked else ""
    evaluation = next((one for one in spec.evaluations if one.name == check), None)
    return (evaluation.fail_above or evaluation.fail_below or "") if evaluation else ""
