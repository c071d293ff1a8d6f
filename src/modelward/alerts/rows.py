"""Alerts as they stand in status, and as the state machine has them; status holds whole seconds."""

from __future__ import annotations

from modelward.alerts.delivery import AlertDelivery
from modelward.alerts.episode import SEVERITY_ORDER, AlertVerdict, Episode
from modelward.api.alert_status import AlertState, AlertStatus, DeliveryStatus
from modelward.api.base import Severity
from modelward.api.quantity import duration_ms, timestamp, timestamp_ms, written_duration

_STATES: dict[str, AlertState] = {one: one for one in ("Pending", "Firing", "Held", "Resolved", "Closed")}
_VERDICTS: dict[str, AlertVerdict] = {one: one for one in ("Failed", "Passed", "NearThreshold", "Unknown")}


def episode_of(row: AlertStatus) -> Episode | None:
    """Return the state of an alert; None of a row that says none, whose end is known to all."""
    state = _STATES.get(row.state)
    if state is None:
        return None
    since = _ms(row.since)
    return Episode(
        state=state,
        since_ms=since,
        began_ms=_ms(row.episode) or since,
        severity=_severity(row.severity),
        what=row.message,
        verdict=_VERDICTS.get(row.verdict, "Unknown"),
        verdict_since_ms=_ms(row.verdict_since) or since,
        failed_ms=_duration(row.failed_for),
        held=row.held,
        reopened_ms=tuple(_ms(one) for one in row.reopened),
    )


def row_of(policy: str, name: str, episode: Episode, by: str = "") -> AlertStatus:
    """Return what status says of an alert, but for its deliveries, which another writer adds."""
    return AlertStatus(
        policy=policy,
        name=name,
        state=episode.state,
        since=timestamp(episode.since_ms),
        episode=timestamp(episode.began_ms),
        severity=episode.severity,
        message=episode.what,
        held=episode.held,
        by=by,
        verdict=episode.verdict,
        verdict_since=timestamp(episode.verdict_since_ms),
        failed_for=written_duration(episode.failed_ms // 1_000 * 1_000) if episode.failed_ms >= 1_000 else "",
        reopened=tuple(timestamp(one) for one in episode.reopened_ms),
    )


def deliveries_of(row: AlertStatus) -> tuple[AlertDelivery, ...]:
    """Return what receivers know of an alert; what they know of an episode before this one is none of it."""
    began = _ms(row.episode)
    found = (delivery_of(one) for one in row.deliveries)
    return tuple(one for one in found if not one.settled or not began or one.at_ms >= began)


def delivery_of(row: DeliveryStatus) -> AlertDelivery:
    """Return what one receiver knows of an alert."""
    return AlertDelivery(
        receiver=row.receiver,
        key=row.key,
        told=row.told,
        severity=_severity(row.severity, "Info"),
        at_ms=_ms(row.at),
        sending=row.sending,
        sending_ms=_ms(row.sending_since),
        ref=row.ref,
        problem=row.problem,
    )


def delivery_row(delivery: AlertDelivery) -> DeliveryStatus:
    """Return the same as it stands in status."""
    return DeliveryStatus(
        receiver=delivery.receiver,
        key=delivery.key,
        told=delivery.told,
        severity=delivery.severity if delivery.told else "",
        at=timestamp(delivery.at_ms) if delivery.at_ms else "",
        sending=delivery.sending,
        sending_since=timestamp(delivery.sending_ms) if delivery.sending_ms else "",
        ref=delivery.ref,
        problem=delivery.problem,
    )


def _ms(text: str) -> int:
    try:
        return timestamp_ms(text) if text else 0
    except ValueError:
        return 0


def _duration(text: str) -> int:
    try:
        return duration_ms(text) if text else 0
    except ValueError:
        return 0


def _severity(text: str, otherwise: Severity = "Warning") -> Severity:
    return next((one for one in SEVERITY_ORDER if one == text), otherwise)
