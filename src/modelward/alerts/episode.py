"""One alert between its first failure and its end: all that the state machine remembers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from modelward.alerts.timing import FLAPPING_REOPENINGS, HOUR_MS
from modelward.api.alert_status import AlertState
from modelward.api.base import Severity

AlertVerdict = Literal["Failed", "Passed", "NearThreshold", "Unknown"]
"""What is known now. Near the threshold the interval holds the limit: neither failed nor passed, but not unknown."""

SEVERITY_ORDER: tuple[Severity, ...] = ("Info", "Warning", "Critical")
_KEPT_REOPENINGS = FLAPPING_REOPENINGS + 2


@dataclass(frozen=True, slots=True)
class AlertInput:
    """What one reconcile finds out about one alert; `what` is a sentence with value and limit."""

    policy: str
    name: str
    verdict: AlertVerdict
    severity: Severity = "Warning"
    reason: str = ""
    what: str = ""
    for_ms: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """Policy and name, by which an endpoint's alerts are told apart."""
        return (self.policy, self.name)


@dataclass(frozen=True, slots=True)
class Episode:
    """The state of an alert that is not Inactive; all times are Unix milliseconds.

    `began_ms` names the episode. `verdict` is the last one, held since `verdict_since_ms`; `failed_ms` is how long a
    Pending alert failed before that. `reopened_ms` are the times of an hour at which it came back.
    """

    state: AlertState
    since_ms: int
    began_ms: int
    severity: Severity
    what: str
    verdict: AlertVerdict
    verdict_since_ms: int
    failed_ms: int = 0
    held: str = ""
    reopened_ms: tuple[int, ...] = ()

    @property
    def firing(self) -> bool:
        """Whether it is to be told as firing: held ones are, because silence is no recovery."""
        return self.state in ("Firing", "Held")

    @property
    def ended(self) -> bool:
        """Whether it is over, and only kept until all know and its cooldown has passed."""
        return self.state in ("Resolved", "Closed")

    def flapping(self, now_ms: int) -> bool:
        """Return whether it came back so often within an hour that each return is no news."""
        return sum(0 <= now_ms - at < HOUR_MS for at in self.reopened_ms) > FLAPPING_REOPENINGS

    def reopenings(self, now_ms: int) -> tuple[int, ...]:
        """Return the times at which it came back, this one included."""
        recent = (at for at in self.reopened_ms if 0 <= now_ms - at < HOUR_MS)
        return (*recent, now_ms)[-_KEPT_REOPENINGS:]


def graver(one: Severity, other: Severity) -> bool:
    """Return whether a severity is above another one."""
    return SEVERITY_ORDER.index(one) > SEVERITY_ORDER.index(other)
