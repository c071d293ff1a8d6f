"""What status says of each alert: its state, and who knows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from modelward.api.alerts import MAX_RECEIVERS
from modelward.api.base import Fitted, list_map
from modelward.api.quantity import Name

AlertState = Literal["Pending", "Firing", "Held", "Resolved", "Closed"]
MAX_ALERTS = 50
"""Alerts that the status of an endpoint lists at most."""


class DeliveryStatus(Fitted):
    """What a receiver has been told of an alert."""

    receiver: Annotated[str, Field(max_length=80)]
    """The receiver's name; a shared one after `shared/`."""
    key: Annotated[str, Field(max_length=64)] = ""
    """Names the incident at the receiver; the same on each resend."""
    told: Annotated[str, Field(max_length=16)] = ""
    """What it was last told: Firing, Resolved or Closed; empty while nothing arrived."""
    severity: Annotated[str, Field(max_length=16)] = ""
    """The severity that it was told."""
    at: Annotated[str, Field(max_length=32)] = ""
    """When it was last told."""
    sending: Annotated[str, Field(max_length=16)] = ""
    """What is being sent and not yet known to have arrived."""
    sending_since: Annotated[str, Field(max_length=32)] = ""
    """Since when."""
    ref: Annotated[str, Field(max_length=128)] = ""
    """By which the receiver finds it again: a thread, an issue."""
    problem: Annotated[str, Field(max_length=128)] = ""
    """Why it could not be told, such as HTTP 403."""


class AlertStatus(Fitted):
    """One alert of an endpoint: its state, and who knows."""

    policy: Name
    """The policy that it belongs to."""
    name: Annotated[str, Field(max_length=96)]
    """NotReady, Unwatched, Objective/NAME, Check/NAME and so on."""
    state: Annotated[str, Field(max_length=16)] = ""
    """Pending, Firing, Held (firing, without data), Resolved, or Closed (ended without evidence of recovery)."""
    since: Annotated[str, Field(max_length=32)] = ""
    """When the state began."""
    episode: Annotated[str, Field(max_length=32)] = ""
    """When the episode began: the first failure, kept while it comes back within the cooldown."""
    severity: Annotated[str, Field(max_length=16)] = ""
    """Info, Warning or Critical."""
    message: Annotated[str, Field(max_length=256)] = ""
    """What is wrong, with its numbers."""
    held: Annotated[str, Field(max_length=64)] = ""
    """Why nothing is known at present, as one word; of Held and Closed alerts."""
    by: Annotated[str, Field(max_length=128)] = ""
    """What keeps it from being told: another alert, or an AlertSilence."""
    verdict: Annotated[str, Field(max_length=16)] = ""
    """What was last known of it: Failed, Passed, NearThreshold or Unknown."""
    verdict_since: Annotated[str, Field(max_length=32)] = ""
    """Since when."""
    failed_for: Annotated[str, Field(max_length=24)] = ""
    """Of a Pending alert whose check does not fail at present: how long it did."""
    reopened: Annotated[tuple[Annotated[str, Field(max_length=32)], ...], Field(max_length=5)] = ()
    """When it came back, within the last hour."""
    deliveries: Annotated[
        tuple[DeliveryStatus, ...], Field(max_length=MAX_RECEIVERS + 2, json_schema_extra=list_map("receiver"))
    ] = ()
    """What each receiver was told."""
