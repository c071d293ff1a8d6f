"""Sends messages to the platform's receivers beside the work: a receiver that hangs holds up no worker."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from modelward.alerts.due_message import DueMessage
from modelward.alerts.message import AlertMessage
from modelward.alerts.receiver import Addressee, Answered, Told, Undelivered
from modelward.api.alert_receivers import PlatformReceiver

log = logging.getLogger(__name__)

DEADLINE_S = 60.0

Sent = tuple[str, str, str, str, int]
"""Namespace, policy, receiver, key and number of a message."""


class DeliveryPort(Protocol):
    """What sends one message, and reports what became of it."""

    async def deliver(self, message: AlertMessage, to: Addressee) -> Answered:
        """Send it; raises nothing."""


@dataclass(slots=True)
class PlatformSender:
    """Messages on their way, and the answers that have come and are not yet written to status."""

    port: DeliveryPort
    woken: Callable[[str], None]
    """Called with a namespace when an answer has come."""
    _running: dict[Sent, asyncio.Task[Any]] = field(default_factory=dict)
    _answers: dict[Sent, tuple[DueMessage, Answered]] = field(default_factory=dict)

    def busy(self, namespace: str, due: DueMessage) -> bool:
        """Return whether a message of this incident is on its way."""
        incident = (namespace, due.policy, due.receiver, due.key)
        return any(sent[:4] == incident for sent in (*self._running, *self._answers))

    def send(
        self, namespace: str, due: DueMessage, messages: tuple[AlertMessage, ...], receiver: PlatformReceiver
    ) -> None:
        """Begin to send; where a message has several parts, one after the other."""
        sent = (namespace, due.policy, due.receiver, due.key, due.sequence)
        task = asyncio.get_running_loop().create_task(self._send(sent, due, messages, receiver), name="alert")
        self._running[sent] = task

    def beat(
        self, namespace: str, due: DueMessage, messages: tuple[AlertMessage, ...], receiver: PlatformReceiver
    ) -> None:
        """Send what is no news: its answer is written nowhere, and one that still goes is not sent twice."""
        sent = (namespace, due.policy, due.receiver, due.key, 0)
        if sent not in self._running:
            send = self._sent(due, messages, receiver)
            task = asyncio.get_running_loop().create_task(send, name="alert heartbeat")
            self._running[sent] = task
            task.add_done_callback(lambda _: self._running.pop(sent, None))

    def answers(self, namespace: str) -> list[tuple[DueMessage, Answered]]:
        """Return the answers of a namespace that have come and are not noted yet."""
        return [answer for sent, answer in self._answers.items() if sent[0] == namespace]

    def noted(self, namespace: str, messages: Iterable[DueMessage]) -> None:
        """Forget answers that status has by now: until then nothing more of their incidents is sent."""
        for due in messages:
            self._answers.pop((namespace, due.policy, due.receiver, due.key, due.sequence), None)

    async def _send(
        self, sent: Sent, due: DueMessage, messages: tuple[AlertMessage, ...], receiver: PlatformReceiver
    ) -> None:
        self._answers[sent] = (due, await self._sent(due, messages, receiver))
        self._running.pop(sent, None)
        self.woken(sent[0])

    async def _sent(self, due: DueMessage, messages: tuple[AlertMessage, ...], receiver: PlatformReceiver) -> Answered:
        """Send part by part; return what became of it, by the first part that failed. Raises nothing."""
        answer: Answered = Told()
        try:
            async with asyncio.timeout(DEADLINE_S):
                for message in messages:
                    answer = await self.port.deliver(message, Addressee(receiver, due.ref))
                    if isinstance(answer, Undelivered):
                        break
        except TimeoutError:
            return Undelivered("Timeout")
        except Exception as error:  # noqa: BLE001 - a receiver is foreign, and what it says may hold a secret
            log.warning("alert=failed receiver=%s error=%s", due.receiver, type(error).__name__)
            return Undelivered(type(error).__name__)
        return answer
