"""A real SMTP server on this machine: STARTTLS or TLS with a certificate of the tests, and a login."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "modelward", "hunter2"


@dataclass
class MailServer:
    """The mails that were taken; `refuse` is what it answers to the content instead."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refuse: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802, ARG002
        """Take the mail, or refuse it."""
        if self.refuse:
            return self.refuse.pop(0)
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        self.mails.append(email.message_from_bytes(raw, policy=email.policy.default))
        self.recipients.append([*envelope.rcpt_tos])
        return "250 OK"

    @property
    def texts(self) -> list[str]:
        """What a person reads: the subject, then the plain text."""
        return [f"{one['Subject']}\n{_part(one, 'plain')}" for one in self.mails]

    @property
    def pages(self) -> list[str]:
        """The HTML of each mail."""
        return [_part(one, "html") for one in self.mails]


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def _login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=good)


@asynccontextmanager
async def mail_server(tls: ssl.SSLContext | None, *, implicit: bool = False) -> AsyncIterator[MailServer]:
    """Serve on a free port of this machine; without TLS it offers neither encryption nor login."""
    found = MailServer()
    options: dict[str, Any] = {"hostname": "smtp.example.com", "enable_SMTPUTF8": True}
    if tls and not implicit:
        options |= {"tls_context": tls, "require_starttls": True}
    if tls:
        options |= {"authenticator": _login, "auth_required": not implicit, "auth_require_tls": not implicit}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(found, loop=loop, **options), "127.0.0.1", 0, ssl=tls if implicit else None
    )
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        await server.wait_closed()
