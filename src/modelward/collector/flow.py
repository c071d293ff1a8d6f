"""Backpressure: pausing one side's reads while the other side's writes are full, safe on closed transports."""

from __future__ import annotations

import asyncio


def pause(transport: asyncio.Transport | None) -> None:
    """Stop reading, if the transport is still open."""
    if transport is not None and not transport.is_closing() and transport.is_reading():
        transport.pause_reading()


def resume(transport: asyncio.Transport | None) -> None:
    """Read on, if the transport is still open."""
    if transport is not None and not transport.is_closing() and not transport.is_reading():
        transport.resume_reading()
