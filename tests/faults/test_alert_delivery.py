"""Alerts on a real API server: two writers of one status, the Job of a team, and what is left when it is over."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from calls import writing
from driver import Clock, Driver, driving
from proxy import Proxy
from user import API, User, reference
from waiting import PROCESS_PATIENCE_S

from faults import drop
from modelward.kube.client import Client
from modelward.kube.kinds import ALERT_SILENCE, JOB, LLM_ENDPOINT, MONITORING_POLICY, POD, Object
from modelward.operator.runs.history import job_ended
from modelward.operator.runtime.work_queue import WorkKey

MINUTE_MS = 60_000
SECRET = {"secretRef": {"name": "modelward-alerts", "key": "slack"}}
TEAM: dict[str, Any] = {"receivers": [{"name": "team", "slack": {"webhookUrlFrom": SECRET}}]}


async def row(user: User) -> dict[str, Any]:
    found = (await user.get(LLM_ENDPOINT, "chat"))["status"].get("alerts", [])
    return dict(next((one for one in found if one["name"] == "NotReady"), {}))


async def delivery(user: User) -> dict[str, Any]:
    return dict(next(iter((await row(user)).get("deliveries", [])), {}))


async def firing(user: User, driver: Driver, clock: Clock) -> None:
    """Let an endpoint that never served be told of."""
    await user.workload()
    await user.policy(alerts=TEAM)
    await user.endpoint("chat", reference())
    await driver.converge()
    assert (await row(user))["state"] == "Pending"
    clock.now_ms += 31 * MINUTE_MS
    await driver.converge()
    clock.now_ms += MINUTE_MS
    await driver.converge()


def orders(job: Object) -> list[dict[str, Any]]:
    """Return what a Job of the team is to send."""
    plan = json.loads(job["spec"]["template"]["metadata"]["annotations"]["modelward.dev/notify-plan"])
    return list(plan["orders"])


async def left_word(client: Client, user: User, text: str) -> None:
    """Let the Job's pod end with its word, as a node would report it."""
    (pod,) = (await client.list(POD, user.namespace, label_selector="modelward.dev/component=notifier")).items
    ended = {"exitCode": 0, "message": text, "finishedAt": "2026-11-24T10:00:00Z", "startedAt": "2026-11-24T10:00:00Z"}
    container = {"name": "notify", "image": "a", "imageID": "a", "ready": False, "restartCount": 0}
    status = {"phase": "Succeeded", "containerStatuses": [{**container, "state": {"terminated": ended}}]}
    name = pod["metadata"]["name"]
    await client.patch(POD, user.namespace, name, {"status": status}, subresource="status")
    async with asyncio.timeout(PROCESS_PATIENCE_S):
        while not job_ended((await jobs(user))[0])[0]:  # noqa: ASYNC110 - the cluster's own controller
            await asyncio.sleep(0.1)


async def jobs(user: User) -> tuple[Object, ...]:
    found = await user.client.list(JOB, user.namespace, label_selector="modelward.dev/component=notifier")
    return found.items


async def test_a_team_is_told_once_over_two_lives_of_the_operator_and_nothing_is_left_behind(
    proxy: Proxy, user: User
) -> None:
    clock = Clock()
    async with driving(proxy, [user.namespace], clock) as driver:
        await firing(user, driver, clock)
        (job,) = await jobs(user)
        assert (await row(user))["state"] == "Firing"
        assert (await delivery(user))["sending"] == "Firing"
    word = [{"id": one["id"], "told": True, "ref": "1700000000.1"} for one in orders(job)]
    await left_word(user.client, user, json.dumps(word))
    async with driving(proxy, [user.namespace], clock) as driver:
        await driver.converge()
        known = await delivery(user)
        assert (known["told"], known["ref"], known.get("sending")) == ("Firing", "1700000000.1", None)
        assert len(await jobs(user)) == 1
        before = len(driver.writes)
        clock.now_ms += 10 * MINUTE_MS
        await driver.converge()
        assert driver.writes[before:] == [], "at rest nothing is written"
        await user.policy()  # asks for alerts no more
        await driver.converge()
        assert await row(user) == {}


