"""The head of one request: checked strictly, so that we and the model server never disagree on where a request ends."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote_to_bytes

import httptools

from modelward.api.origin import ORIGIN_HEADER

MAX_HEAD_BYTES = 64 * 1024
MAX_FIELDS = 500
"""Header fields of one request; 64 KiB hold 16,000, which would take the loop several milliseconds. Envoy takes 100."""
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\n"
_KNOWN_BYTES = 256
"""What is kept of a path (its end) and of a conversation's name."""
_CONVERSATION_HEADERS = frozenset((b"x-conversation-id", b"x-session-id", b"x-thread-id"))
_ID_HEADERS = frozenset((b"x-request-id", b"x-correlation-id", b"request-id", b"x-client-request-id", b"traceparent"))
"""Of which engines and gateways make the ids of their answers."""
_ORIGIN_HEADER = ORIGIN_HEADER.encode()
_READ_HEADERS = _CONVERSATION_HEADERS | _ID_HEADERS | {
    b"transfer-encoding", b"upgrade", b"connection", b"content-encoding", _ORIGIN_HEADER,
}  # fmt: skip
_MOST_ID_BYTES = 4_096
_UPGRADE_HEADERS = re.compile(rb"\r\n(?:upgrade|http2-settings|connection)[ \t]*:[^\r\n]*(?=\r\n)", re.IGNORECASE)


class BadRequestError(ValueError):
    """The client sent something that is not HTTP/1.1; nothing of it was passed on."""


class RequestHead:
    """What forwarding and metering need to know of a request's head, which ends with an empty line.

    Raises BadRequestError, and does so wherever two servers could read the head differently: Content-Length beside
    Transfer-Encoding, Transfer-Encoding in HTTP/1.0 (RFC 9112, 6.1) or with any coding but `chunked`, two Hosts.
    `caller_header`, in small letters, is the one that names the caller.
    """

    __slots__ = ("_connection", "_hosts", "_problem", "caller", "caller_header", "chunked", "cleartext_http2",
                 "client_ids", "conversation", "encoding", "keep_alive", "length", "method", "origin_mark", "path",
                 "upgrade")  # fmt: skip

    def __init__(self, head: bytes, caller_header: bytes = b"") -> None:
        self.caller_header = caller_header
        self.path = self.caller = self.conversation = self.encoding = self.client_ids = self.origin_mark = b""
        self.length = self._hosts = 0
        self.chunked = self.upgrade = self.cleartext_http2 = False
        self.keep_alive = True
        self._connection: tuple[bytes, ...] = ()
        self._problem = ""
        parser: Any = httptools.HttpRequestParser(self)
        try:
            parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            self.upgrade = True
        except httptools.HttpParserError as error:
            raise BadRequestError(str(error)) from error
        self.method: bytes = parser.get_method()
        end = head.index(b"\r\n")
        if head.count(b" ", 0, end) != 2:
            raise BadRequestError("the request line is not three words")
        self._check(head[end - 9 : end])

    def _check(self, version: bytes) -> None:
        if version != b" HTTP/1.1":
            if version != b" HTTP/1.0":
                raise BadRequestError("neither HTTP/1.1 nor HTTP/1.0")
            if self.chunked:
                raise BadRequestError("Transfer-Encoding in HTTP/1.0")
            self.keep_alive = b"keep-alive" in self._connection
        elif self._connection:
            self.keep_alive = b"close" not in self._connection
        if self._hosts > 1:
            raise BadRequestError("more than one Host")
        if self._problem:
            raise BadRequestError(self._problem)

    def on_url(self, url: bytes) -> None:
        """Note the end of the path; a query is not ours to read, and a fragment is never sent (RFC 9112, 3.2)."""
        if b"#" in url:
            self._problem = "a fragment in the request's target"
        path = url.partition(b"?")[0]
        self.path = (unquote_to_bytes(path) if b"%" in path else path)[-_KNOWN_BYTES:]

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note the few headers that matter; llhttp has checked lengths before."""
        key = name.lower()
        if key == b"content-length":
            self.length = int(value)
        elif key == b"host":
            self._hosts += 1
        else:
            if key == self.caller_header:
                self.caller = value[:_KNOWN_BYTES]
            if key in _READ_HEADERS:
                self._read_header(key, value)

    def _read_header(self, key: bytes, value: bytes) -> None:
        if key == b"transfer-encoding":
            if self.chunked or value.strip(b" \t").lower() != b"chunked":
                self._problem = "a Transfer-Encoding other than chunked"
            self.chunked = True
        elif key == b"upgrade":
            self.cleartext_http2 = self.cleartext_http2 or b"h2c" in value.lower()
        elif key == b"connection":
            self._connection += tuple(word.strip() for word in value.lower().split(b","))
        elif key == b"content-encoding":
            self.encoding = value.lower()
        elif key in _CONVERSATION_HEADERS:
            self.conversation = value[:_KNOWN_BYTES]
        elif key == _ORIGIN_HEADER:
            self.origin_mark = value[:_KNOWN_BYTES]
        elif key in _ID_HEADERS:
            self.client_ids = (self.client_ids + value[:_KNOWN_BYTES] + b"\n")[:_MOST_ID_BYTES]


def without_cleartext_http2(head: bytes) -> bytes:
    """Return the head without its offers to upgrade: one to cleartext HTTP/2, which some Java clients make by default.

    A proxy must not pass that hop-by-hop offer on unless it would speak HTTP/2 itself (RFC 9110, 7.8).
    """
    return _UPGRADE_HEADERS.sub(b"", head)
