"""Every kind of receiver; a new one is a file beside this one, and its line here."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from modelward.alerts.receiver import Receiver, SecretText
from modelward.alerts.receivers.alertmanager import ALERTMANAGER
from modelward.alerts.receivers.github import GITHUB
from modelward.alerts.receivers.json_call import secret_text
from modelward.alerts.receivers.kind import ReceiverKind
from modelward.alerts.receivers.mail import EMAIL
from modelward.alerts.receivers.pagerduty import PAGER_DUTY
from modelward.alerts.receivers.slack import SLACK
from modelward.alerts.receivers.teams import TEAMS
from modelward.alerts.receivers.webhook import WEBHOOK
from modelward.api.alert_receivers import AlertReceiver, FromSecret

KINDS: tuple[ReceiverKind, ...] = (SLACK, TEAMS, PAGER_DUTY, EMAIL, WEBHOOK, GITHUB, ALERTMANAGER)


def kind_of(receiver: AlertReceiver, kinds: tuple[ReceiverKind, ...] = KINDS) -> ReceiverKind:
    """Return the kind whose block is set; ValueError for a reference to a shared one, which is to be resolved first."""
    for kind in kinds:
        if getattr(receiver, kind.block, None) is not None:
            return kind
    raise ValueError(f"receiver {receiver.name} has none of the blocks {', '.join(kind.block for kind in kinds)}")


def receiver_of(receiver: AlertReceiver) -> Receiver:
    """Return what makes its requests; ValueError as `kind_of`."""
    return kind_of(receiver).receiver


def secrets(receiver: AlertReceiver) -> tuple[SecretText, ...]:
    """Return the keys of Secrets that a receiver needs: what a Job or the operator mounts for it."""
    return tuple(sorted({secret_text(one) for one in _sources(receiver)}, key=lambda one: (one.secret, one.key)))


def _sources(model: BaseModel) -> Iterator[FromSecret]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, FromSecret):
            yield value
        elif isinstance(value, BaseModel):
            yield from _sources(value)
