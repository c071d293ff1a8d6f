"""What a kind of receiver must do: turn a message into requests, and answers into told or not. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from modelward.alerts.message import AlertMessage
from modelward.api.alert_receivers import AlertReceiver

MAX_REF_CHARS = 128
"""What is kept of an answer: the id of a thread or an issue, and nothing else of it."""


@dataclass(frozen=True, slots=True)
class SecretText:
    """The place of a secret: the port puts the content of the mounted key there, and nothing else ever holds it."""

    secret: str
    key: str


SecretTemplate = tuple[str | SecretText, ...]
"""Text with places for secrets, joined without anything between."""


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One HTTP request. It follows no redirect; `body` holds no secret.

    Where an API wants one in its JSON, `fields` are what the port adds to the object at the top of `body`. `signing` is
    the key of a `Modelward-Signature`, which the port makes anew for each try.
    """

    method: Literal["GET", "POST", "PUT", "PATCH"]
    url: SecretTemplate
    headers: tuple[tuple[str, SecretTemplate], ...] = ()
    body: bytes = b""
    fields: tuple[tuple[str, SecretText], ...] = ()
    signing: SecretText | None = None
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail: `server` is HOST:PORT, `raw` the message whole (RFC 5322)."""

    server: str
    security: Literal["StartTLS", "TLS", "None"]
    sender: str
    to: tuple[str, ...]
    raw: bytes
    username: str = ""
    password: SecretText | None = None
    timeout_s: float = 20.0


Outgoing = HttpCall | Mail


@dataclass(frozen=True, slots=True)
class ReceiverReply:
    """What came back of one Outgoing. `status` is HTTP's or SMTP's, 0 where none came; then `error` is one word.

    `body` is at most 4 MiB (a page of issues) and never leaves `read`. `retry_after_s` is what the receiver asked for.
    """

    status: int
    body: bytes = b""
    retry_after_s: int | None = None
    error: str = ""
    """Such as `TLS`, `Timeout`, `Refused`, `Forbidden` (an address that is not allowed), `SecretNotFound`."""


@dataclass(frozen=True, slots=True)
class Told:
    """The receiver has it. `ref` is by which it is found again: a thread, an issue."""

    ref: str = ""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """The receiver does not have it. `cause` is for people: `HTTP 403`. Permanent: asking again changes nothing."""

    cause: str
    retry_after_s: int | None = None
    permanent: bool = False


Answered = Told | Undelivered


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a message goes to: the receiver as its policy or the chart writes it, and what it answered of this key."""

    receiver: AlertReceiver
    ref: str = ""


class Receiver(Protocol):
    """One kind of receiver. Pure: the same arguments give the same requests, byte for byte."""

    def requests(
        self, message: AlertMessage, to: Addressee, replies: tuple[ReceiverReply, ...] = ()
    ) -> tuple[Outgoing, ...]:
        """Return what to send next, after the replies to all before; nothing when it is done, or cannot go on."""

    def read(self, message: AlertMessage, to: Addressee, replies: tuple[ReceiverReply, ...]) -> Answered:
        """Return what the replies to all requests amount to."""
