"""The socket pair between the data plane and the capture worker, made by the supervisor."""

from __future__ import annotations

import socket


def new_channel() -> tuple[socket.socket, socket.socket]:
    """Return the data plane's end and the worker's.

    The kernel keeps messages whole, and as the supervisor holds both ends open, what waits in between survives a crash
    of either side.
    """
    sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (sender, receiver):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * 1024 * 1024)
        end.set_inheritable(True)
    return sender, receiver
