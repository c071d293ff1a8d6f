"""What a scoring port does beside asking, without a clock: it waits for nothing, one work after the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

T = TypeVar("T")


class PlainPort:
    """The base of ports in tests; what is remembered is so for each port by itself."""

    learned: dict[str, Any]

    async def pause(self, seconds: float) -> None:
        """Wait for nothing."""

    async def within(self, seconds: float, work: Callable[[], Awaitable[T]]) -> T:  # noqa: ARG002
        """Do the work, however long it takes."""
        return await work()

    async def each(self, work: Sequence[Callable[[], Awaitable[T]]], at_once: int) -> list[T]:  # noqa: ARG002
        """Do one after the other."""
        return [await one() for one in work]

    def remembered(self, key: str, make: Callable[[], T]) -> T:
        """Return what this port knows."""
        self.__dict__.setdefault("learned", {})
        if key not in self.learned:
            self.learned[key] = make()
        return cast("T", self.learned[key])
