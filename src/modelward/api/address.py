"""Addresses to listen on, as they stand in settings and on command lines."""

from __future__ import annotations


def host_and_port(text: str) -> tuple[str, int]:
    """Split `HOST:PORT`, with [..] around an IPv6 host; no host means all addresses. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise ValueError(f"{text!r} is not HOST:PORT; write it as ADDRESS:PORT, such as 0.0.0.0:8080")
    return host.strip("[]") or "0.0.0.0", int(port)
