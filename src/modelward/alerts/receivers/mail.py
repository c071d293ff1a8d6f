"""E-mail: text and HTML side by side, with a Message-ID that is the same on a resend and one thread an incident."""

from __future__ import annotations

import hashlib
import html
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from modelward.alerts.message import AlertFact, AlertMessage
from modelward.alerts.receiver import Addressee, Answered, Mail, Outgoing, Told, Undelivered
from modelward.alerts.receivers.json_call import secret_text
from modelward.alerts.receivers.kind import ReceiverKind
from modelward.alerts.receivers.replies import Replies, unsent
from modelward.alerts.receivers.text import footer, headline, left_out, lines, name_of
from modelward.api.alert_receivers import EmailReceiver

SUBJECT_CHARACTERS = 150
_COLOURS = {"Critical": "#c4314b", "Warning": "#b35900", "Info": "#2563a8"}
_ENDED = {"Resolved": "#237b4b", "Closed": "#5c5f66"}
_HINTS = {
    530: "the server wants a login: set username and passwordFrom",
    535: "the server does not take this login",
    550: "the server does not take mail for one of the recipients",
    552: "the mail is too large",
    553: "the server does not take this sender",
    554: "the server refused the mail",
}


class EmailMessages:
    """One mail a message to all recipients."""

    def requests(self, message: AlertMessage, to: Addressee, replies: Replies = ()) -> tuple[Outgoing, ...]:
        """Return the mail, whole."""
        if replies:
            return ()
        email = _block(to)
        password = secret_text(email.password_from) if email.password_from else None
        raw = mail(message, email).as_bytes(policy=SMTP)
        return (Mail(email.server, email.security, email.sender, email.to, raw, email.username or "", password),)

    def read(self, message: AlertMessage, to: Addressee, replies: Replies) -> Answered:  # noqa: ARG002
        """Return told for 250. 4yz passes by itself, 5yz does not (RFC 5321, 4.2.1)."""
        reply = replies[-1]
        if 200 <= reply.status < 300:
            return Told()
        if not reply.status:
            return Undelivered(reply.error or "no answer", reply.retry_after_s, unsent(reply))
        hint = _HINTS.get(reply.status, "")
        return Undelivered(f"SMTP {reply.status}" + (f": {hint}" if hint else ""), None, reply.status >= 500)


def _block(to: Addressee) -> EmailReceiver:
    if to.receiver.email is None:
        raise ValueError(f"{to.receiver.name} is no receiver of mail")
    return to.receiver.email


def mail(message: AlertMessage, email: EmailReceiver) -> EmailMessage:
    """Return the mail with its headers; the key names the line between its parts, so it is always the same."""
    found = EmailMessage()
    domain = f"modelward.{email.sender.rpartition('@')[2]}"
    found["From"] = f"Modelward <{email.sender}>"
    found["To"] = ", ".join(email.to)
    found["Subject"] = headline(message, SUBJECT_CHARACTERS)
    found["Date"] = format_datetime(datetime.fromtimestamp(message.sent_ms // 1_000, UTC))
    found["Message-ID"] = f"<{_name(message.id)}@{domain}>"
    found["References"] = f"<{_name(message.key)}@{domain}>"
    found["Auto-Submitted"] = "auto-generated"
    found["X-Modelward-Key"] = _name(message.key)
    found.set_content(_text(message), cte="quoted-printable")
    found.add_alternative(_html(message), subtype="html", cte="quoted-printable")
    found.set_boundary(hashlib.sha256(message.id.encode()).hexdigest())
    return found


def _name(key: str) -> str:
    """Return a key as a Message-ID may hold it."""
    return "".join(one if one.isascii() and (one.isalnum() or one in "-._") else "-" for one in key)[:200]


def _text(message: AlertMessage) -> str:
    parts = [headline(message), *(_alert_text(fact, message.sent_ms) for fact in message.alerts)]
    parts += [left_out(message, len(message.alerts)), message.url, f"-- \n{footer(message)}"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _alert_text(fact: AlertFact, sent_ms: int) -> str:
    rows = [f"{line.label + ':':<13}{line.value}" for line in lines(fact, sent_ms)]
    return "\n".join([name_of(fact), *rows, *([f"{'Console:':<13}{fact.url}"] if fact.url else [])])


def _html(message: AlertMessage) -> str:
    colour = _ENDED.get(message.kind, _COLOURS["Info"]) if message.over or message.kind == "Test" else ""
    bar = f"background:{colour or _COLOURS[message.severity]};color:#fff;padding:12px 16px;font-size:16px"
    alerts = "".join(_alert_html(fact, message.sent_ms) for fact in message.alerts)
    rest = [left_out(message, len(message.alerts)), footer(message)]
    small = "".join(f'<p style="color:#5c5f66;font-size:12px">{html.escape(one)}</p>' for one in rest if one)
    return (
        '<html lang="en"><body style="font-family:sans-serif;font-size:14px;color:#1f2328;max-width:640px">'
        f'<p style="{bar}"><strong>{html.escape(headline(message))}</strong></p>{alerts}{_link(message.url)}{small}'
        "</body></html>"
    )


def _alert_html(fact: AlertFact, sent_ms: int) -> str:
    rows = "".join(
        f'<tr><td style="color:#5c5f66;padding:2px 12px 2px 0;vertical-align:top">{line.label}</td>'
        f"<td>{_cell(line.value, command=line.command)}</td></tr>"
        for line in lines(fact, sent_ms)
    )
    return f"<p><strong>{html.escape(name_of(fact))}</strong></p><table>{rows}</table>{_link(fact.url)}"


def _cell(value: str, *, command: bool) -> str:
    return f"<code>{html.escape(value)}</code>" if command else html.escape(value)


def _link(url: str) -> str:
    return f'<p><a href="{html.escape(url)}">Open in the console</a></p>' if url else ""


EMAIL = ReceiverKind("email", EmailMessages())
