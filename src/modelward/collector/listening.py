"""The socket on which clients come: taken before all that takes time, so that who comes early waits and is not refused.

A pod is ready when its model is, whatever its collector does; so this module loads nothing.
"""

import socket

BACKLOG = 4096


def listening_socket(host: str, port: int) -> socket.socket:
    """Return the socket that all processes share.

    TCP_NODELAY is set here because accepted sockets inherit it, whatever event loop accepts them; keep-alive probes
    find clients that vanished without a word.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4)):
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.bind((host, port))
    sock.listen(BACKLOG)
    sock.setblocking(False)
    sock.set_inheritable(True)
    return sock
