"""One message that is to be sent, and what each of its alerts' deliveries becomes by it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from modelward.alerts.delivery import AlertDelivery
from modelward.alerts.episode import graver
from modelward.alerts.message import MessageKind
from modelward.alerts.receiver import Answered, Told
from modelward.alerts.standing import StandingAlert
from modelward.alerts.timing import CRITICAL_TRIES_MS, OTHER_TRIES_MS

Tell = Literal["Firing", "Raised", "Repeated", "Flapping", "Resolved", "Closed"]
_RANK: tuple[Tell, ...] = ("Firing", "Raised", "Flapping", "Repeated", "Closed", "Resolved")
"""What a message is called that says several things."""
_ENDS = frozenset({"Resolved", "Closed"})


@dataclass(frozen=True, slots=True)
class DueItem:
    """One alert of a message, and what of it is news."""

    alert: StandingAlert
    tell: Tell


@dataclass(frozen=True, slots=True)
class DueMessage:
    """One message to one receiver of a policy; `again` where it may have arrived before.

    `key` and `sequence` are the message's own; `open` are alerts of this key that fire after it. `ref` is what the
    receiver answered to an earlier one of the key.
    """

    policy: str
    receiver: str
    key: str
    sequence: int
    items: tuple[DueItem, ...]
    open: int
    storm: bool = False
    again: bool = False
    ref: str = ""

    @property
    def kind(self) -> MessageKind:
        """What the message is called."""
        return min((item.tell for item in self.items), key=_RANK.index)

    def begun(self, item: DueItem) -> AlertDelivery:
        """Return what is written of an alert before the message is sent: from then on it may have arrived."""
        known = item.alert.delivery(self.receiver)
        return replace(known, key=self.key, sending=item.tell, sending_ms=self.sequence)

    def answered(self, item: DueItem, answer: Answered, now_ms: int) -> AlertDelivery:
        """Return what is written of an alert after the receiver's answer; what failed is sent again.

        After 24 hours of a Critical alert, and 4 of others, it is not, and what was to be said counts as said.
        """
        begun, severity = self.begun(item), item.alert.episode.severity
        if isinstance(answer, Told):
            known = begun.severity if begun.open and graver(begun.severity, severity) else severity
            ref = answer.ref or self.ref or begun.ref
            told = item.tell if item.tell in _ENDS else "Firing"
            return AlertDelivery(self.receiver, self.key, told, known, now_ms, ref=ref)
        tries = CRITICAL_TRIES_MS if severity == "Critical" else OTHER_TRIES_MS
        if now_ms - max(self.sequence, item.alert.episode.since_ms) < tries:
            return replace(begun, problem=answer.cause)
        said = item.tell if item.tell in _ENDS else begun.told
        return replace(begun, problem=answer.cause, told=said, sending="", sending_ms=0, at_ms=now_ms)
