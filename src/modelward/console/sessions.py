"""Who is signed in: in memory alone, each until the person's own token ends."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from modelward.api.person import Person
from modelward.console.hub_reader import HubReader

MOST_SESSIONS = 2_000
"""Each holds a token and a connection pool; the one that was used longest ago makes way."""
LONGEST_MS = 12 * 3_600_000


@dataclass(frozen=True, slots=True)
class Session:
    """One person with one token; `hub` asks with that token and no other."""

    person: Person
    hub: HubReader
    ends_ms: int


@dataclass(slots=True)
class Sessions:
    """Sessions by the random id that the cookie holds."""

    clock_ms: Callable[[], int]
    most: int = MOST_SESSIONS
    _all: OrderedDict[str, Session] = field(default_factory=OrderedDict)

    async def begin(self, person: Person, hub: HubReader) -> str:
        """Keep a session and return its id; it ends with the token, and after twelve hours."""
        now = self.clock_ms()
        await self.end_old()
        while len(self._all) >= self.most:
            await self.end(next(iter(self._all)))
        name = secrets.token_urlsafe(32)
        ends = min(person.expires_ms or now + LONGEST_MS, now + LONGEST_MS)
        self._all[name] = Session(person, hub, ends)
        return name

    def find(self, name: str) -> Session | None:
        """Return the session of an id, unless it has ended."""
        found = self._all.get(name)
        if found is None or found.ends_ms <= self.clock_ms():
            return None
        self._all.move_to_end(name)
        return found

    async def end(self, name: str) -> None:
        """Forget a session, its token and its connections."""
        found = self._all.pop(name, None)
        if found:
            await found.hub.close()

    async def end_old(self) -> None:
        """Forget those whose token has ended."""
        now = self.clock_ms()
        for name in [name for name, one in self._all.items() if one.ends_ms <= now]:
            await self.end(name)

    async def end_all(self) -> None:
        """Forget all."""
        for name in list(self._all):
            await self.end(name)

    def __len__(self) -> int:
        return len(self._all)
