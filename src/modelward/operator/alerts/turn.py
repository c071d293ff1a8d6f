"""What one turn of telling knows of a namespace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from modelward.alerts.due_message import DueMessage
from modelward.alerts.ledger import AlertKey, AlertLedger, Present, key_of, remembered, with_ledger, with_routings
from modelward.alerts.standing import Standing
from modelward.api.alert_receivers import AlertReceiver
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.kube.kinds import LLM_ENDPOINT
from modelward.operator.alerts.delivery_writer import DeliveryChanges
from modelward.operator.alerts.policies import alerting, routings, silences
from modelward.operator.alerts.standing_alerts import present
from modelward.operator.cache.models import parsed
from modelward.operator.runtime.context import Context


@dataclass(frozen=True, slots=True)
class AlertTurn:
    """A namespace as it stands: what its statuses say, and what the ledger alone knows."""

    namespace: str
    now_ms: int
    endpoints: Mapping[str, LLMEndpoint]
    policies: Mapping[str, MonitoringPolicy]
    standing: Standing
    present: Present
    ledger: AlertLedger

    @property
    def departed(self) -> frozenset[AlertKey]:
        """The alerts that have no status any more."""
        here = {key_of(one) for one in self.present.alerts}
        return frozenset(key_of(one) for one in self.standing.alerts) - here

    @property
    def receivers(self) -> Mapping[str, frozenset[str]]:
        """By policy all who can be told."""
        return {policy: routing.receivers for policy, routing in self.present.routings.items()}

    def remembered(self, changes: DeliveryChanges) -> AlertLedger:
        """Return the ledger with these changes."""
        alerts = (replace(one, deliveries=changes.of(one)) for one in self.standing.alerts)
        return remembered(alerts, self.present, self.ledger)

    def own_receiver(self, message: DueMessage) -> AlertReceiver | None:
        """Return the receiver of its own to which a team's message goes, by its policy or as that last had it."""
        policy = self.policies.get(message.policy)
        spec = policy.spec.alerts if policy else None
        if spec is not None:
            return next((one for one in spec.receivers if one.name == message.receiver), None)
        written = self.ledger.receivers.get(message.policy, {}).get(message.receiver)
        try:
            return AlertReceiver.model_validate(written) if written is not None else None
        except ValueError:  # by another release
            return None


def turn_of(context: Context, namespace: str, ledger: AlertLedger, now_ms: int) -> AlertTurn:
    """Return a namespace as the store has it, with what the ledger knows beside it."""
    store = context.store
    endpoints = parsed(LLMEndpoint, store.list(LLM_ENDPOINT, namespace))
    policies = alerting(store, namespace)
    there = present(store, namespace, endpoints, routings(policies.values(), context.settings.alerts))
    alerts = with_ledger(there, namespace, ledger)
    routes = with_routings(alerts, there.routings)
    standing = Standing(alerts, routes, silences(store, namespace), len(endpoints))
    return AlertTurn(
        namespace, now_ms, {one.metadata.name: one for one in endpoints}, policies, standing, there, ledger
    )


def differing(turn: AlertTurn, changes: DeliveryChanges) -> DeliveryChanges:
    """Return the changes that statuses do not say yet: what is sent again was noted before, there or in the ledger."""
    found = DeliveryChanges()
    for alert in turn.present.alerts:
        for delivery in changes.by_alert.get(key_of(alert), {}).values():
            if delivery != alert.delivery(delivery.receiver):
                found.note(alert, delivery)
    return found
