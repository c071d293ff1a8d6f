"""Taking turns: work that is scarce goes round the namespaces, so that none waits for another one's queue."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from modelward.hub.errors import busy


@dataclass(slots=True)
class _Own:
    gate: asyncio.Semaphore
    users: int = 0


@dataclass(slots=True)
class Turns:
    """At most `parallel` at once, `of_one` of them for one namespace, of which at most `waiting` may wait.

    A namespace has no more than `of_one` in the common queue, which is first come, first served.
    """

    parallel: int
    of_one: int
    waiting: int | None = None
    _common: asyncio.Semaphore = field(init=False)
    _own: dict[str, _Own] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._common = asyncio.Semaphore(self.parallel)

    @contextlib.asynccontextmanager
    async def of(self, namespace: str) -> AsyncIterator[None]:
        """Wait for a turn of a namespace and hold it; HubError 503 when too many of it wait."""
        own = self._own.setdefault(namespace, _Own(asyncio.Semaphore(self.of_one)))
        if self.waiting is not None and own.users >= self.of_one + self.waiting:
            raise busy("too many requests of this namespace wait; ask again later")
        own.users += 1
        try:
            async with own.gate, self._common:
                yield
        finally:
            own.users -= 1
            if not own.users:
                self._own.pop(namespace, None)
