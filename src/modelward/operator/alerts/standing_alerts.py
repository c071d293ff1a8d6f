"""All alerts of a namespace as status has them, and those of endpoints that went while a receiver knew of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from modelward.alerts.delivery import AlertDelivery
from modelward.alerts.rows import deliveries_of, episode_of
from modelward.alerts.standing import StandingAlert
from modelward.api.llmendpoint import LLMEndpoint

ENDPOINT_DELETED = "EndpointDeleted"
"""Why an alert is closed whose endpoint is gone."""
AlertKey = tuple[str, str, str]
"""Endpoint, policy and name."""


def key_of(alert: StandingAlert) -> AlertKey:
    """Return by which an alert is told from others of its namespace."""
    return (alert.endpoint, alert.policy, alert.name)


def alerts_of(endpoint: LLMEndpoint) -> tuple[StandingAlert, ...]:
    """Return the alerts of an endpoint's status."""
    about = endpoint.metadata
    return tuple(
        StandingAlert(about.namespace, about.name, row.policy, row.name, episode, deliveries_of(row))
        for row in endpoint.status.alerts
        if (episode := episode_of(row)) is not None
    )


@dataclass(slots=True)
class DepartedAlerts:
    """What receivers were told of endpoints that are gone, whose status went with them.

    It lasts as long as the process: where that ends too, no word comes of such an alert's end.
    """

    _last: dict[str, dict[str, tuple[StandingAlert, ...]]] = field(default_factory=lambda: defaultdict(dict))
    _gone: dict[str, dict[AlertKey, StandingAlert]] = field(default_factory=lambda: defaultdict(dict))

    def of(self, namespace: str, endpoints: Sequence[LLMEndpoint], now_ms: int) -> tuple[StandingAlert, ...]:
        """Note what there is, and return the alerts of what is there no more, closed."""
        present = {one.metadata.name for one in endpoints}
        last, gone = self._last[namespace], self._gone[namespace]
        for name in last.keys() - present:
            gone |= {key_of(one): _closed(one, now_ms) for one in last.pop(name) if _known(one)}
        for endpoint in endpoints:
            alerts = alerts_of(endpoint)
            if alerts:
                last[endpoint.metadata.name] = alerts
            else:
                last.pop(endpoint.metadata.name, None)
        self._gone[namespace] = {key: one for key, one in gone.items() if _known(one) and key[0] not in present}
        return tuple(self._gone[namespace].values())

    def write(self, namespace: str, changes: Mapping[AlertKey, tuple[AlertDelivery, ...]]) -> None:
        """Take in what receivers know now."""
        gone = self._gone[namespace]
        for key, deliveries in changes.items():
            if key in gone:
                gone[key] = replace(gone[key], deliveries=deliveries)


def _known(alert: StandingAlert) -> bool:
    return any(not one.settled for one in alert.deliveries)


def _closed(alert: StandingAlert, now_ms: int) -> StandingAlert:
    if alert.episode.ended:
        return alert
    return replace(alert, episode=replace(alert.episode, state="Closed", since_ms=now_ms, held=ENDPOINT_DELETED))
