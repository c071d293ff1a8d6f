"""Answers that the collector itself gives, in the shape that OpenAI clients can read."""

from __future__ import annotations

import json

_REASONS = {
    400: "Bad Request",
    405: "Method Not Allowed",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    502: "Bad Gateway",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}


def refusal(code: int, kind: str, message: str) -> bytes:
    """Return a whole HTTP/1.1 response, the last of its connection: `{"error": {message, type, param, code}}`."""
    body = json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}}).encode()
    return (
        f"HTTP/1.1 {code} {_REASONS[code]}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        "connection: close\r\n\r\n"
    ).encode() + body
