"""Alerts as endpoints' status has them, with the silences that cover them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from modelward.api.alert_status import AlertStatus
from modelward.api.views import AlertView, SilenceView
from modelward.hub.people.checks import time_ms
from modelward.hub.people.shown import ShownObjects

_ORDER = ("Firing", "Held", "Pending", "Closed", "Resolved")
_SILENCED_BY = "AlertSilence/"


def silences_of(shown: ShownObjects, namespace: str) -> tuple[SilenceView, ...]:
    """Return the silences of a namespace, by name."""
    now_ms = shown.clock_ms()
    return tuple(
        _silence(namespace, name, entry.decoded(), now_ms)
        for name, entry in sorted(shown.each("AlertSilence", namespace))
    )


def alerts_of(
    namespace: str, endpoint: str, obj: Mapping[str, Any], silences: Sequence[SilenceView]
) -> tuple[AlertView, ...]:
    """Return the alerts of a shown endpoint: firing first, then held, then what is over."""
    raw = obj.get("status")
    rows = raw.get("alerts") if isinstance(raw, Mapping) else None
    found = [_alert(namespace, endpoint, row, silences) for row in _readable(rows)]
    return tuple(sorted(found, key=urgency))


def urgency(one: AlertView) -> tuple[int, int, str, str, str]:
    """Return by what alerts are sorted."""
    rank = _ORDER.index(one.state) if one.state in _ORDER else len(_ORDER)
    return (rank, -(one.since_ms or 0), one.namespace, one.endpoint, one.name)


def _readable(rows: Any) -> Iterable[AlertStatus]:
    for row in rows if isinstance(rows, list) else ():
        try:
            yield AlertStatus.model_validate(row)
        except ValueError:
            continue


def _alert(namespace: str, endpoint: str, one: AlertStatus, silences: Sequence[SilenceView]) -> AlertView:
    covering = next((s.name for s in silences if s.state == "InForce" and _covers(s, endpoint, one.name)), "")
    return AlertView(
        namespace=namespace,
        endpoint=endpoint,
        policy=one.policy,
        name=one.name,
        state=one.state,
        severity=one.severity,
        since_ms=time_ms(one.since),
        episode=one.episode,
        message=one.message,
        held=one.held,
        by=one.by,
        silence=one.by.removeprefix(_SILENCED_BY) if one.by.startswith(_SILENCED_BY) else covering,
        deliveries=one.deliveries,
    )


def _covers(silence: SilenceView, endpoint: str, alert: str) -> bool:
    if silence.endpoint and silence.endpoint != endpoint:
        return False
    return not silence.alerts or any(one == alert or alert.startswith(f"{one}/") for one in silence.alerts)


def _silence(namespace: str, name: str, obj: Mapping[str, Any], now_ms: int) -> SilenceView:
    raw = obj.get("spec")
    spec: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    until_ms = time_ms(str(spec.get("until", "")))
    alerts = spec.get("alerts")
    return SilenceView(
        namespace=namespace,
        name=name,
        endpoint=str(spec.get("endpoint") or ""),
        alerts=tuple(map(str, alerts)) if isinstance(alerts, list) else (),
        until_ms=until_ms,
        until_resolved=spec.get("untilResolved") is True,
        comment=str(spec.get("comment") or ""),
        by=str(spec.get("author") or ""),
        state="Ended" if until_ms is not None and until_ms <= now_ms else "InForce",
    )
