"""What a request is addressed to, where the upstream is an API of others that gets its own Host and path prefix."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from modelward.api.origin import ORIGIN_HEADER
from modelward.collector.request_head import BadRequestError

_OURS = re.compile(rb"\r\n(?:host|%b)[ \t]*:[^\r\n]*(?=\r\n)" % ORIGIN_HEADER.encode(), re.IGNORECASE)
"""Fields that end here: the old Host, and marks of origin, which no API of others is told."""
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://[^/?]*")
_DOTS = re.compile(rb"(?:^|[/\\])\.\.(?:[/\\;]|$)")
_DECODINGS = 3
"""Servers decode a path once; some decode it twice. What is encoded more often than this is not a path any more."""


def readdressed(head: bytes, host: bytes, prefix: bytes) -> bytes:
    """Return the head with another Host and with `prefix` before its path, for an API that is not our own.

    Raises BadRequestError for what could be read as another place than one below the prefix: `..` in any encoding, and
    targets that are not a path. A target with a host of its own (absolute form) loses it.
    """
    line, separator, headers = head.partition(b"\r\n")
    method, target, version = line.split(b" ", 2)
    target = _ABSOLUTE.sub(b"", target, count=1) if not target.startswith(b"/") and _ABSOLUTE.match(target) else target
    if target.startswith(b"?") or not target:
        target = b"/" + target
    if not target.startswith(b"/"):
        raise BadRequestError("the target is not a path")
    path = target.partition(b"?")[0]
    if leaves_its_place(path):
        raise BadRequestError("the path leads upwards")
    if path.startswith(prefix + b"/"):
        prefix = b""
    fields = _OURS.sub(b"", separator + headers)
    return b"%b %b%b %b\r\nHost: %b%b" % (method, prefix, target, version, host, fields)


def leaves_its_place(path: bytes) -> bool:
    """Return whether a path holds a `..` once decoded."""
    for _ in range(_DECODINGS):
        if _DOTS.search(path):
            return True
        decoded = unquote_to_bytes(path)
        if decoded == path:
            return False
        path = decoded
    return True
