"""Waiting for what another socket, thread or process does, of which no event tells: the only place that polls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

POLL_S = 0.005
PATIENCE_S = 30.0
"""Far more than any of it takes: a loaded machine makes a test slow and never red."""
PROCESS_PATIENCE_S = 120.0
"""The same for another process: an operator, the cluster's controllers, the garbage collector. It promises nothing."""
HANGS_S = 1.0
"""What a test gives another side of which it knows that it never answers; all others get PATIENCE_S."""


async def until(condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Return as soon as the condition holds; AssertionError if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        await asyncio.sleep(POLL_S)


async def until_answered(
    ask: Callable[[], Awaitable[object]], seconds: float, *, ignoring: tuple[type[Exception], ...]
) -> None:
    """Ask again until the answer is true, and take some errors for no answer; TimeoutError if none comes in time."""
    async with asyncio.timeout(seconds):
        while True:
            with suppress(*ignoring):
                if await ask():
                    return
            await asyncio.sleep(POLL_S * 10)


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Return as soon as the condition holds, for tests without a loop; AssertionError if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(POLL_S)


async def settled(value: Callable[[], int], polls: int = 40) -> int:
    """Return a number that others change as soon as it has stayed the same for so many polls."""
    seen, same = value(), 0
    while same < polls:
        await asyncio.sleep(POLL_S)
        seen, same = value(), same + 1 if value() == seen else 0
    return seen


async def a_moment() -> None:
    """Wait 20 ms: so that two writes arrive as two reads, or to see that the other side did something *not*."""
    await asyncio.sleep(0.02)
