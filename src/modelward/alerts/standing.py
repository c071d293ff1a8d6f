"""All alerts of a namespace as they stand, and what keeps one of them from being told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from modelward.alerts.delivery import AlertDelivery
from modelward.alerts.episode import Episode
from modelward.alerts.kinds import ALERT_KINDS, inhibits, kind_of
from modelward.alerts.routing import Routing
from modelward.alerts.silence import Silence, silence_of

STORM_MS = 120_000
STORM_ENDPOINTS = 5
STORM_PERCENT = 30
_ORDER = tuple(ALERT_KINDS)
_FROM_PENDING = frozenset({"NotReady"})
"""What explains others from its first failure: they must not be told in the time that it waits."""


@dataclass(frozen=True, slots=True)
class StandingAlert:
    """One alert of one endpoint that is not Inactive, and what receivers know of it."""

    namespace: str
    endpoint: str
    policy: str
    name: str
    episode: Episode
    deliveries: tuple[AlertDelivery, ...] = ()

    @property
    def key(self) -> str:
        """Names the episode, in all its states."""
        return digest(self.namespace, self.endpoint, self.policy, self.name, str(self.episode.began_ms // 1_000))

    def delivery(self, receiver: str) -> AlertDelivery:
        """Return what a receiver knows of it."""
        return next((one for one in self.deliveries if one.receiver == receiver), AlertDelivery(receiver))


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is to tell in one namespace: its alerts, routes by policy, silences, and how many endpoints it has."""

    alerts: tuple[StandingAlert, ...]
    routings: Mapping[str, Routing]
    silences: tuple[Silence, ...] = ()
    endpoints: int = 0


def digest(*parts: str) -> str:
    """Return 12 hexadecimal digits that stand for these texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def inhibitor(name: str, severity_routed: Iterable[tuple[str, Episode]]) -> str:
    """Return which of the alerts of one policy and endpoint explains this one; empty where none does.

    Only those that are themselves told to a receiver: otherwise none would hear of either.
    """
    found = [
        other
        for other, episode in severity_routed
        if inhibits(other, name) and (episode.firing or _fails(other, episode))
    ]
    return min(found, key=lambda other: _ORDER.index(kind_of(other)), default="")


def _fails(name: str, episode: Episode) -> bool:
    return kind_of(name) in _FROM_PENDING and episode.state == "Pending" and episode.verdict == "Failed"


def suppressor(
    alert: StandingAlert, beside: Iterable[StandingAlert], routing: Routing, silences: Iterable[Silence], now_ms: int
) -> str:
    """Return what keeps an alert from being told, empty where nothing does: another alert, or a silence.

    `beside` are the alerts of the same endpoint.
    """
    told = (
        (one.name, one.episode)
        for one in beside
        if one.policy == alert.policy and any(routing.of(one.name, one.episode.severity))
    )
    if above := inhibitor(alert.name, told):
        return above
    began = alert.episode.began_ms
    silence = silence_of(silences, alert.namespace, alert.endpoint, alert.name, began, now_ms)
    return f"AlertSilence {silence.name}" if silence else ""


def in_storm(alerts: Iterable[StandingAlert], endpoints: int) -> frozenset[tuple[str, str]]:
    """Return the (policy, endpoint) whose NotReady is one of many: at least 5, and more than 30 % of the namespace.

    Those that began within two minutes of each other belong together, the ones that still wait included.
    """
    down = [one for one in alerts if one.name == "NotReady" and not one.episode.ended]
    found: set[tuple[str, str]] = set()
    for policy in {one.policy for one in down}:
        began = sorted((one.episode.began_ms, one.endpoint) for one in down if one.policy == policy)
        first = 0
        for last, (at, _) in enumerate(began):
            while at - began[first][0] > STORM_MS:
                first += 1
            count = last - first + 1
            if count >= STORM_ENDPOINTS and count * 100 > STORM_PERCENT * endpoints:
                found.update((policy, endpoint) for _, endpoint in began[first : last + 1])
    return frozenset(found)
