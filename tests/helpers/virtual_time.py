"""A loop whose time passes only when nothing is ready to run: an hour of sleep takes no time and is exactly an hour.

A test under `in_virtual_time` runs on it, and hands `now` to the code under test as its clock. No real sockets or
threads: what they do takes time that this loop does not count.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

Arguments = ParamSpec("Arguments")


class _Selector(selectors.DefaultSelector):
    """Waits for files only as long as no timer is due, and tells by how much the timers have moved instead."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready and timeout > 0:
            self.passed += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Begins at 1000 s, so that nothing takes the beginning for zero."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Return the seconds that timers have waited for."""
        return 1_000.0 + self._virtual.passed


def in_virtual_time(test: Callable[Arguments, Coroutine[Any, Any, None]]) -> Callable[Arguments, None]:
    """Run an async test on such a loop."""

    @functools.wraps(test)
    def run(*arguments: Arguments.args, **named: Arguments.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(test(*arguments, **named))

    return run


def now() -> float:
    """Return the running loop's time in seconds."""
    return asyncio.get_running_loop().time()
