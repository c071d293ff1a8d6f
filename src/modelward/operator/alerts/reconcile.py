"""Tells receivers of the alerts of a namespace: takes in answers, works out what is due, notes it, sends it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from modelward.alerts.due import due
from modelward.alerts.due_message import DueItem, DueMessage
from modelward.alerts.facts import AlertedEndpoint, Sender, fact_of, message_of
from modelward.alerts.ledger import key_of
from modelward.alerts.message import MAX_ALERTS, AlertMessage
from modelward.alerts.receiver import Answered, Told, Undelivered
from modelward.alerts.routing import SHARED
from modelward.api.alert_receivers import PlatformReceiver
from modelward.operator.alerts.delivery_writer import DeliveryChanges, DeliveryWriter, over
from modelward.operator.alerts.heartbeat import BEAT_S, Heartbeats
from modelward.operator.alerts.pace import Pace
from modelward.operator.alerts.platform_sender import DeliveryPort, PlatformSender
from modelward.operator.alerts.silence_status import SilenceStatusWriter
from modelward.operator.alerts.team_jobs import TeamJobs, TeamMessage
from modelward.operator.alerts.told_ledger import ToldLedger
from modelward.operator.alerts.turn import AlertTurn, differing, turn_of
from modelward.operator.runtime.context import Context
from modelward.operator.runtime.installed import Installed
from modelward.operator.runtime.work_queue import Lane, WorkKey
from modelward.status.delivery import UNKNOWN_RECEIVER

log = logging.getLogger(__name__)

_TRIES = 3
"""How often an answer is written while others write the same endpoint."""
_LOOK_S = 5.0
"""How often a Job is looked at that tells receivers; its end wakes the key as well."""


@dataclass(slots=True)
class AlertReconciler:
    """Keeps nothing that is not in status but what makes it polite: pauses, and what is on its way."""

    context: Context
    installed: Installed
    port: DeliveryPort
    clock_ms: Callable[[], int]
    _jobs: TeamJobs = field(init=False)
    _platform: PlatformSender = field(init=False)
    _writer: DeliveryWriter = field(init=False)
    _beats: Heartbeats = field(init=False)
    _pace: Pace = field(init=False)
    _silences: SilenceStatusWriter = field(init=False)
    _told: ToldLedger = field(init=False)

    def __post_init__(self) -> None:
        self._jobs = TeamJobs(self.context, self.installed, self.context.settings.alerts.allowed_hosts)
        self._platform = PlatformSender(self.port, self._wake)
        self._writer = DeliveryWriter(self.context)
        self._beats = Heartbeats(self._platform, self.context.monotonic)
        self._pace = Pace(self.context.monotonic)
        self._silences = SilenceStatusWriter(self.context)
        self._told = ToldLedger(self.context)

    async def recall(self) -> None:
        """Ask for the namespaces of which an earlier leader left something to be told."""
        await self._told.wake()

    async def reconcile(self, namespace: str) -> float | None:
        """Tell what is due in a namespace; return the seconds until something may be, None where nothing can be."""
        await self._told.load(namespace)
        turn = self._turn(namespace)
        silenced_s = await self._silences.write(namespace, turn.standing, turn.now_ms)
        if await self._take_in(turn):
            turn = self._turn(namespace)
        found = due(turn.standing, turn.now_ms)
        waits = [silenced_s, None if found.next_ms is None else max(0.0, (found.next_ms - turn.now_ms) / 1_000)]
        waits += await self._send(turn, found.messages)
        waits.append(self._beat(turn))
        left = [seconds for seconds in waits if seconds is not None]
        return max(0.05, min(left)) if left else None

    def _turn(self, namespace: str) -> AlertTurn:
        turn = turn_of(self.context, namespace, self._told.now(namespace), self.clock_ms())
        self._told.known(namespace, turn.remembered(DeliveryChanges()))
        return turn

    async def _release(self, turn: AlertTurn) -> None:
        for endpoint in turn.endpoints.values():
            if any(over(row) for row in endpoint.status.alerts):
                await self._writer.release(turn.namespace, endpoint, turn.receivers)

    async def _take_in(self, turn: AlertTurn) -> bool:
        """Write what receivers have answered; return whether there was any of it."""
        begun = [one for one in due(turn.standing, turn.now_ms).messages if one.again]
        team = [one for one in begun if not one.receiver.startswith(SHARED)]
        answers = [*self._platform.answers(turn.namespace), *self._jobs.answers(turn.namespace, team)]
        if not answers:
            return False
        await self._write_answers(turn, answers)
        self._platform.noted(turn.namespace, [message for message, _ in answers])
        self._jobs.noted(turn.namespace)
        for message, answer in answers:
            self._note(turn, message, answer)
        return True

    async def _write_answers(self, turn: AlertTurn, answers: Sequence[tuple[DueMessage, Answered]]) -> None:
        """Write them to the endpoints that have not changed; to others once more, as they stand by now."""
        for _ in range(_TRIES):
            changes = DeliveryChanges()
            for message, answer in answers:
                self._answered(turn, message, answer, changes)
            failed = await self._write(turn, changes)
            answers = [one for one in answers if any(item.alert.endpoint in failed for item in one[0].items)]
            if not answers:
                return
            turn = self._turn(turn.namespace)

    def _answered(self, turn: AlertTurn, message: DueMessage, answer: Answered, changes: DeliveryChanges) -> None:
        now = {key_of(one): one for one in turn.standing.alerts}
        for item in message.items:
            current = now.get(key_of(item.alert))
            if current is not None and current.episode.began_ms == item.alert.episode.began_ms:
                changes.note(current, message.answered(item, answer, turn.now_ms))

    def _note(self, turn: AlertTurn, message: DueMessage, answer: Answered) -> None:
        what = self._paced(turn, message)
        if isinstance(answer, Told):
            self._pace.told(what)
        else:
            self._pace.failed(what, answer.retry_after_s, permanent=answer.permanent)
        cause = "" if isinstance(answer, Told) else answer.cause
        log.info(
            "alert=%s namespace=%s policy=%s receiver=%s kind=%s alerts=%d cause=%r",
            *("told" if not cause else "undelivered", turn.namespace, message.policy, message.receiver),
            *(message.kind, len(message.items), cause),
        )
        self.context.enqueue(WorkKey("policy", turn.namespace, message.policy), Lane.STATUS)

    def _paced(self, turn: AlertTurn, message: DueMessage) -> tuple[object, ...]:
        """Return what failures are counted by: another generation of the policy is tried at once."""
        policy = turn.policies.get(message.policy)
        generation = policy.metadata.generation if policy else 0
        return (turn.namespace, message.policy, generation, message.receiver, message.key)

    async def _write(self, turn: AlertTurn, changes: DeliveryChanges) -> set[str]:
        """Write what receivers know now; return the endpoints of which that failed."""
        departed = turn.departed
        failed = await self._writer.write(turn.namespace, changes.without(departed), turn.receivers)
        ledger, gone = turn.remembered(changes), departed & changes.by_alert.keys()
        if not gone and self._told.wait_s(turn.namespace, ledger):
            self._told.known(turn.namespace, ledger)
        elif not await self._told.write(turn.namespace, ledger):
            failed |= {endpoint for endpoint, _, _ in gone}
        return failed

    async def _send(self, turn: AlertTurn, messages: Sequence[DueMessage]) -> list[float | None]:
        """Note and send what may go now; return when what may not is to be tried."""
        waits: list[float | None] = []
        ready: list[DueMessage] = []
        busy = self._jobs.busy(turn.namespace)
        for message in messages:
            wait = self._pace.wait_s(self._paced(turn, message))
            team = not message.receiver.startswith(SHARED)
            if wait:
                waits.append(wait)
            elif team and busy:
                waits.append(_LOOK_S)
            elif team or not self._platform.busy(turn.namespace, message):
                ready.append(message)
        changes = DeliveryChanges()
        for message in ready:
            for item in message.items:
                changes.note(item.alert, message.begun(item))
        ledger = turn.remembered(changes)
        if wait := self._told.wait_s(turn.namespace, ledger):
            return [*waits, wait]
        if not await self._told.write(turn.namespace, ledger, last=not turn.present.endpoints):
            return [*waits, _LOOK_S]
        failed = await self._writer.write(turn.namespace, differing(turn, changes), turn.receivers)
        await self._release(turn)
        able = [one for one in ready if not any(item.alert.endpoint in failed for item in one.items)]
        await self._start(turn, able)
        return waits if len(able) == len(ready) else [*waits, _LOOK_S]

    async def _start(self, turn: AlertTurn, messages: Sequence[DueMessage]) -> None:
        team: list[TeamMessage] = []
        offered = self.context.settings.alerts.by_name
        for message in messages:
            if message.receiver.startswith(SHARED):
                receiver = offered.get(message.receiver.removeprefix(SHARED))
                await self._to_platform(turn, message, receiver)
            elif (own := turn.own_receiver(message)) is not None:
                team.append(TeamMessage(message, self._message(turn, message), own))
        if team:
            taken, refused = await self._jobs.send(turn.namespace, team)
            if refused:
                await self._refused(turn, [one.due for one in taken], Undelivered(refused[:120]))

    async def _to_platform(self, turn: AlertTurn, message: DueMessage, receiver: PlatformReceiver | None) -> None:
        if receiver is None:
            await self._refused(turn, [message], Undelivered(UNKNOWN_RECEIVER, permanent=True))
            return
        size = MAX_ALERTS if receiver.alertmanager else len(message.items)
        parts = tuple(self._message(turn, one) for one in parts_of(message, size))
        self._platform.send(turn.namespace, message, parts, receiver)

    async def _refused(self, turn: AlertTurn, messages: Sequence[DueMessage], answer: Undelivered) -> None:
        changes = DeliveryChanges()
        for message in messages:
            self._note(turn, message, answer)
            self._answered(turn, message, answer, changes)
        await self._write(turn, changes)

    def _message(self, turn: AlertTurn, message: DueMessage) -> AlertMessage:
        sender = Sender(self.context.settings.cluster_name, self.context.settings.console_url)
        facts = tuple(fact_of(item, self._known(turn, item), sender) for item in message.items)
        return message_of(message, facts, sender, turn.now_ms)

    def _known(self, turn: AlertTurn, item: DueItem) -> AlertedEndpoint:
        endpoint, policy = turn.endpoints.get(item.alert.endpoint), turn.policies.get(item.alert.policy)
        return AlertedEndpoint(endpoint.status if endpoint else None, policy.spec if policy else None)

    def _beat(self, turn: AlertTurn) -> float | None:
        """Tell Alertmanagers again what fires, which they would else resolve by themselves."""
        offered = self.context.settings.alerts.receivers
        names = {f"{SHARED}{one.name}": one for one in offered if one.alertmanager}
        beats = self._beats.due(turn.namespace, turn.standing, names, turn.now_ms)
        for message, receiver in beats:
            parts = tuple(self._message(turn, one) for one in parts_of(message, MAX_ALERTS))
            self._beats.send(turn.namespace, message, parts, receiver)
        told = (one for alert in turn.standing.alerts for one in alert.deliveries if one.open)
        return BEAT_S if any(one.receiver in names for one in told) else None

    def _wake(self, namespace: str) -> None:
        self.context.enqueue(WorkKey("alerts", namespace, ""), Lane.STATUS)


def parts_of(message: DueMessage, size: int) -> list[DueMessage]:
    """Return a message in parts of at most so many alerts."""
    items = message.items
    return [replace(message, items=items[at : at + size]) for at in range(0, len(items), max(1, size))]
