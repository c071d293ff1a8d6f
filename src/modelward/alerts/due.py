"""What is to be sent now: what alerts are, less what receivers have been told. There is no queue that could be lost."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.alerts.candidate import candidates
from modelward.alerts.due_message import DueMessage
from modelward.alerts.grouping import NEVER, ReceiverAlerts
from modelward.alerts.standing import Standing
from modelward.alerts.timing import FALLBACK_AFTER_MS


@dataclass(frozen=True, slots=True)
class Due:
    """What is due now, and when something may be next; None where only a change can make it so."""

    messages: tuple[DueMessage, ...]
    next_ms: int | None


def due(standing: Standing, now_ms: int) -> Due:
    """Return the messages that are to be sent now, those that may be under way included.

    Pure: the same standing gives the same messages. Firing is told while nothing suppresses it; the end of what was
    told is told whatever suppresses it; what was never told is never resolved.
    """
    messages: list[DueMessage] = []
    times = [_next_change(standing, now_ms)]
    for (policy, receiver), before in sorted(candidates(standing, now_ms).items()):
        told = ReceiverAlerts(policy, receiver, standing.routings[policy].timing, tuple(before), now_ms)
        again = tuple(told.again())
        messages += again
        for group in told.groups({one.key for one in again}):
            message = group.message()
            messages += [message] if message is not None else []
            times.append(group.next_ms())
    next_ms = min(times)
    return Due(tuple(messages), next_ms if next_ms < NEVER else None)


def _next_change(standing: Standing, now_ms: int) -> int:
    """Return when time alone changes who is to be told: an escalation, a fallback, the end of a silence."""
    escalations = (
        alert.episode.began_ms + route.unacknowledged_ms
        for alert in standing.alerts
        if alert.episode.firing and (routing := standing.routings.get(alert.policy))
        for route in routing.of(alert.name, alert.episode.severity)
    )
    sending = (one for alert in standing.alerts for one in alert.deliveries if one.sending)
    fallbacks = (one.sending_ms + FALLBACK_AFTER_MS for one in sending)
    ends = (silence.until_ms for silence in standing.silences)
    return min((at for at in (*escalations, *fallbacks, *ends) if at > now_ms), default=NEVER)
