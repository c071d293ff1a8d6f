"""Kubernetes Events, which need nothing to be set up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from modelward.kube.kinds import Object
from modelward.operator.notify.notifier import Notification


class EventPort(Protocol):
    """What posts Events: `kube.client.Client`, which counts repeats up and logs refusals."""

    async def event(
        self,
        regarding: Object,
        *,
        type: Literal["Normal", "Warning"],  # noqa: A002 - the API's name
        reason: str,
        note: str,
    ) -> None:
        """Post an Event about an object."""


@dataclass(frozen=True, slots=True)
class KubeEvents:
    """Posts each notification as an Event of its object."""

    port: EventPort

    async def notify(self, notification: Notification) -> None:
        """Post it; raises LeadershipLost where this process may not write any more."""
        told = notification
        await self.port.event(told.regarding, type=told.type, reason=told.reason, note=told.note)
