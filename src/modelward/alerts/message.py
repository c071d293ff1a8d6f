"""What one message to one receiver says: facts only, never text of an exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter

from modelward.api.alert_status import AlertState
from modelward.api.base import Severity

MessageKind = Literal["Firing", "Raised", "Repeated", "Flapping", "Resolved", "Closed", "Test"]
"""Firing: new alerts; Raised: more severe than told; Repeated: still firing; Closed: ended without evidence."""

MAX_ALERTS = 20
"""Alerts that one message spells out; of more it gives the number."""


@dataclass(frozen=True, slots=True)
class AlertEvidence:
    """How sure an alert is, in the texts of the endpoint's status; empty where there is nothing to say."""

    value: str = ""
    low: str = ""
    high: str = ""
    samples: int = 0
    limit: str = ""

    @property
    def sentence(self) -> str:
        """The numbers in one line: `31% (24-39), limit 10%, n=140`."""
        interval = f" ({self.low}-{self.high})" if self.low and self.high else ""
        parts = (
            f"{self.value}{interval}" if self.value else "",
            f"limit {self.limit}" if self.limit else "",
            f"n={self.samples}" if self.samples else "",
        )
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class AlertFact:
    """One alert as a message tells it.

    `key` names the episode, the same in all its states and to all receivers. `name` is `NotReady` or
    `Objective/errors`, `what` one sentence with value and limit. Times are Unix milliseconds.
    """

    key: str
    namespace: str
    endpoint: str
    policy: str
    name: str
    severity: Severity
    state: AlertState
    since_ms: int
    episode: str
    what: str
    evidence: AlertEvidence = AlertEvidence()
    held: str = ""
    """Why a firing alert rests on older evidence."""
    changed: tuple[str, ...] = ()
    """What changed just before, newest first."""
    next_command: str = ""
    url: str = ""
    """The alert in the console; empty where none is installed."""


@dataclass(frozen=True, slots=True)
class AlertMessage:
    """One message to one receiver: about one alert, or all that are told together.

    `key` names the incident at this receiver: the same while any alert of its group is open, in every state and on
    every resend. `sequence` tells apart what is said under one key; a resend after a crash has the same. `open` are
    the alerts of this key that still fire after this message: at 0 the incident is over. `alerts` are at most
    MAX_ALERTS, `more` those that are left out.
    """

    key: str
    sequence: int
    kind: MessageKind
    cluster: str
    title: str
    alerts: tuple[AlertFact, ...]
    sent_ms: int
    open: int = 0
    more: int = 0
    severity: Severity = "Warning"
    """The highest of its alerts."""
    url: str = ""
    """Where the console lists them; empty where none is installed."""

    @property
    def id(self) -> str:
        """What is the same on a resend and on nothing else: for CloudEvents' `id`, `Message-ID` and the like."""
        return f"{self.key}-{self.sequence}"

    @property
    def over(self) -> bool:
        """Whether nothing of the incident fires any more."""
        return self.open == 0 and self.kind in ("Resolved", "Closed")


_WIRE: TypeAdapter[AlertMessage] = TypeAdapter(AlertMessage)


def message_to_json(message: AlertMessage) -> dict[str, Any]:
    """Return the JSON object; the inverse of `message_from_json`."""
    found: dict[str, Any] = _WIRE.dump_python(message, mode="json")
    return found


def message_from_json(data: Mapping[str, Any]) -> AlertMessage:
    """Build a message from decoded JSON; ValueError when it is none."""
    return _WIRE.validate_python(data)
