"""When the kernel received what an event loop sees later, because a node that is short of CPU lets it wait."""

from __future__ import annotations

import asyncio
import socket
import struct

_TCP_INFO_BYTES = 60
_LAST_ACK_RECEIVED = 56
"""Offset of `tcpi_last_ack_recv`, milliseconds, in `struct tcp_info` (linux/tcp.h): 8 bytes, then 32-bit fields."""


def since_last_segment(transport: asyncio.BaseTransport | None) -> float:
    """Return the seconds since the kernel received the newest segment of a connection; 0 where it does not tell.

    Asked when the other end's FIN is seen, this is how long ago it came.
    """
    sock = transport.get_extra_info("socket") if transport is not None else None
    if sock is None:
        return 0.0
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
        return float(struct.unpack_from("=I", info, _LAST_ACK_RECEIVED)[0]) / 1_000
    except (OSError, struct.error):
        return 0.0
