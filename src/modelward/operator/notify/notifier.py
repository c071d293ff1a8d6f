"""Telling people what changed: what a receiver is given, and what it must keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from modelward.kube.kinds import Object


@dataclass(frozen=True, slots=True)
class Notification:
    """One notice about an object: a condition that flipped, or a write that was refused.

    `reason` is one CamelCase word, `note` at most 1,000 characters without prompts, answers or secrets.
    """

    regarding: Object
    type: Literal["Normal", "Warning"]
    reason: str
    note: str


class Notifier(Protocol):
    """A receiver. It builds its message from the notification alone, and does its I/O through a port that it is given.

    It may receive the same twice, after a restart or from two operators. What it raises fails no reconcile but in
    KubeEvents, where LeadershipLost ends it as any write would.
    """

    async def notify(self, notification: Notification) -> None:
        """Send it on; cut off where that takes longer than the announcer allows."""
