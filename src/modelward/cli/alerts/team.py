"""A test of a team's own receiver: a Job like the operator's, created with the rights of the person who tests."""

from __future__ import annotations

import asyncio
import secrets as random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from modelward.alerts.message import message_to_json
from modelward.alerts.receiver import Answered, Told, Undelivered
from modelward.alerts.receivers.registry import secrets
from modelward.api.alert_receivers import AlertReceiver
from modelward.api.form import in_words
from modelward.api.notify_plan import NotifyOrder, NotifyPlan, outcomes_from_text
from modelward.cli.alerts.specimen import trial
from modelward.cli.cluster.installation import setup
from modelward.cli.cluster.reading import ClusterReader
from modelward.clock import now_ms
from modelward.desired.account import notify_account
from modelward.desired.notify_job import notify_job
from modelward.desired.pod_additions import SecretKey
from modelward.kube.client import Client
from modelward.kube.errors import Conflict, NotFound
from modelward.kube.kinds import JOB, MONITORING_POLICY, POD, Object

PREFIX = "modelward-alert-test-"
POLL_S, POLLS = 1.0, 200
"""A little more than the Job's own deadline."""


class TeamError(Exception):
    """Nothing was sent; the message says why."""


async def team_test(policy: str, name: str, system_namespace: str, kubeconfig: str | None) -> Answered | str:
    """Return what became of the message, or the name of the platform's receiver that the policy refers to."""
    namespace, slash, policy_name = policy.partition("/")
    if not (namespace and slash and policy_name):
        raise TeamError(f"write --policy NAMESPACE/NAME, for example retail/baseline, not {policy}")
    async with Client.connect(kubeconfig) as client:
        return await TeamTest(client, system_namespace).run(namespace, policy_name, name)


@dataclass(frozen=True, slots=True)
class TeamTest:
    """Creates the Job, waits for word of its pod, and leaves nothing behind."""

    client: Client
    system_namespace: str
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def run(self, namespace: str, policy: str, name: str) -> Answered | str:
        """Return what became of it, or the name of the platform's receiver. Raises TeamError and ApiError."""
        found = await self.client.find(MONITORING_POLICY, namespace, policy)
        if found is None:
            raise TeamError(f"there is no MonitoringPolicy {namespace}/{policy}")
        receiver = receiver_of_policy(found, name)
        if receiver.shared:
            return str(receiver.shared)
        chart = await setup(ClusterReader(self.client), self.system_namespace)
        if chart.settings is None:
            raise TeamError(f"the installation is not known: {chart.problem}")
        order = NotifyOrder("1", message_to_json(trial(name, namespace, now_ms())), receiver.wire())
        plan = NotifyPlan(namespace, (order,), chart.settings.alerts.allowed_hosts)
        needed = tuple(SecretKey(at.secret, at.key) for at in secrets(receiver))
        return await self._word(notify_job(f"{PREFIX}{random.token_hex(4)}", plan, needed, chart.installation))

    async def _word(self, job: Object) -> Answered:
        namespace, name = job["metadata"]["namespace"], job["metadata"]["name"]
        with suppress(Conflict):  # the operator makes the account with the first message
            await self.client.create(notify_account(namespace))
        await self.client.create(job)
        try:
            for _ in range(POLLS):
                pods = (await self.client.list(POD, namespace, label_selector=f"job-name={name}")).items
                if pods and (word := outcome_of(pods[0])) is not None:
                    return word
                await self.pause(POLL_S)
            return Undelivered("the Job's pod has left no word in time: kubectl describe quota,pods shows why")
        finally:
            with suppress(NotFound):
                await self.client.delete(JOB, namespace, name)


def receiver_of_policy(policy: Object, name: str) -> AlertReceiver:
    """Return the receiver of this name. Raises TeamError, which says which the policy has."""
    listed = ((policy.get("spec") or {}).get("alerts") or {}).get("receivers") or []
    found = next((one for one in listed if one.get("name") == name), None)
    if found is None:
        known = ", ".join(str(one.get("name")) for one in listed) or "none"
        raise TeamError(f"the policy has no receiver {name}; it has {known}")
    try:
        return AlertReceiver.model_validate(found)
    except ValidationError as error:
        raise TeamError("; ".join(in_words(error))) from error


def outcome_of(pod: Mapping[str, Any]) -> Answered | None:
    """Return what a pod's containers say; None while they are at it."""
    for one in (pod.get("status") or {}).get("containerStatuses") or ():
        state = one.get("state") or {}
        if ended := state.get("terminated"):
            return _read(str(ended.get("message", "")), str(ended.get("reason", "")))
        waiting = (state.get("waiting") or {}).get("reason", "")
        if waiting in ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "CreateContainerConfigError"):
            return Undelivered(f"the Job's pod cannot start: {waiting}", permanent=True)
    return None


def _read(text: str, reason: str) -> Answered:
    try:
        (found,) = outcomes_from_text(text)
    except ValueError:
        return Undelivered(f"the Job ended without word ({reason or 'no reason'})")
    if found.told:
        return Told(found.ref)
    return Undelivered(found.problem, found.retry_after_s or None, found.permanent)
