"""What receivers may believe to fire, kept apart from endpoints and policies, with which their statuses go. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from modelward.alerts.delivery import AlertDelivery
from modelward.alerts.episode import Episode
from modelward.alerts.routing import SHARED, Route, Routing
from modelward.alerts.standing import StandingAlert
from modelward.alerts.step import REMOVED
from modelward.api.base import Severity

ENDPOINT_DELETED = "EndpointDeleted"
"""Why an alert is closed whose endpoint is gone."""
AlertKey = tuple[str, str, str]
"""Endpoint, policy and name."""
OwnReceivers = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""By policy and name a team's own receivers, as the policy writes them."""
_NO_NEWS = frozenset({"Firing", "Raised", "Repeated", "Flapping"})
"""What a receiver believes to fire fires after these too."""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One alert that one receiver believes to fire, or may; times are Unix milliseconds in whole seconds."""

    endpoint: str
    policy: str
    name: str
    began_ms: int
    severity: Severity
    delivery: AlertDelivery

    @property
    def key(self) -> AlertKey:
        """By which the alert is told from others of its namespace."""
        return (self.endpoint, self.policy, self.name)


@dataclass(frozen=True, slots=True)
class AlertLedger:
    """All such rows of a namespace, and how a team's own receivers among them are reached."""

    rows: tuple[LedgerRow, ...] = ()
    receivers: OwnReceivers = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Present:
    """What a namespace has: alerts of status, and by alert what receivers know of rows that have no state any more.

    `unread` are endpoints and policies that are there and that this release cannot read: nothing is said of them.
    """

    alerts: Sequence[StandingAlert]
    left: Mapping[AlertKey, tuple[AlertDelivery, ...]]
    endpoints: frozenset[str]
    routings: Mapping[str, Routing]
    receivers: OwnReceivers = field(default_factory=dict)
    unread_endpoints: frozenset[str] = frozenset()
    unread_policies: frozenset[str] = frozenset()

    def unread(self, key: AlertKey) -> bool:
        """Return whether it is not known how an alert stands."""
        return key[0] in self.unread_endpoints or key[1] in self.unread_policies


def key_of(alert: StandingAlert) -> AlertKey:
    """Return by which an alert is told from others of its namespace."""
    return (alert.endpoint, alert.policy, alert.name)


def with_ledger(present: Present, namespace: str, ledger: AlertLedger) -> tuple[StandingAlert, ...]:
    """Return the alerts of status with what the ledger alone knows of them, and those that have no status, closed."""
    rows: defaultdict[AlertKey, list[LedgerRow]] = defaultdict(list)
    for row in ledger.rows:
        if not present.unread(row.key) and _reached(row.policy, row.delivery.receiver, present.routings):
            rows[row.key].append(row)
    here = {key_of(one) for one in present.alerts}
    merged = [_merged(one, rows.get(key_of(one), ())) for one in present.alerts]
    gone = sorted((rows.keys() | present.left.keys()) - here)
    departed = (_departed(key, namespace, rows.get(key, ()), present) for key in gone if not present.unread(key))
    return (*merged, *(one for one in departed if one is not None))


def with_routings(alerts: Iterable[StandingAlert], routings: Mapping[str, Routing]) -> dict[str, Routing]:
    """Return the routes of policies, and for those that are gone one to each receiver that has still to be told."""
    left: defaultdict[str, set[str]] = defaultdict(set)
    for alert in alerts:
        if alert.policy not in routings:
            left[alert.policy].update(one.receiver for one in alert.deliveries)
    return {**routings, **{name: Routing(name, (Route(tuple(sorted(to))),)) for name, to in left.items()}}


def remembered(alerts: Iterable[StandingAlert], present: Present, before: AlertLedger) -> AlertLedger:
    """Return the ledger of these alerts; what is not known to stand otherwise stays as it was."""
    found = [row for row in before.rows if present.unread(row.key)]
    found += [row for alert in alerts for row in _rows(alert, present.routings)]
    rows = tuple(sorted(found, key=lambda row: (row.policy, row.endpoint, row.name, row.delivery.receiver)))
    return AlertLedger(rows, receivers_of(rows, present.receivers, before.receivers))


def receivers_of(rows: Iterable[LedgerRow], *known: OwnReceivers) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Return how the own receivers of these rows are reached, by the first that knows."""
    found: defaultdict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for row in rows:
        name = row.delivery.receiver
        if name.startswith(SHARED) or name in found[row.policy]:
            continue
        if (
            spec := next((one[row.policy][name] for one in known if name in one.get(row.policy, {})), None)
        ) is not None:
            found[row.policy][name] = spec
    return {policy: specs for policy, specs in found.items() if specs}


def _reached(policy: str, receiver: str, routings: Mapping[str, Routing]) -> bool:
    """Return whether a receiver is to be told of an alert's end: those that a policy has taken out are not."""
    routing = routings.get(policy)
    return routing is None or receiver in routing.receivers


def _merged(alert: StandingAlert, rows: Collection[LedgerRow]) -> StandingAlert:
    known = {one.receiver for one in alert.deliveries}
    more = tuple(row.delivery for row in rows if row.delivery.receiver not in known)
    return replace(alert, deliveries=(*alert.deliveries, *more)) if more else alert


def _departed(key: AlertKey, namespace: str, rows: Collection[LedgerRow], present: Present) -> StandingAlert | None:
    """Return an alert that has no status as closed; None where no receiver is to be told."""
    by_receiver = {row.delivery.receiver: row.delivery for row in rows}
    by_receiver |= {one.receiver: one for one in present.left.get(key, ())}
    reached = (one for one in by_receiver.values() if _reached(key[1], one.receiver, present.routings))
    deliveries = tuple(map(_believed, (one for one in reached if not one.settled)))
    if not deliveries:
        return None
    began = min((row.began_ms for row in rows), default=max(one.at_ms or one.sending_ms for one in deliveries))
    severity = next((row.severity for row in rows), deliveries[0].severity)
    held = ENDPOINT_DELETED if key[0] not in present.endpoints else REMOVED
    closed = Episode("Closed", began, began, severity, "", "Unknown", began, held=held)
    return StandingAlert(namespace, *key, closed, deliveries)


def _believed(delivery: AlertDelivery) -> AlertDelivery:
    """Return what a receiver may believe: its end is another message than one that may have arrived, and no resend."""
    if delivery.open or delivery.sending not in _NO_NEWS:
        return delivery
    return replace(delivery, told="Firing", at_ms=delivery.sending_ms, sending="", sending_ms=0, problem="")


def _rows(alert: StandingAlert, routings: Mapping[str, Routing]) -> Iterator[LedgerRow]:
    for one in alert.deliveries:
        if not one.settled and _reached(alert.policy, one.receiver, routings):
            severity = one.severity if one.open else alert.episode.severity
            where = (alert.endpoint, alert.policy, alert.name)
            yield LedgerRow(*where, _whole(alert.episode.began_ms), severity, _image(one))


def _image(delivery: AlertDelivery) -> AlertDelivery:
    """Return what of a delivery outlasts its status: not each repetition, and not why one failed."""
    if delivery.open and delivery.sending in _NO_NEWS:
        delivery = replace(delivery, sending="", sending_ms=0)
    at, sending = _whole(delivery.at_ms), _whole(delivery.sending_ms)
    severity: Severity = delivery.severity if delivery.told else "Info"
    return replace(delivery, at_ms=at, sending_ms=sending, severity=severity, problem="")


def _whole(ms: int) -> int:
    return ms // 1_000 * 1_000
