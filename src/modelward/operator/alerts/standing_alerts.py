"""All alerts of a namespace as statuses have them, and what is there of it at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from modelward.alerts.delivery import AlertDelivery
from modelward.alerts.ledger import AlertKey, Present
from modelward.alerts.routing import SHARED, Routing, receiver_id
from modelward.alerts.rows import deliveries_of, episode_of
from modelward.alerts.standing import StandingAlert
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.kube.kinds import LLM_ENDPOINT, MONITORING_POLICY
from modelward.kube.store import Store
from modelward.operator.cache.models import parsed


def alerts_of(endpoint: LLMEndpoint) -> tuple[StandingAlert, ...]:
    """Return the alerts of an endpoint's status."""
    about = endpoint.metadata
    return tuple(
        StandingAlert(about.namespace, about.name, row.policy, row.name, episode, deliveries_of(row))
        for row in endpoint.status.alerts
        if (episode := episode_of(row)) is not None
    )


def present(store: Store, namespace: str, endpoints: Iterable[LLMEndpoint], routings: Mapping[str, Routing]) -> Present:
    """Return what a namespace has; `endpoints` are those that can be read, `routings` those of policies that alert."""
    found = {one.metadata.name: one for one in endpoints}
    names = frozenset(name for _, name in store.names(LLM_ENDPOINT, namespace))
    policies = parsed(MonitoringPolicy, store.list(MONITORING_POLICY, namespace))
    return Present(
        alerts=[alert for endpoint in found.values() for alert in alerts_of(endpoint)],
        left={key: told for endpoint in found.values() for key, told in _left(endpoint)},
        endpoints=names,
        routings=routings,
        receivers={one.metadata.name: _own(one) for one in policies if one.spec.alerts is not None},
        unread_endpoints=(names - found.keys()) | {one for one in found if not _whole(store, namespace, found[one])},
        unread_policies=frozenset(name for _, name in store.names(MONITORING_POLICY, namespace))
        - {one.metadata.name for one in policies},
    )


def _left(endpoint: LLMEndpoint) -> Iterator[tuple[AlertKey, tuple[AlertDelivery, ...]]]:
    for row in endpoint.status.alerts:
        if episode_of(row) is None and row.deliveries:
            yield (endpoint.metadata.name, row.policy, row.name), deliveries_of(row)


def _own(policy: MonitoringPolicy) -> Mapping[str, Mapping[str, object]]:
    spec = policy.spec.alerts
    own = (one for one in (spec.receivers if spec else ()) if not receiver_id(one).startswith(SHARED))
    return {one.name: one.wire() for one in own}


def _whole(store: Store, namespace: str, endpoint: LLMEndpoint) -> bool:
    """Return whether all of its alerts can be read: another release may have written them."""
    written = (store.get(LLM_ENDPOINT, namespace, endpoint.metadata.name) or {}).get("status", {}).get("alerts")
    return len(written or ()) == len(endpoint.status.alerts)
