"""Policies and silences of a namespace as alerts see them, from the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from modelward.alerts.routing import Routing, routing_of
from modelward.alerts.silence import Silence
from modelward.api.alertsilence import MAX_SILENCE_MS, AlertSilence
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.quantity import timestamp_ms
from modelward.kube.kinds import ALERT_SILENCE, MONITORING_POLICY
from modelward.kube.store import Store
from modelward.operator.cache.models import parsed
from modelward.operator.runtime.alert_settings import AlertSettings


def alerting(store: Store, namespace: str) -> Mapping[str, MonitoringPolicy]:
    """Return by name the policies of a namespace that ask for alerts."""
    policies = parsed(MonitoringPolicy, store.list(MONITORING_POLICY, namespace))
    return {one.metadata.name: one for one in policies if one.spec.alerts is not None}


def routings(policies: Iterable[MonitoringPolicy], settings: AlertSettings) -> dict[str, Routing]:
    """Return by policy the routes of those that ask for alerts."""
    return {
        one.metadata.name: routing_of(one.metadata.name, one.spec.alerts, settings.fallback)
        for one in policies
        if one.spec.alerts is not None
    }


def silences(store: Store, namespace: str) -> tuple[Silence, ...]:
    """Return the silences of a namespace, ended ones too."""
    return tuple(map(silence_of, parsed(AlertSilence, store.list(ALERT_SILENCE, namespace))))


def silence_of(silence: AlertSilence) -> Silence:
    """Return a silence as it is in force: for at most 30 days from when it was made."""
    about, spec = silence.metadata, silence.spec
    made_ms = timestamp_ms(about.creation_timestamp) if about.creation_timestamp else 0
    until_ms = timestamp_ms(spec.until)
    return Silence(
        name=about.name,
        namespace=about.namespace,
        alerts=spec.alerts,
        made_ms=made_ms,
        until_ms=min(until_ms, made_ms + MAX_SILENCE_MS) if made_ms else until_ms,
        endpoint=spec.endpoint or "",
        until_resolved=spec.until_resolved,
    )
