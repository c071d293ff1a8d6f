"""What one receiver knows of one alert, and what it has still to be told."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.base import Severity


@dataclass(frozen=True, slots=True)
class AlertDelivery:
    """What a receiver was told; times are Unix milliseconds, 0 where there is none.

    `sending_ms` is when the message was begun that may or may not have arrived: it names that message, so that it is
    sent again as the same. `told` is Firing, Resolved, Closed or empty.
    """

    receiver: str
    key: str = ""
    told: str = ""
    severity: Severity = "Info"
    at_ms: int = 0
    sending: str = ""
    sending_ms: int = 0
    ref: str = ""
    problem: str = ""

    @property
    def open(self) -> bool:
        """Whether the receiver has been told that it fires, and not yet that it is over."""
        return self.told == "Firing"

    @property
    def settled(self) -> bool:
        """Whether the receiver needs no word of its end: it never heard of it, or knows."""
        return not self.sending and not self.open

    @property
    def given_up(self) -> bool:
        """Whether the last message could not be delivered and is tried no more."""
        return bool(self.problem) and not self.sending


def settled(deliveries: tuple[AlertDelivery, ...], receivers: frozenset[str] | None = None) -> bool:
    """Return whether nothing more is due to these receivers, where None are all: others are there no more."""
    return all(one.settled for one in deliveries if receivers is None or one.receiver in receivers)
