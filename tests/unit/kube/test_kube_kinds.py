"""Paths, classes of errors and events: what the port says to the API server, without one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modelward.kube.errors import (
    ApiError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    TooManyRequests,
    Unavailable,
    from_status,
)
from modelward.kube.events import EventRecorder
from modelward.kube.kinds import DEPLOYMENT, KINDS, NAMESPACE, POD, Object, UnknownKindError, kind_of, version_of


def test_kinds_paths_are_those_of_the_api_server() -> None:
    assert POD.path() == "/api/v1/pods"
    assert POD.path("retail", "chat-0", "log") == "/api/v1/namespaces/retail/pods/chat-0/log"
    assert DEPLOYMENT.path("retail") == "/apis/apps/v1/namespaces/retail/deployments"
    assert NAMESPACE.path(None, "retail") == "/api/v1/namespaces/retail"
    with pytest.raises(ValueError, match="needs a namespace"):
        POD.path(None, "chat-0")


def test_kinds_every_object_of_the_table_finds_its_kind() -> None:
    for kind in KINDS:
        assert kind_of({"apiVersion": kind.api_version, "kind": kind.kind}) is kind
    with pytest.raises(UnknownKindError, match="v1 Secret"):
        kind_of({"apiVersion": "v1", "kind": "Secret"})
    assert version_of({"metadata": {}}) == 0


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, Forbidden),
        (403, Forbidden),
        (409, Conflict),
        (410, Gone),
        (422, Invalid),
        (429, TooManyRequests),
        (500, Unavailable),
        (503, Unavailable),
        (418, ApiError),
    ],
)
def test_kube_errors_are_told_apart_by_status(status: int, error: type[ApiError]) -> None:
    made = from_status(status, {"reason": "Why", "message": "what"}, None)
    assert type(made) is error
    assert (made.status, made.reason, made.message) == (status, "Why", "what")


def test_kube_errors_say_how_long_to_wait() -> None:
    assert from_status(429, {}, "3").retry_after == 3.0
    assert from_status(429, {"details": {"retryAfterSeconds": 2}}, None).retry_after == 2.0
    assert from_status(429, "not json", "soon").retry_after is None


def test_kube_a_uid_that_does_not_match_is_a_conflict_whatever_the_server_calls_it() -> None:
    details = {"causes": [{"field": "metadata.uid", "message": "field is immutable"}]}
    assert type(from_status(422, {"details": details}, None)) is Conflict


@pytest.mark.parametrize(
    "message",
    [
        "failed to create typed patch object (a/web; apps/v1, Kind=Deployment): .spec.x: field not declared",
        "failed to convert new object (a/web; apps/v1, Kind=Deployment) to proper version: quantities must match",
    ],
)
def test_kube_what_cannot_be_read_of_a_builtin_kind_is_invalid_whatever_the_server_calls_it(message: str) -> None:
    assert type(from_status(500, {"message": message}, None)) is Invalid


class Posts:
    """Records what a Recorder asks of the API."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, tzinfo=UTC)
        self.created: list[Object] = []
        self.counts: list[int] = []
        self.recorder = EventRecorder("operator-0", clock=lambda: self.now)

    async def say(self, note: str, reason: str = "Degraded") -> None:
        regarding: Object = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "a", "uid": "u"}}
        await self.recorder.post(
            self.recorder.event(regarding, "Warning", reason, note, "Reconcile", None), self._create, self._patch
        )

    async def _create(self, event: Object) -> Object:
        self.created.append(event)
        return event

    async def _patch(self, *args: Any) -> Object:
        self.counts.append(args[3]["series"]["count"])
        return {}


async def test_kube_events_said_again_within_ten_minutes_are_a_series() -> None:
    posts = Posts()
    for _ in range(3):
        await posts.say("errors 3 %")
        posts.now += timedelta(minutes=2)
    assert len(posts.created) == 1
    assert posts.counts == [2, 3]
    posts.now += timedelta(minutes=11)
    await posts.say("errors 3 %")
    assert len(posts.created) == 2
    assert posts.created[0]["metadata"]["name"] != posts.created[1]["metadata"]["name"]


async def test_kube_a_storm_of_one_event_is_not_a_storm_of_requests() -> None:
    posts = Posts()
    for _ in range(50):
        await posts.say("errors 3 %")
    assert (len(posts.created), posts.counts) == (1, [2])
    posts.now += timedelta(minutes=1)
    await posts.say("errors 3 %")
    assert posts.counts == [2, 51]


async def test_kube_events_with_other_evidence_are_other_events() -> None:
    posts = Posts()
    await posts.say("errors 3 %")
    await posts.say("errors 4 %")
    await posts.say("errors 4 %", reason="Unhealthy")
    assert len(posts.created) == 3


async def test_kube_event_notes_fit_the_api() -> None:
    posts = Posts()
    await posts.say("€" * 1000)
    assert len(posts.created[0]["note"].encode()) <= 1024


def test_values_are_quoted_without_the_structures_around_them() -> None:
    said = ".spec.replicas: expected string, got &value.valueUnstructured{Value:5}"
    assert from_status(500, {"message": said}, None).message == ".spec.replicas: expected string, got 5"
