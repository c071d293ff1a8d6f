"""Messages to teams' own receivers: one Job at a time in a namespace, so that a storm becomes one of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from modelward.alerts.due_message import DueMessage
from modelward.alerts.message import AlertMessage, message_to_json
from modelward.alerts.receiver import Answered, Told, Undelivered
from modelward.alerts.receivers.registry import secrets
from modelward.alerts.standing import digest
from modelward.api.alert_receivers import AlertReceiver
from modelward.api.notify_plan import MAX_ORDERS, NotifyOrder, NotifyOutcome, NotifyPlan, outcomes_from_text
from modelward.desired import names
from modelward.desired.account import notify_account
from modelward.desired.children import Child
from modelward.desired.notify_job import MAX_PLAN_BYTES, PLAN_ANNOTATION, notify_job, plan_text
from modelward.desired.pod_additions import SecretKey
from modelward.kube.errors import Conflict, Forbidden, Invalid, NamespaceEnding, NotFound
from modelward.kube.kinds import JOB, POD, Object
from modelward.operator.endpoint.apply import ChildWriter
from modelward.operator.runs.history import job_ended
from modelward.operator.runtime.context import Context
from modelward.operator.runtime.installed import Installed
from modelward.status.workload import waiting_reason

log = logging.getLogger(__name__)

LABEL = {names.COMPONENT: "notifier"}
_REMEMBERED = 10_000
_LOST = "its Job left no word of it"


@dataclass(frozen=True, slots=True)
class TeamMessage:
    """One message, and the receiver that it goes to."""

    due: DueMessage
    message: AlertMessage
    receiver: AlertReceiver

    @property
    def id(self) -> str:
        """What the Job calls it; the same for the same message in every process."""
        return order_id(self.due)


def order_id(due: DueMessage) -> str:
    """Return by which a message is known in the word that a Job leaves."""
    return digest(due.policy, due.receiver, due.key, str(due.sequence))


@dataclass(slots=True)
class TeamJobs:
    """Makes the Jobs, and reads the word that they leave; what it needs to know is in the cluster."""

    context: Context
    installed: Installed
    allowed_hosts: tuple[str, ...] = ()
    _children: ChildWriter = field(init=False)
    _made: dict[str, str] = field(default_factory=dict)
    """By namespace the Job that was made and that the store may not know yet."""
    _read: dict[str, None] = field(default_factory=dict)
    """Jobs, by uid, whose word was taken in; the oldest are forgotten, and read once more."""
    _heard: dict[str, list[str]] = field(default_factory=dict)
    """By namespace the Jobs, by uid, whose word was given and is not in status yet."""

    def __post_init__(self) -> None:
        self._children = ChildWriter(self.context)

    def busy(self, namespace: str) -> bool:
        """Return whether a Job is under way, or one has ended whose word was not taken in."""
        jobs = self._jobs(namespace)
        made = self._made.get(namespace)
        if made is not None and all(job["metadata"]["name"] != made for job in jobs):
            return True
        self._made.pop(namespace, None)
        return any(not job_ended(job)[0] for job in jobs)

    def answers(self, namespace: str, begun: Sequence[DueMessage]) -> list[tuple[DueMessage, Answered]]:
        """Return what Jobs that have ended say of these messages, each Job until its word is `noted`.

        A Job that was read before a crash is read again, which changes nothing.
        """
        waiting = {order_id(one): one for one in begun}
        found: list[tuple[DueMessage, Answered]] = []
        heard = self._heard[namespace] = []
        for job in self._jobs(namespace):
            ended, how = job_ended(job)
            if not ended or job["metadata"]["uid"] in self._read:
                continue
            heard.append(job["metadata"]["uid"])
            outcomes = self._outcomes(job, how)
            named = [*outcomes, *(one for one in _orders(job) if one not in outcomes)]
            found += [(waiting[one], outcomes.get(one) or Undelivered(how)) for one in named if one in waiting]
        if not found:
            self.noted(namespace)
        return found

    def noted(self, namespace: str) -> None:
        """Take no more word of the Jobs of which `answers` told last."""
        self._read |= dict.fromkeys(self._heard.pop(namespace, ()))
        while len(self._read) > _REMEMBERED:
            self._read.pop(next(iter(self._read)))

    async def send(self, namespace: str, messages: Sequence[TeamMessage]) -> tuple[list[TeamMessage], str]:
        """Make a Job of as many messages as it takes; return those, and why it was refused, empty where it was not."""
        taken = self._fitting(namespace, messages)
        previous = max((str(job["metadata"]["name"]) for job in self._jobs(namespace)), default="")
        name = f"modelward-notify-{digest(previous, *(one.id for one in taken))}"
        keys = {SecretKey(one.secret, one.key) for each in taken for one in secrets(each.receiver)}
        job = notify_job(name, self._plan(namespace, taken), tuple(sorted(keys)), self.installed.now)
        account = Child(notify_account(namespace), names.FRAME_MANAGER)
        try:
            problems = await self._children.write((account,), {"uid": ""})
            if problems:
                return taken, problems[0].finding.message
            self.context.store.put(JOB, await self.context.client.create(job))
        except Conflict:
            pass  # a leader before us made the same one
        except (Forbidden, Invalid, NotFound, NamespaceEnding) as error:  # its namespace may be gone, with its Secret
            return taken, f"no Job can be made: {error.message}"
        self._made[namespace] = name
        log.info("alerts=job namespace=%s name=%s messages=%d", namespace, name, len(taken))
        return taken, ""

    def _jobs(self, namespace: str) -> list[Object]:
        return [*self.context.store.list(JOB, namespace, LABEL)]

    def _plan(self, namespace: str, messages: Sequence[TeamMessage]) -> NotifyPlan:
        orders = (
            NotifyOrder(one.id, message_to_json(one.message), one.receiver.wire(), one.due.ref) for one in messages
        )
        return NotifyPlan(namespace, tuple(orders), self.allowed_hosts)

    def _fitting(self, namespace: str, messages: Sequence[TeamMessage]) -> list[TeamMessage]:
        taken = [*messages[:MAX_ORDERS]]
        while len(taken) > 1 and len(plan_text(self._plan(namespace, taken)).encode()) > MAX_PLAN_BYTES:
            taken.pop()
        return taken

    def _outcomes(self, job: Object, how: str) -> Mapping[str, Answered]:
        """Return the word of a Job on each of its messages."""
        name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
        for pod in self.context.store.list(POD, namespace, {names.NOTIFY: name}):
            for container in pod.get("status", {}).get("containerStatuses", ()):
                text = container.get("state", {}).get("terminated", {}).get("message", "")
                try:
                    return {one.id: _answer(one) for one in outcomes_from_text(text)} if text else {}
                except ValueError:
                    log.warning("alerts=no_word namespace=%s job=%s how=%r", namespace, name, how)
                if stuck := waiting_reason(container):
                    return {one: Undelivered(f"{stuck[0]}: {stuck[1]}"[:120]) for one in _orders(job)}
        return {}


def _answer(outcome: NotifyOutcome) -> Answered:
    if outcome.told:
        return Told(outcome.ref)
    return Undelivered(outcome.problem or _LOST, outcome.retry_after_s or None, outcome.permanent)


def _orders(job: Object) -> list[str]:
    """Return the messages that a Job was made for, by its own plan."""
    annotations = job["spec"]["template"]["metadata"].get("annotations", {})
    try:
        return [str(one["id"]) for one in json.loads(annotations.get(PLAN_ANNOTATION, "{}")).get("orders", ())]
    except (ValueError, TypeError, KeyError):
        return []
