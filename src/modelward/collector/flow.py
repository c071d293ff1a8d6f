"""Backpressure: a connection is read while no reason stands against it, and several may stand at once."""

from __future__ import annotations

import asyncio
import socket
import struct

PEER_FULL = 1
"""The other side's write buffer is full, or there is no other side yet."""
HELD = 2
"""Enough of what this side sent is held already."""
TURN = 4
"""This connection has had its turn in the event loop; the others come first."""

BULK_BYTES = 128 * 1024
"""A read of this size means that more waits; uvloop would go on reading, up to 8 MB, before others get their turn."""


class Flow:
    """Whether one connection is read. Safe on a transport that closes."""

    __slots__ = ("_reasons", "transport")

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._reasons = 0

    def stop(self, reason: int) -> None:
        """Read no more until this reason is gone."""
        self._reasons |= reason
        transport = self.transport
        if transport is not None and not transport.is_closing() and transport.is_reading():
            transport.pause_reading()

    def go(self, reason: int) -> None:
        """Take a reason away; read on if it was the last one."""
        if not self._reasons & reason:
            return
        self._reasons &= ~reason
        transport = self.transport
        if self._reasons or transport is None or transport.is_closing() or transport.is_reading():
            return
        transport.resume_reading()

    def read_on(self) -> None:
        """Take all reasons away."""
        self.go(PEER_FULL | HELD | TURN)


def close_with_reset(transport: asyncio.Transport) -> None:
    """Close so that the client sees what we saw, a reset: an answer that ends with its connection has no other sign."""
    sock = transport.get_extra_info("socket")
    if sock is not None and not transport.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.close()
