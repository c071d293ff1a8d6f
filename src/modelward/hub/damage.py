"""What was found damaged in the store: counted, and set aside for a day, so that it costs nothing but itself."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from modelward.hub.layout import HOUR_MS, ExchangeObject, exchange_object
from modelward.hub.objects import ObjectStore

log = logging.getLogger(__name__)
DamageKind = Literal[
    "object", "row", "result", "rules", "keys", "audit", "scope", "budget", "scores", "calibration", "labels", "history"
]
PREFIX = "damaged/"
KEEP_MS = 24 * HOUR_MS
_REMEMBERED = 10_000


@dataclass(slots=True)
class Damage:
    """Counts by `counted(kind, how many)`, each object once, and moves objects to `damaged/{when, ms}/{path}`."""

    objects: ObjectStore
    counted: Callable[[DamageKind, int], None]
    clock_ms: Callable[[], int]
    suspects: set[str] = field(default_factory=set)
    """Objects of exchanges that the next sweep rewrites without what is damaged."""
    _seen: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def found(self, kind: DamageKind, path: str, count: int = 1) -> None:
        """Count and log damage, the first time that it is met."""
        if path in self._seen:
            return
        self._seen[path] = None
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        if kind in ("object", "row") and len(self.suspects) < _REMEMBERED:
            self.suspects.add(path)
        self.counted(kind, count)
        log.error("damaged kind=%s path=%r count=%d", kind, path, count)

    async def set_aside(self, path: str) -> None:
        """Move an object out of the way; HubError when the store refuses."""
        await self.objects.move(path, f"{PREFIX}{self.clock_ms():013d}/{path}")

    async def expired(self, may_stay: Callable[[ExchangeObject], bool]) -> list[str]:
        """Return the paths whose day is over, and those of which something may no longer be kept.

        What is damaged cannot be cut down to what a rule leaves, so it goes whole.
        """
        old_ms = self.clock_ms() - KEEP_MS
        gone = []
        async for path, _ in self.objects.paths(PREFIX):
            when, _, original = path.removeprefix(PREFIX).partition("/")
            item = exchange_object(original)
            if not when.isdigit() or int(when) < old_ms or (item and not may_stay(item)):
                gone.append(path)
        return gone
