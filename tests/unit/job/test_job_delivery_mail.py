"""Mail goes out encrypted, to servers that may be asked, and a refusal is told by its code alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mail_server import MailServer, mail_server
from receiver_cases import FIRING, SECRET, hostile, later, receiver
from secure_hosts import Authority, Town, town
from waiting import HANGS_S

from modelward.alerts.message import AlertMessage
from modelward.alerts.receiver import Addressee, Answered, Mail, Told, Undelivered
from modelward.alerts.receivers.registry import receiver_of
from modelward.job.delivery.reach import FORBIDDEN, Reach

SMTP = "smtp.example.com"


@asynccontextmanager
async def server(folder: Path, *, tls: bool = True, implicit: bool = False) -> AsyncIterator[tuple[Town, MailServer]]:
    async with town(folder, {}) as place:
        context = place.authority.server(SMTP) if tls else None
        async with mail_server(context, implicit=implicit) as found:
            place.hosts.places |= {SMTP: ("127.0.0.1", found.port), "mail.retail.svc": ("127.0.0.1", found.port)}
            place.keep(SECRET, "smtp", "hunter2")
            yield place, found


async def sent(place: Town, message: AlertMessage = FIRING, **block: Any) -> Answered:
    return await place.courier().deliver(message, Addressee(receiver("email", **block)))


async def test_a_mail_has_text_and_html_one_id_and_every_recipient(tmp_path: Path) -> None:
    async with server(tmp_path) as (place, found):
        assert await sent(place) == Told()
        (mail,) = found.mails
        assert found.recipients == [["oncall@example.com", "lead@example.com"]]
        assert mail["Subject"] == "Firing (Critical): retail/chat: stays-on-topic 31% is above 10%"
        assert mail["Message-ID"] == "<mw-9f2c61d4-1@modelward.example.com>"
        assert mail["Date"] == "Fri, 27 Nov 2026 10:00:00 +0000"
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
        assert "kubectl modelward why retail/chat" in found.texts[0]
        assert "<code>kubectl modelward why retail/chat</code>" in found.pages[0]


async def test_a_resend_has_the_same_id_and_an_incident_is_one_thread(tmp_path: Path) -> None:
    async with server(tmp_path) as (place, found):
        for message in (FIRING, FIRING, later("Resolved")):
            assert await sent(place, message) == Told()
        first, again, over = found.mails
        assert first.as_bytes() == again.as_bytes()
        assert over["Message-ID"] != first["Message-ID"]
        assert over["References"] == first["References"]


async def test_hostile_names_add_no_header_and_no_markup(tmp_path: Path) -> None:
    async with server(tmp_path) as (place, found):
        assert await sent(place, hostile()) == Told()
        (mail,) = found.mails
        assert mail["Bcc"] is None
        assert found.recipients == [["oncall@example.com", "lead@example.com"]]
        assert "<script" not in found.pages[0]
        assert "<img" not in found.pages[0]
        assert "evil.example/p.png" in found.pages[0]


async def test_tls_from_the_first_byte(tmp_path: Path) -> None:
    async with server(tmp_path, implicit=True) as (place, _):
        assert await sent(place, security="TLS") == Told()


async def test_without_encryption_only_to_a_service_and_without_a_password(tmp_path: Path) -> None:
    plain: dict[str, Any] = {"security": "None", "username": None, "passwordFrom": None}
    async with server(tmp_path, tls=False) as (place, found):
        assert await sent(place, server="mail.retail.svc:25", **plain) == Told()
        told = "Forbidden (security None is for Services of the cluster, written NAME.NAMESPACE.svc)"
        assert await sent(place, **plain) == Undelivered(told, permanent=True)
        assert len(found.mails) == 1


async def test_a_server_that_offers_no_encryption_gets_no_password(tmp_path: Path) -> None:
    async with server(tmp_path, tls=False) as (place, found):
        answer = await sent(place)
        assert isinstance(answer, Undelivered)
        assert answer.cause.startswith("NoStartTLS")
        assert (answer.permanent, found.mails) == (True, [])


@pytest.mark.parametrize("implicit", [False, True])
async def test_a_certificate_of_another_authority_ends_it(tmp_path: Path, implicit: bool) -> None:
    async with server(tmp_path, implicit=implicit) as (place, found):
        (tmp_path / "other").mkdir()
        courier = place.courier()
        stranger = replace(courier, mail=replace(courier.mail, tls=Authority(tmp_path / "other").trusted))
        to = Addressee(receiver("email", security="TLS" if implicit else "StartTLS"))
        assert await stranger.deliver(FIRING, to) == Undelivered("TLS (the certificate is not accepted)")
        assert found.mails == []


async def test_a_wrong_password_needs_a_person(tmp_path: Path) -> None:
    async with server(tmp_path) as (place, _):
        place.keep(SECRET, "smtp", "hunter3")
        told = "SMTP 535: the server does not take this login"
        assert await sent(place) == Undelivered(told, permanent=True)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("451 try later secret=hunter2", Undelivered("SMTP 451")),
        ("554 no secret=hunter2", Undelivered("SMTP 554: the server refused the mail", permanent=True)),
        ("552 too large", Undelivered("SMTP 552: the mail is too large", permanent=True)),
    ],
)
async def test_a_refusal_is_told_by_its_code(tmp_path: Path, answer: str, expected: Undelivered) -> None:
    async with server(tmp_path) as (place, found):
        found.refuse.append(answer)
        assert await sent(place) == expected


@pytest.mark.parametrize(("address", "listed"), [("169.254.169.254", True), ("127.0.0.1", True), ("10.0.0.9", False)])
async def test_mail_goes_to_no_forbidden_address_and_to_no_host_that_is_not_listed(
    tmp_path: Path, address: str, listed: bool
) -> None:
    async with server(tmp_path) as (place, found):
        place.hosts.places[SMTP] = (address, found.port)
        mail = replace(place.courier().mail, reach=Reach((SMTP,) if listed else (), FORBIDDEN))
        courier = replace(place.courier(), mail=mail)
        answer = await courier.deliver(FIRING, Addressee(receiver("email")))
        assert isinstance(answer, Undelivered)
        assert answer.permanent
        assert ("link-local" if listed else "alerts.allowedHosts") in answer.cause
        assert found.mails == []


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"\x00" * 64, None], ids=repr)
async def test_what_is_no_mail_server_is_left_in_time(tmp_path: Path, greeting: bytes | None) -> None:
    gone = asyncio.Event()

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if greeting is None:
            await gone.wait()
        else:
            writer.write(greeting)
        writer.close()

    other = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server(tmp_path) as (place, _):
        place.hosts.places[SMTP] = ("127.0.0.1", other.sockets[0].getsockname()[1])
        to = Addressee(receiver("email"))
        (mail,) = receiver_of(to.receiver).requests(FIRING, to)
        assert isinstance(mail, Mail)
        reply = await place.courier().mail.send(replace(mail, timeout_s=HANGS_S))
        assert reply.status == 0
        assert reply.error in (("Timeout",) if greeting is None else ("Unreachable", "NoAnswer", "Timeout"))
        gone.set()
    other.close()
