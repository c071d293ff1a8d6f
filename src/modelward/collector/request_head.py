"""The head of one request: checked strictly, so that we and the model server never disagree on where a request ends."""

from __future__ import annotations

import re
from typing import Any

import httptools

MAX_HEAD_BYTES = 64 * 1024
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\n"
_CONVERSATION_HEADERS = frozenset((b"x-conversation-id", b"x-session-id", b"x-thread-id"))
_CLEARTEXT_HTTP2 = re.compile(rb"\r\nupgrade[ \t]*:[ \t]*h2c[ \t]*(?=\r\n)", re.IGNORECASE)
_UPGRADE_HEADERS = re.compile(rb"\r\n(?:upgrade|http2-settings|connection)[ \t]*:[^\r\n]*(?=\r\n)", re.IGNORECASE)
_HOST_HEADER = re.compile(rb"\r\nhost[ \t]*:[^\r\n]*(?=\r\n)", re.IGNORECASE)


class BadRequestError(ValueError):
    """The client sent something that is not HTTP/1.1; nothing of it was passed on."""


class RequestHead:
    """What forwarding and metering need to know of a request's head, which ends with an empty line.

    Raises BadRequestError, also where Content-Length and Transfer-Encoding stand together (request smuggling).
    """

    __slots__ = (
        "body_complete",
        "chunked",
        "conversation",
        "encoding",
        "keep_alive",
        "length",
        "method",
        "parser",
        "path",
        "pieces",
        "upgrade",
    )

    def __init__(self, head: bytes) -> None:
        self.path = self.conversation = self.encoding = b""
        self.length = 0
        self.chunked = self.upgrade = self.body_complete = False
        self.pieces: list[bytes] = []
        self.parser: Any = httptools.HttpRequestParser(self)
        try:
            self.parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            self.upgrade = True
        except httptools.HttpParserError as error:
            raise BadRequestError(str(error)) from error
        self.method: bytes = self.parser.get_method()
        self.keep_alive: bool = self.parser.should_keep_alive()
        if not self.chunked:
            self.parser = None  # it refers back to this object: without the cycle, no garbage collection is needed

    def feed_chunked(self, data: bytes) -> list[bytes]:
        """Read on in a chunked body and return its decoded pieces; `body_complete` says when it ended.

        Raises BadRequestError where the chunks are malformed.
        """
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise BadRequestError(str(error)) from error
        pieces, self.pieces = self.pieces, []
        return pieces

    def on_url(self, url: bytes) -> None:
        """Note the path; the query is nobody's business."""
        self.path = url.partition(b"?")[0]

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note the few headers that matter; llhttp has checked lengths and transfer codings before."""
        key = name.lower()
        if key == b"content-length":
            self.length = int(value)
        elif key == b"transfer-encoding":
            self.chunked = True
        elif key == b"content-encoding":
            self.encoding = value.lower()
        elif key in _CONVERSATION_HEADERS:
            self.conversation = value

    def on_body(self, piece: bytes) -> None:
        """Take one decoded piece of a chunked body."""
        self.pieces.append(piece)

    def on_message_complete(self) -> None:
        """Note the end of the request."""
        self.body_complete = True


def without_cleartext_http2(head: bytes) -> bytes:
    """Return the head without an offer to upgrade to cleartext HTTP/2, which some Java clients make by default.

    A proxy must not pass that hop-by-hop offer on unless it would speak HTTP/2 itself (RFC 9110, 7.8).
    """
    return _UPGRADE_HEADERS.sub(b"", head) if _CLEARTEXT_HTTP2.search(head) else head


def readdressed(head: bytes, host: bytes, prefix: bytes) -> bytes:
    """Return the head with another Host and with `prefix` before its path, for an API that is not our own."""
    line, separator, headers = head.partition(b"\r\n")
    method, target, version = line.split(b" ", 2)
    if target.startswith(prefix + b"/") or not target.startswith(b"/"):
        prefix = b""
    fields = _HOST_HEADER.sub(b"", separator + headers)
    return b"%b %b%b %b\r\nHost: %b%b" % (method, prefix, target, version, host, fields)
