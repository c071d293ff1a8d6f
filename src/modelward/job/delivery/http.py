"""One HTTP request of a message: no redirect, no cookie, bounded in time and bytes, and only to where it may go."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from modelward.alerts.receiver import HttpCall, ReceiverReply, SecretText
from modelward.clock import now_ms
from modelward.evaluate.score_contract.signature import HEADER, signature
from modelward.job.delivery.reach import Reach
from modelward.job.delivery.secret_files import SecretError, SecretFiles
from modelward.job.delivery.way_out import WayOut

MAX_BODY_BYTES = 4 << 20
"""A page of GitHub's issues; replies of other receivers are a few bytes."""
MAX_WAIT_S = 3_600
"""The longest time that a receiver may ask us to wait."""
AGENT = "modelward"


@dataclass(frozen=True, slots=True)
class HttpSender:
    """Sends requests; `resolver` and `tls` are those of the machine unless a test has its own."""

    reach: Reach
    secrets: SecretFiles = field(default_factory=SecretFiles)
    resolver: AbstractResolver | None = None
    tls: ssl.SSLContext | None = None
    way: WayOut = field(default_factory=WayOut)
    clock_ms: Callable[[], int] = now_ms

    async def send(self, call: HttpCall) -> ReceiverReply:
        """Return what came back; never raises."""
        try:
            url = _url(self.secrets.filled(call.url))
            secret = any(isinstance(part, SecretText) for part in call.url)
            headers = {name: self.secrets.filled(value) for name, value in call.headers}
            body = self._body(call)
            headers |= self._signed(call, body)
        except SecretError as error:
            return ReceiverReply(0, error=str(error))
        if url is None:
            return ReceiverReply(0, error="NoAddress (what the Secret holds is not a URL)" if secret else "NoAddress")
        if told := self.reach.refusal(url.scheme, url.raw_host or ""):
            return ReceiverReply(0, error=f"Forbidden ({told})")
        return await self._answered(call, url, headers, body)

    def _body(self, call: HttpCall) -> bytes:
        """Return the body with the fields that a Secret holds."""
        if not call.fields:
            return call.body
        fields = {name: self.secrets.value(at) for name, at in call.fields}
        return json.dumps({**json.loads(call.body), **fields}, ensure_ascii=False, separators=(",", ":")).encode()

    def _signed(self, call: HttpCall, body: bytes) -> Mapping[str, str]:
        """Return the header by which a receiver knows that a body is ours and new; none where no key is given."""
        if call.signing is None:
            return {}
        return {HEADER: signature(self.secrets.value(call.signing), body, self.clock_ms() // 1_000)}

    async def _answered(self, call: HttpCall, url: URL, headers: Mapping[str, str], body: bytes) -> ReceiverReply:
        gate = _Gate(self.reach)
        try:
            return await self._asked(gate, call, url, headers, body)
        except aiohttp.ClientSSLError as error:
            return ReceiverReply(0, error=f"TLS ({_tls_fault(error)})")
        except aiohttp.ClientConnectorDNSError:
            return ReceiverReply(0, error="UnknownHost")
        except TimeoutError:
            return ReceiverReply(0, error="Timeout")
        except aiohttp.ClientConnectorError:
            return ReceiverReply(0, error=f"Forbidden ({gate.refused})" if gate.refused else "Unreachable")
        except aiohttp.ClientHttpProxyError as error:
            return ReceiverReply(0, error=f"Proxy (HTTP {error.status})")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return ReceiverReply(0, error=f"NoAnswer ({type(error).__name__})")

    async def _asked(
        self, gate: _Gate, call: HttpCall, url: URL, headers: Mapping[str, str], body: bytes
    ) -> ReceiverReply:
        proxy = self.way.proxy(url)
        connector = aiohttp.TCPConnector(
            ssl=self.tls or self.way.trusted,
            resolver=self.resolver,
            force_close=True,
            # The machine's administrator chose the proxy, wherever it is; it finds the receiver's address.
            socket_factory=None if proxy else gate.socket,
        )
        sent = {"User-Agent": AGENT, "Accept-Encoding": "identity", **headers}
        timeout = aiohttp.ClientTimeout(total=call.timeout_s)
        async with (
            aiohttp.ClientSession(
                connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            ) as session,
            session.request(
                call.method, url, data=body or None, headers=sent, allow_redirects=False, proxy=proxy
            ) as answer,
        ):
            if 300 <= answer.status < 400:
                return ReceiverReply(answer.status, error="Redirect")
            return ReceiverReply(answer.status, await _limited(answer), retry_after_s(answer.headers, self.clock_ms()))


@dataclass(slots=True)
class _Gate:
    """Makes the sockets of one request: what is connected to is what was checked, whatever a name led to before."""

    reach: Reach
    refused: str = ""

    def socket(self, address: Any) -> socket.socket:
        """Return a socket for an address as getaddrinfo gives it. Raises ForbiddenAddressError."""
        family, kind, protocol, _, where = address
        self.refused = self.reach.address_refusal(where[0])
        self.reach.check(where[0])
        return socket.socket(family, kind, protocol)


def _url(text: str) -> URL | None:
    """Return a URL with a host and without a user, byte for byte as it was written; None for anything else."""
    try:
        url = URL(text, encoded=True)
        whole = text.isascii() and url.absolute and url.raw_host and url.port and url.raw_user is None
    except ValueError:
        return None
    return url if whole else None


async def _limited(answer: aiohttp.ClientResponse) -> bytes:
    """Read no more than a reply may have; what is longer is cut, and then is no JSON."""
    body = bytearray()
    async for chunk in answer.content.iter_chunked(65_536):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            break
    return bytes(body[:MAX_BODY_BYTES])


def retry_after_s(headers: Mapping[str, str], now: int) -> int | None:
    """Return how long a receiver wants to be left alone: Retry-After, or GitHub's headers of a spent quota."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), MAX_WAIT_S)
    if text:
        try:
            until_s = parsedate_to_datetime(text).timestamp()
        except (ValueError, TypeError, OverflowError):
            return None
        return _bounded(until_s, now)
    reset = headers.get("X-RateLimit-Reset", "")
    if headers.get("X-RateLimit-Remaining") == "0" and reset.isascii() and reset.isdigit():
        return _bounded(int(reset[:12]), now)
    return None


def _bounded(until_s: float, now: int) -> int:
    return min(max(0, round(until_s - now / 1_000)), MAX_WAIT_S)


def _tls_fault(error: aiohttp.ClientSSLError) -> str:
    """Return what is wrong with a certificate in OpenSSL's words, which hold no text of the other side."""
    cause = error.certificate_error if isinstance(error, aiohttp.ClientConnectorCertificateError) else None
    message = getattr(cause, "verify_message", "")
    return str(message)[:80] if message and "'" not in message else "the certificate is not accepted"
