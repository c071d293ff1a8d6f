"""One page over HTTP, read within a time and a size whatever the other side does; standard library only, for PID 1."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from modelward.metrics.exposition import cut_short

_HEADERS: Mapping[str, str] = {
    "Accept": "text/plain;version=0.0.4;q=1, */*;q=0.1",
    # A compressed page has no bound before it is unpacked.
    "Accept-Encoding": "identity",
    "User-Agent": "modelward",
    "Connection": "close",
}


class PageProblemError(Exception):
    """Why there is no page, in a word: Refused, Timeout, TooLarge, BadContent, or `HTTP` and the status."""


class _Answer(io.RawIOBase):
    """The receiving side of a socket up to a moment: each single byte of a slow drip would renew a plain timeout."""

    def __init__(self, connection: socket.socket, until_s: float) -> None:
        self._connection, self._until_s = connection, until_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        self._connection.settimeout(_left(self._until_s))
        return self._connection.recv_into(buffer)

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        """Be what http.client takes for a socket."""
        return io.BufferedReader(self)


def read_page(url: str, timeout_s: float, max_bytes: int) -> bytes:
    """Return the whole page behind an address, past any proxy; redirects are not followed.

    Raises PageProblemError. `timeout_s` is for all of it together, but for looking up a name.
    """
    try:
        return _page(url, time.monotonic() + timeout_s, max_bytes)
    except TimeoutError:
        raise PageProblemError("Timeout") from None
    except (OSError, ValueError):  # ssl.SSLError is an OSError; an address that cannot be one is a ValueError
        raise PageProblemError("Refused") from None
    except http.client.HTTPException:
        raise PageProblemError("BadContent") from None


def _page(url: str, until_s: float, max_bytes: int) -> bytes:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not an http address")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    connection = socket.create_connection((parts.hostname, port), _left(until_s))
    if parts.scheme == "https":
        connection = _secured(connection, parts.hostname, until_s)
    with connection:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.settimeout(_left(until_s))
        connection.sendall(_request(path, parts.netloc.rpartition("@")[2]))
        return _body(_Answer(connection, until_s), max_bytes)


def _secured(plain: socket.socket, host: str, until_s: float) -> ssl.SSLSocket:
    with plain:  # which is empty once it was wrapped
        secured = ssl.create_default_context().wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    try:
        secured.settimeout(_left(until_s))
        secured.do_handshake()
    except OSError:
        secured.close()
        raise
    return secured


def _request(path: str, host: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in _HEADERS.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii", "replace")


def _body(answer: _Answer, max_bytes: int) -> bytes:
    response = http.client.HTTPResponse(answer, method="GET")  # type: ignore[arg-type]
    response.begin()
    if response.status != http.client.OK:
        raise PageProblemError(f"HTTP {response.status}")
    framed = response.length is not None or response.chunked
    try:
        page = response.read(max_bytes + 1)
    except ConnectionError:
        raise PageProblemError("BadContent") from None
    if len(page) > max_bytes:
        raise PageProblemError("TooLarge")
    # With a length, what is still to come is what never came; without one, a whole page ends with a whole line.
    if response.length or (not framed and cut_short(page)):
        raise PageProblemError("BadContent")
    return page


def _left(until_s: float) -> float:
    left = until_s - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
