"""A session of the console without a browser."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit


def cookie(opening: str) -> str:
    """Open the printed address, which works once; return the session's cookie as a browser sends it."""
    parts = urlsplit(opening)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    assert answer.status == 303, answer.status
    return (answer.getheader("Set-Cookie") or "").split(";")[0]
