"""What every kind of receiver keeps, each against its service as the service's documents describe it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pagerduty_service import PagerDutyService
from receiver_cases import (
    FACT,
    FIRING,
    RECEIVERS,
    SECRET,
    SECRETS,
    Services,
    hostile,
    largest,
    later,
    receiver,
    services,
)

from modelward.alerts.message import AlertMessage
from modelward.alerts.receiver import Addressee, Answered, HttpCall, ReceiverReply, Told, Undelivered
from modelward.alerts.receivers.json_call import json_call
from modelward.alerts.receivers.kind import ReceiverKind
from modelward.alerts.receivers.registry import KINDS, kind_of, receiver_of, secrets
from modelward.alerts.receivers.replies import Replies, first_failure, undelivered
from modelward.api.alert_receivers import AlertReceiver, PlatformReceiver
from modelward.job.delivery.courier import Courier

NAMES = sorted(RECEIVERS)
BY_HTTP = sorted(RECEIVERS.keys() - {"email"})
TEXTS = ("31%", "24-39", "n=140", "10%", "revision 7c9f -> 8d2a", "kubectl modelward why retail/chat", "prod-eu")
"""What each message must tell: the value, how sure, what changed, what to do, where."""


@pytest.fixture
async def everything(tmp_path: Path) -> AsyncIterator[Services]:
    async with services(tmp_path) as found:
        yield found


async def sent(everything: Services, name: str, message: AlertMessage, ref: str = "") -> Answered:
    return await everything.town.courier().deliver(message, Addressee(receiver(name), ref))


def read(service: Any) -> str:
    """Return the newest text that a person reads."""
    if isinstance(service, PagerDutyService):
        return json.dumps([*service.open.values()][-1][-1], ensure_ascii=False)
    return str((getattr(service, "texts", None) and service.texts[-1]) or _body(service))


def _body(service: Any) -> str:
    return str(service.issues[-1]["body"])


def test_every_kind_has_a_case() -> None:
    assert {kind.block for kind in KINDS} == {kind_of(receiver(name)).block for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
async def test_an_alert_arrives_with_its_evidence_and_what_to_do(everything: Services, name: str) -> None:
    assert isinstance(await sent(everything, name, FIRING), Told)
    text = read(everything.by_name[name])
    missing = [one for one in TEXTS if one not in text and name not in ("webhook", "cloudevents")]
    assert missing == []
    assert "stays-on-topic" in text
    assert "retail" in text


@pytest.mark.parametrize("name", NAMES)
def test_the_same_message_is_the_same_bytes(name: str) -> None:
    to = Addressee(receiver(name))
    first, again = (receiver_of(to.receiver).requests(FIRING, to) for _ in range(2))
    assert first == again
    assert len(first) > 0


@pytest.mark.parametrize("name", NAMES)
async def test_an_incident_that_is_over_is_told_so(everything: Services, name: str) -> None:
    first = await sent(everything, name, FIRING)
    assert isinstance(first, Told)
    ended = await sent(everything, name, later("Resolved"), first.ref)
    assert ended == Told(first.ref)
    service = everything.by_name[name]
    if isinstance(service, PagerDutyService):
        assert (service.open, service.resolved) == ({}, [FIRING.key])
    elif name == "alertmanager":
        assert service.bodies[-1][0]["endsAt"] == "2026-11-27T10:01:00Z"
    else:
        assert "esolved" in read(service)


@pytest.mark.parametrize("name", NAMES)
async def test_what_ends_without_evidence_is_never_called_resolved(everything: Services, name: str) -> None:
    first = await sent(everything, name, FIRING)
    assert isinstance(first, Told)
    assert isinstance(await sent(everything, name, later("Closed"), first.ref), Told)
    service = everything.by_name[name]
    text = read(service)
    if name not in ("alertmanager", "alertmanager-webhook"):  # their word for "it does not fire any more"
        assert "esolved" not in text
    assert "without evidence of recovery" in text or '"state": "Closed"' in text


@pytest.mark.parametrize("name", NAMES)
async def test_hostile_texts_do_nothing_and_are_read_as_text(everything: Services, name: str) -> None:
    assert isinstance(await sent(everything, name, hostile()), Told)
    text = read(everything.by_name[name])
    assert "evil.example" in text
    if name not in ("webhook", "cloudevents"):  # these hand on data, escaped by JSON
        assert not any(one in text for one in "\u202e\u2066\r\x00\x07")


@pytest.mark.parametrize("name", NAMES)
async def test_the_largest_message_stays_within_the_limits(everything: Services, name: str) -> None:
    assert isinstance(await sent(everything, name, largest()), Told)
    text = read(everything.by_name[name])
    left_out = {"alertmanager": '"k19"', "alertmanager-webhook": '"truncatedAlerts": 280'}.get(name, "more")
    assert left_out in text or text.count('"alertname"') == 20


@pytest.mark.parametrize("name", BY_HTTP)
@pytest.mark.parametrize(("status", "permanent"), [(500, False), (503, False), (400, True), (404, True), (302, True)])
async def test_a_refusal_says_its_status_alone(everything: Services, name: str, status: int, permanent: bool) -> None:
    where = {"Location": "https://alerts.example.com/elsewhere"} if status == 302 else {}
    everything.by_name[name].fail += [web.Response(status=status, text="secret=hunter2", headers=where)]
    found = await sent(everything, name, FIRING)
    assert isinstance(found, Undelivered)
    assert found.permanent == permanent
    assert found.cause.startswith(f"HTTP {status}")
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize("name", BY_HTTP)
async def test_who_asks_for_a_pause_gets_it(everything: Services, name: str) -> None:
    everything.by_name[name].fail += [web.Response(status=429, headers={"Retry-After": "17"})]
    found = await sent(everything, name, FIRING)
    assert isinstance(found, Undelivered)
    assert (found.permanent, found.retry_after_s) == (False, 17)


@pytest.mark.parametrize("name", sorted(name for name in NAMES if secrets(receiver(name))))
@pytest.mark.parametrize(
    "content", [None, b"", b"\xff\xfe", b"two words", b"x" * 5_000], ids=["absent", "empty", "binary", "words", "long"]
)
async def test_a_secret_that_is_missing_or_wrong_is_named_and_not_shown(
    everything: Services, name: str, content: bytes | None
) -> None:
    (at,) = secrets(receiver(name))
    path = everything.town.secrets / at.secret / at.key
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    found = await sent(everything, name, FIRING)
    assert isinstance(found, Undelivered)
    assert found.permanent
    word = "SecretNotFound" if content is None else "SecretUnusable"
    assert found.cause == f"{word} (key {at.key} of Secret {SECRET})"


@pytest.mark.parametrize("name", NAMES)
async def test_no_request_holds_a_secret_before_it_is_sent(everything: Services, name: str) -> None:
    to = Addressee(receiver(name))
    shown = repr(receiver_of(to.receiver).requests(FIRING, to))
    assert not any(value.strip() in shown for value in SECRETS.values())


@pytest.mark.parametrize("name", NAMES)
async def test_a_test_message_leaves_nothing_open(everything: Services, name: str) -> None:
    test = replace(FIRING, kind="Test", open=0, severity="Info", alerts=(replace(FACT, severity="Info"),))
    assert isinstance(await sent(everything, name, test), Told)
    service = everything.by_name[name]
    assert not getattr(service, "open", None)
    assert [one["state"] for one in getattr(service, "issues", [])] == ["closed"] * len(getattr(service, "issues", []))


class ToyPager:
    """A kind of receiver in one place: what another one needs is this and its line in the table."""

    def requests(self, message: AlertMessage, to: Addressee, replies: Replies = ()) -> tuple[HttpCall, ...]:  # noqa: ARG002
        return () if replies else (json_call(("https://alerts.example.com/toy",), {"say": message.title}),)

    def read(self, message: AlertMessage, to: Addressee, replies: Replies) -> Answered:  # noqa: ARG002
        failed = first_failure(replies)
        return undelivered(failed) if failed else Told("toy-1")


class ToyReceiver(PlatformReceiver):
    """The block that chooses it."""

    toy: dict[str, str] | None = None


async def test_a_new_kind_is_one_file_and_a_line_of_the_table(everything: Services) -> None:
    plain = everything.town.courier()
    courier = Courier(plain.http, plain.mail, (*KINDS, ReceiverKind("toy", ToyPager())))
    assert await courier.deliver(FIRING, Addressee(ToyReceiver(name="toy", toy={}))) == Told("toy-1")
    assert everything.by_name["webhook"].bodies == [{"say": FIRING.title}]


async def test_a_kind_that_breaks_fails_its_own_message_alone(everything: Services) -> None:
    shared = AlertReceiver(name="sre", shared="oncall")  # was not resolved to the platform's own
    found = await everything.town.courier().deliver(FIRING, Addressee(shared))
    assert found == Undelivered("this message cannot be sent (ValueError)", permanent=True)


def test_replies_of_garbage_are_read_without_an_error() -> None:
    bodies = (b"", b"null", b"[]", b"[1]", b'{"ok": 1}', b"[" * 100_000, b"\xff", b'{"number": "x"}', b'[{"body": 3}]')
    for name in NAMES:
        to = Addressee(receiver(name))
        kind = receiver_of(to.receiver)
        for body in bodies:
            replies: Replies = (ReceiverReply(200, body),)
            for _ in range(8):
                more = kind.requests(FIRING, to, replies)
                if not more:
                    break
                replies += tuple(ReceiverReply(200, body) for _ in more)
            assert isinstance(kind.read(FIRING, to, replies), Told | Undelivered)
