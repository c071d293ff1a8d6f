"""Which receivers of a policy an alert goes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from modelward.alerts.kinds import ALERT_KINDS, kind_of, matches
from modelward.alerts.timing import Timing, timing_of
from modelward.api.alert_receivers import AlertReceiver
from modelward.api.alerts import AlertsSpec, GroupLabel
from modelward.api.base import Severity
from modelward.api.quantity import duration_ms

SHARED = "shared/"
"""Before the name of a receiver of the platform, which is the same one in all policies."""
_TOLD_BY_DEFAULT: tuple[Severity, ...] = ("Warning", "Critical")


@dataclass(frozen=True, slots=True)
class Route:
    """One route, read; `receivers` are ids. `unacknowledged_ms` is 0 where it is taken at once."""

    receivers: tuple[str, ...]
    alerts: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = _TOLD_BY_DEFAULT
    group_by: tuple[GroupLabel, ...] = ()
    unacknowledged_ms: int = 0

    def takes(self, name: str, severity: Severity) -> bool:
        """Return whether an alert goes this way; one that must be asked for only where it is named."""
        named = any(matches(one, name) for one in self.alerts)
        kind = ALERT_KINDS.get(kind_of(name))
        return severity in self.severities and (named or not (self.alerts or (kind is not None and kind.asked)))


@dataclass(frozen=True, slots=True)
class Routing:
    """All routes of one policy; `fallback` is the id of the platform's receiver that is told where others fail."""

    policy: str
    routes: tuple[Route, ...] = ()
    timing: Timing = field(default_factory=Timing)
    fallback: str = ""

    @property
    def receivers(self) -> frozenset[str]:
        """The ids of all who can be told."""
        own = (one for route in self.routes for one in route.receivers)
        return frozenset((*own, self.fallback)) - {""}

    def of(self, name: str, severity: Severity) -> Iterable[Route]:
        """Yield the routes that an alert takes, first those that the policy names first."""
        return (route for route in self.routes if route.takes(name, severity))


def receiver_id(receiver: AlertReceiver) -> str:
    """Return how deliveries name a receiver: a shared one by the platform's name, so that it is told once."""
    return f"{SHARED}{receiver.shared}" if receiver.shared else receiver.name


def routing_of(policy: str, spec: AlertsSpec, fallback: str = "") -> Routing:
    """Return the routes of a policy; without any, what is Warning or Critical goes to all of its receivers."""
    ids = {one.name: receiver_id(one) for one in spec.receivers}
    routes = tuple(
        Route(
            receivers=_ids(route.receivers, ids),
            alerts=route.alerts,
            severities=route.severities or _TOLD_BY_DEFAULT,
            group_by=route.group_by,
            unacknowledged_ms=duration_ms(route.unacknowledged_for) if route.unacknowledged_for else 0,
        )
        for route in spec.routes
    )
    everyone = (Route(_ids(ids, ids)),) if ids and not spec.routes else ()
    return Routing(policy, routes or everyone, timing_of(spec.timing), f"{SHARED}{fallback}" if fallback else "")


def _ids(names: Iterable[str], ids: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids[name] for name in names if name in ids))
