"""Which alerts people want to hear nothing of for a while, and which they take care of already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from modelward.alerts.kinds import matches


@dataclass(frozen=True, slots=True)
class Silence:
    """An AlertSilence in force. `endpoint` is empty for all of the namespace; times are Unix milliseconds.

    One that is `until_resolved` acknowledges: it is of the episode that fired when it was made, and ends with it.
    """

    name: str
    namespace: str
    alerts: tuple[str, ...]
    made_ms: int
    until_ms: int
    endpoint: str = ""
    until_resolved: bool = False

    def covers(self, namespace: str, endpoint: str, alert: str, began_ms: int, now_ms: int) -> bool:
        """Return whether an alert is silenced; a wrong clock must not make a silence longer than it was meant."""
        if namespace != self.namespace or self.endpoint not in ("", endpoint) or now_ms >= self.until_ms:
            return False
        if self.alerts and not any(matches(one, alert) for one in self.alerts):
            return False
        return not self.until_resolved or began_ms <= self.made_ms


def silence_of(
    silences: Iterable[Silence], namespace: str, endpoint: str, alert: str, began_ms: int, now_ms: int
) -> Silence | None:
    """Return the silence that covers an alert, the one that acknowledges it first; None where none does."""
    found = [one for one in silences if one.covers(namespace, endpoint, alert, began_ms, now_ms)]
    return min(found, key=lambda one: (not one.until_resolved, one.name), default=None)
