"""Which alerts stand before which receiver: by its routes, or because it knows of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from modelward.alerts.delivery import AlertDelivery
from modelward.alerts.due_message import Tell
from modelward.alerts.episode import Episode, graver
from modelward.alerts.kinds import ALERT_KINDS, kind_of
from modelward.alerts.routing import SHARED, Route, Routing
from modelward.alerts.standing import Standing, StandingAlert, in_storm, suppressor
from modelward.alerts.timing import FALLBACK_AFTER_MS

_STORM = "storm"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One alert before one receiver. `route` is None where none leads there any more, and only its end is told."""

    alert: StandingAlert
    known: AlertDelivery
    route: Route | None
    suppressed: bool
    storm: bool

    @property
    def episode(self) -> Episode:
        """The state of the alert."""
        return self.alert.episode

    @property
    def where(self) -> tuple[str, str]:
        """Endpoint and name: what tells alerts of one policy apart."""
        return (self.alert.endpoint, self.alert.name)

    def values(self) -> tuple[str, ...]:
        """Return what alerts must share to be in one group with this one."""
        if self.storm:
            return (_STORM,)
        labels = {"Endpoint": self.alert.endpoint, "Alert": self.alert.name, "Severity": self.episode.severity}
        return tuple(f"{label}={labels[label]}" for label in (self.route.group_by if self.route else ()))

    def news(self, now_ms: int) -> Tell | None:
        """Return what of the alert the receiver does not know, None where it knows all that it may be told."""
        if self.episode.state in ("Resolved", "Closed"):
            return self.episode.state if self.known.open else None
        if not self.episode.firing or self.suppressed or self.route is None:
            return None
        if self.known.open:
            return "Raised" if graver(self.episode.severity, self.known.severity) else None
        return "Flapping" if self.episode.flapping(now_ms) else "Firing"

    def still(self) -> Tell:
        """Return what a message says of it that may have arrived before: what is true now."""
        if self.episode.state in ("Resolved", "Closed"):
            return self.episode.state
        if self.known.sending == "Repeated":
            return "Repeated"
        return "Raised" if self.known.sending == "Raised" else "Firing"


def candidates(standing: Standing, now_ms: int) -> Mapping[tuple[str, str], list[Candidate]]:
    """Return by policy and receiver all alerts that it is, or may have been, told of."""
    beside: defaultdict[tuple[str, str], list[StandingAlert]] = defaultdict(list)
    for alert in standing.alerts:
        beside[alert.endpoint, alert.policy].append(alert)
    storm = in_storm(standing.alerts, standing.endpoints)
    found: defaultdict[tuple[str, str], list[Candidate]] = defaultdict(list)
    shared: set[tuple[str, str, str]] = set()
    for alert in sorted(standing.alerts, key=lambda one: (one.policy, one.endpoint, one.name)):
        routing = standing.routings.get(alert.policy)
        if routing is None:
            continue
        by = suppressor(alert, beside[alert.endpoint, alert.policy], routing, standing.silences, now_ms)
        routes = _routes(alert, routing, now_ms, silenced=by.startswith("AlertSilence"))
        known = (one.receiver for one in alert.deliveries if not one.settled and one.receiver in routing.receivers)
        for receiver in dict.fromkeys((*routes, *known)):
            delivery = alert.delivery(receiver)
            if _told_by_another(alert, receiver, shared) and delivery.settled:
                continue
            is_storm = alert.name == "NotReady" and (alert.policy, alert.endpoint) in storm
            candidate = Candidate(alert, delivery, routes.get(receiver), bool(by), is_storm)
            found[alert.policy, receiver].append(candidate)
    return found


def _told_by_another(alert: StandingAlert, receiver: str, shared: set[tuple[str, str, str]]) -> bool:
    """Return whether another policy tells the same receiver of the platform the same of the same endpoint."""
    kind = ALERT_KINDS[kind_of(alert.name)]
    if not receiver.startswith(SHARED) or kind.of_a_check or kind.of_a_policy:
        return False
    which = (alert.endpoint, alert.name, receiver)
    told = which in shared
    shared.add(which)
    return told


def _routes(alert: StandingAlert, routing: Routing, now_ms: int, *, silenced: bool) -> dict[str, Route]:
    """Return the route by which each receiver gets the alert: the first that leads to it."""
    found: dict[str, Route] = {}
    for route in routing.of(alert.name, alert.episode.severity):
        waits = route.unacknowledged_ms
        if waits and (silenced or now_ms - alert.episode.began_ms < waits):
            continue
        for receiver in route.receivers:
            found.setdefault(receiver, route)
    if routing.fallback and routing.fallback not in found and _fails(alert.deliveries, now_ms):
        found[routing.fallback] = Route((routing.fallback,))
    return found


def _fails(deliveries: Iterable[AlertDelivery], now_ms: int) -> bool:
    """Return whether a receiver cannot be told, for so long that another should know."""
    return any(one.problem and (one.given_up or now_ms - one.sending_ms >= FALLBACK_AFTER_MS) for one in deliveries)
