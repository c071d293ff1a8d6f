"""Tells Alertmanagers each minute what still fires: one that hears nothing takes that for the end of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from modelward.alerts.due_message import DueItem, DueMessage
from modelward.alerts.message import AlertMessage
from modelward.alerts.standing import Standing
from modelward.api.alert_receivers import PlatformReceiver
from modelward.operator.alerts.platform_sender import PlatformSender

BEAT_S = 60.0
_BEAT = "heartbeat"
"""The key of what is written to no status: it says nothing new."""


@dataclass(slots=True)
class Heartbeats:
    """When each Alertmanager was last told of a namespace, in seconds of a clock that never goes back."""

    sender: PlatformSender
    monotonic: Callable[[], float]
    _last_s: dict[tuple[str, str], float] = field(default_factory=dict)

    def due(
        self, namespace: str, standing: Standing, receivers: Mapping[str, PlatformReceiver], now_ms: int
    ) -> list[tuple[DueMessage, PlatformReceiver]]:
        """Return for each Alertmanager all that it was told and that fires, once a minute, suppressed ones too."""
        firing: defaultdict[tuple[str, str], list[DueItem]] = defaultdict(list)
        for alert in standing.alerts:
            for delivery in alert.deliveries:
                if delivery.open and delivery.receiver in receivers and alert.episode.firing:
                    firing[alert.policy, delivery.receiver].append(DueItem(alert, "Repeated"))
        found: list[tuple[DueMessage, PlatformReceiver]] = []
        for (policy, receiver), items in sorted(firing.items(), key=lambda one: one[0]):
            if self._is_due(namespace, f"{policy}/{receiver}"):
                message = DueMessage(policy, receiver, _BEAT, now_ms, tuple(items), open=len(items))
                found.append((message, receivers[receiver]))
        return found

    def send(
        self, namespace: str, message: DueMessage, parts: tuple[AlertMessage, ...], receiver: PlatformReceiver
    ) -> None:
        """Send it beside the work; what becomes of it is logged, and the next minute tries again."""
        self.sender.beat(namespace, message, parts, receiver)

    def _is_due(self, namespace: str, what: str) -> bool:
        now_s = self.monotonic()
        if now_s - self._last_s.get((namespace, what), -BEAT_S) < BEAT_S:
            return False
        self._last_s[namespace, what] = now_s
        return True
