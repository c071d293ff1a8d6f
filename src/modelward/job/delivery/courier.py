"""Takes one message to one receiver: asks its kind for requests until there are none, and reads the replies."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path

from modelward.alerts.message import AlertMessage
from modelward.alerts.receiver import Addressee, Answered, HttpCall, Outgoing, ReceiverReply, Told, Undelivered
from modelward.alerts.receivers.kind import ReceiverKind
from modelward.alerts.receivers.registry import KINDS, kind_of
from modelward.desired.pod_additions import SECRETS_DIRECTORY
from modelward.job.delivery.http import HttpSender
from modelward.job.delivery.reach import Reach
from modelward.job.delivery.secret_files import SecretFiles
from modelward.job.delivery.smtp import MailSender
from modelward.job.delivery.way_out import WayOut

log = logging.getLogger(__name__)

MAX_STEPS = 10
"""Rounds of requests for one message: pages of issues, the issue, its comment."""


@dataclass(frozen=True, slots=True)
class Courier:
    """The port of receivers. What it returns holds a status, a word of ours and an id, and nothing else of a reply."""

    http: HttpSender
    mail: MailSender
    kinds: tuple[ReceiverKind, ...] = KINDS

    async def deliver(self, message: AlertMessage, to: Addressee) -> Answered:
        """Send, and return what became of it; never raises but where it is cancelled."""
        try:
            answered = await self._delivered(message, to)
        except Exception as error:  # noqa: BLE001 - one message that cannot be made must not stop the others
            log.warning("alert=undelivered receiver=%s error=%s", to.receiver.name, type(error).__name__)
            return Undelivered(f"this message cannot be sent ({type(error).__name__})", permanent=True)
        told = isinstance(answered, Told)
        cause = "" if isinstance(answered, Told) else answered.cause
        log.info(
            "alert=%s receiver=%s kind=%s id=%s cause=%r",
            *("told" if told else "undelivered", to.receiver.name, message.kind, message.id, cause),
        )
        return answered

    async def _delivered(self, message: AlertMessage, to: Addressee) -> Answered:
        receiver = kind_of(to.receiver, self.kinds).receiver
        replies: tuple[ReceiverReply, ...] = ()
        for _ in range(MAX_STEPS):
            calls = receiver.requests(message, to, replies)
            if not calls:
                break
            replies += tuple(await asyncio.gather(*map(self._sent, calls)))
        return receiver.read(message, to, replies)

    async def _sent(self, call: Outgoing) -> ReceiverReply:
        return await (self.http.send(call) if isinstance(call, HttpCall) else self.mail.send(call))


def courier(hosts: tuple[str, ...], secrets: Path = Path(SECRETS_DIRECTORY), way: WayOut | None = None) -> Courier:
    """Return what sends to these hosts, with the Secrets of this folder, by the way out that the environment has."""
    reach, files, out = Reach(hosts), SecretFiles(secrets), way or WayOut()
    return Courier(HttpSender(reach, files, way=out), MailSender(reach, files, way=out))