async def test_an_endpoint_and_its_policy_that_go_between_two_lives_are_closed_at_their_receiver(
    proxy: Proxy, user: User
) -> None:
    clock = Clock()
    async with driving(proxy, [user.namespace], clock) as driver:
        await firing(user, driver, clock)
    (job,) = await jobs(user)
    await left_word(user.client, user, json.dumps([{"id": one["id"], "told": True} for one in orders(job)]))
    await user.client.delete(LLM_ENDPOINT, user.namespace, "chat")
    await user.client.delete(MONITORING_POLICY, user.namespace, "baseline")
    clock.now_ms += 6 * MINUTE_MS
    async with driving(proxy, [user.namespace], clock) as driver:
        await driver.sync()
        await driver.reconciler.alerts.recall()
        await driver.converge()
        jobs_now = {one["metadata"]["name"]: one for one in await jobs(user)}
        (name,) = jobs_now.keys() - {job["metadata"]["name"]}
        (order,) = orders(jobs_now[name])
        assert (order["message"]["kind"], order["message"]["alerts"][0]["held"]) == ("Closed", "EndpointDeleted")
        assert order["receiver"]["slack"]["webhookUrlFrom"] == SECRET


async def test_the_reconcile_of_the_endpoint_never_takes_back_what_a_receiver_was_told(
    proxy: Proxy, user: User
) -> None:
    clock = Clock()
    async with driving(proxy, [user.namespace], clock) as driver:
        await firing(user, driver, clock)
        noted = await delivery(user)
        behind = WorkKey("endpoint", user.namespace, "chat")
        await user.workload(replicas=2)
        await driver.sync()
        await driver.reconcile(behind)
        assert await delivery(user) == noted


async def test_a_silence_says_what_it_covers_and_a_policy_which_receiver_fails(proxy: Proxy, user: User) -> None:
    clock = Clock()
    async with driving(proxy, [user.namespace], clock) as driver:
        await firing(user, driver, clock)
        word = '[{"id": "%s", "told": false, "problem": "SecretNotFound (key slack)", "permanent": true}]'
        (job,) = await jobs(user)
        await left_word(user.client, user, word % orders(job)[0]["id"])
        await driver.converge()
        told = await user.condition("baseline", "AlertsDelivered", MONITORING_POLICY)
        assert (told["status"], told["reason"]) == ("False", "SecretNotFound")
        assert told["message"] == "team: SecretNotFound (key slack)"
        spec = {"endpoint": "chat", "alerts": ["NotReady"], "until": "2200-01-01T00:00:00Z", "comment": "known"}
        await user.apply({"apiVersion": API, "kind": "AlertSilence", "metadata": {"name": "known"}, "spec": spec})
        await driver.converge()
        status = (await user.get(ALERT_SILENCE, "known"))["status"]
        assert (status["state"], status["covers"]) == ("Active", 1)
        assert (await row(user))["by"] == "AlertSilence known"


@pytest.mark.parametrize("writes", range(6))
async def test_a_life_that_ends_after_any_write_is_carried_on(proxy: Proxy, user: User, writes: int) -> None:

    clock = Clock()
    async with driving(proxy, [user.namespace], clock) as driver:
        await user.workload()
        await user.policy(alerts=TEAM)
        await user.endpoint("chat", reference())
        await driver.converge()
        clock.now_ms += 31 * MINUTE_MS
        await driver.converge()
        clock.now_ms += MINUTE_MS
        await driver.sync()
        proxy.spoil(writing, drop, skip=writes)
        await driver.round()
        proxy.clear()
    async with driving(proxy, [user.namespace], clock) as driver:
        await driver.converge()
        assert len(await jobs(user)) == 1
        assert (await delivery(user))["sending"] == "Firing"
