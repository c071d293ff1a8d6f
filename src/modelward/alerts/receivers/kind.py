"""One kind of receiver, as the table lists it."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.alerts.receiver import Receiver


@dataclass(frozen=True, slots=True)
class ReceiverKind:
    """`block` is the field of `api.alert_receivers.PlatformReceiver` that chooses it."""

    block: str
    receiver: Receiver
