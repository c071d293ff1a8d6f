"""What the operator asked of the API server, as the server's own audit log has it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from control_plane import ControlPlane

READS = frozenset({"get", "list", "watch"})
_QUIET_S, _QUIET_AFTER_S = 20.0, 240.0
"""A start is over when nothing but the Lease was written for so long; it may take so long until then."""


def asked_by_us(plane: ControlPlane) -> list[dict[str, Any]]:
    """Return what our clients requested of the API server; without other clients, that is the operator."""
    events = (json.loads(line) for line in plane.audit_log.read_text().splitlines())
    return [event for event in events if event.get("userAgent", "").startswith("modelward")]


async def until_quiet(plane: ControlPlane) -> None:
    """Wait for the end of the start, in which each endpoint says once what it did not know before."""
    written, since = -1, time.monotonic()
    async with asyncio.timeout(_QUIET_AFTER_S):
        while time.monotonic() - since < _QUIET_S:
            events = asked_by_us(plane)
            now = sum(one["verb"] not in READS and one["objectRef"]["resource"] != "leases" for one in events)
            if now != written:
                written, since = now, time.monotonic()
            await asyncio.sleep(2.0)
