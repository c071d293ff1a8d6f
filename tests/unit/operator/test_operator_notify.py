"""Whoever is told of flips: Events as ever, and any receiver without power over the work of the operator."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from fake_api import FakeApi

from modelward.api.base import Condition
from modelward.api.endpoint_status import LLMEndpointStatus
from modelward.kube.errors import ApiError, LeadershipLost
from modelward.kube.kinds import LLM_ENDPOINT, Object
from modelward.operator.endpoint.status_writer import StatusWriter
from modelward.operator.notify.announcer import Announcer
from modelward.operator.notify.kube_events import KubeEvents
from modelward.operator.notify.notifier import Notification, Notifier

NOW_MS = 1_795_480_000_000
SECRET = "hooks.example/T0/s3cr3t"
CHAT: Object = {
    "apiVersion": "modelward.dev/v1alpha1",
    "kind": "LLMEndpoint",
    "metadata": {"name": "chat", "namespace": "retail", "uid": "u", "generation": 1},
    "spec": {},
}
DEGRADED = Notification(CHAT, "Warning", "NotObjectivesMet", "AboveLimit: errors 5% > 1%, n=400")


class Outside:
    """Everything that a receiver can reach; `fails` is what its next answer raises, `hangs` that none comes."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.fails: Exception | None = None
        self.hangs = False

    async def event(self, regarding: Object, *, type: str, reason: str, note: str) -> None:  # noqa: A002
        await self.post(f"{type} {reason} {regarding['metadata']['namespace']}/{regarding['metadata']['name']}: {note}")

    async def post(self, text: str) -> None:
        if self.fails is not None:
            raise self.fails
        if self.hangs:
            await asyncio.Event().wait()
        self.sent.append(text)


class ToyReceiver:
    """What a webhook or a chat will be: a message from the notification, sent through a port."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def notify(self, notification: Notification) -> None:
        metadata = notification.regarding["metadata"]
        about = f"{metadata['namespace']}/{metadata['name']}"
        await self._outside.post(f"{notification.type} {notification.reason} {about}: {notification.note}")


RECEIVERS: list[Any] = [KubeEvents, ToyReceiver]


@pytest.mark.parametrize("make", RECEIVERS)
async def test_a_receiver_says_what_it_is_about_and_why(make: Any) -> None:
    outside = Outside()
    receiver: Notifier = make(outside)
    await receiver.notify(DEGRADED)
    assert outside.sent == ["Warning NotObjectivesMet retail/chat: AboveLimit: errors 5% > 1%, n=400"]


@pytest.mark.parametrize("make", RECEIVERS)
async def test_a_receiver_may_be_told_the_same_again(make: Any) -> None:
    outside = Outside()
    receiver: Notifier = make(outside)
    for _ in range(2):
        await receiver.notify(DEGRADED)
    assert len(set(outside.sent)) == 1


@pytest.mark.parametrize("make", RECEIVERS)
@pytest.mark.parametrize("hangs", [False, True])
async def test_a_receiver_that_fails_or_hangs_stops_neither_the_others_nor_the_work(
    make: Any, hangs: bool, caplog: pytest.LogCaptureFixture
) -> None:
    ill, events, well = Outside(), Outside(), Outside()
    ill.fails, ill.hangs = None if hangs else RuntimeError(SECRET), hangs
    receivers = {"ill": make(ill), "well": ToyReceiver(well)}
    with caplog.at_level(logging.WARNING):
        await Announcer(KubeEvents(events), receivers, deadline_s=0.01).notify(DEGRADED)
    assert events.sent == well.sent != []
    assert "receiver=ill reason=NotObjectivesMet" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("lost", [LeadershipLost("not ours"), ApiError(500, "x", "y")])
async def test_who_may_not_write_any_more_tells_nobody(lost: Exception) -> None:
    events, other = Outside(), Outside()
    events.fails = lost
    with pytest.raises(type(lost)):
        await Announcer(KubeEvents(events), {"other": ToyReceiver(other)}).notify(DEGRADED)
    assert other.sent == []


def conditioned(status: Any, reason: str) -> LLMEndpointStatus:
    one = Condition(
        type="ObjectivesMet", status=status, reason=reason, message="m", last_transition_time="2026-01-01T00:00:00Z"
    )
    return LLMEndpointStatus(conditions=(one,))


async def test_a_flip_reaches_every_receiver_once_as_the_event_has_it() -> None:
    api, outside = FakeApi(), Outside()
    raw = api.put(CHAT)
    context = api.context.__class__(
        api.context.client, api.store, api.context.settings, api.telemetry, api.context.enqueue,
        receivers={"toy": ToyReceiver(outside)},
    )  # fmt: skip
    good, bad = conditioned("True", "AllPassed"), conditioned("False", "AboveLimit")
    writer = StatusWriter(context)
    for before, after in ((good, bad), (bad, bad), (bad, good)):
        await writer.write(LLM_ENDPOINT, raw, after, before, NOW_MS)
    assert outside.sent == [
        "Warning NotObjectivesMet retail/chat: AboveLimit: m",
        "Normal ObjectivesMet retail/chat: AllPassed: m",
    ]
    assert api.verbs("event") == (("event", "NotObjectivesMet", "chat"), ("event", "ObjectivesMet", "chat"))
