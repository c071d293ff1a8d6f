"""Which key is due next: deduplicated, in two lanes, never one key twice at a time. Pure; time is passed in."""

import heapq
from enum import StrEnum
from itertools import count
from typing import NamedTuple


class Key(NamedTuple):
    """One piece of work: what kind of work (`endpoint`), and on which object."""

    work: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.work}/{self.namespace}/{self.name}"


class Lane(StrEnum):
    """What people changed goes in a lane of its own, so that it never waits behind periodic refreshes."""

    SPEC = "spec"
    STATUS = "status"


class Item(NamedTuple):
    """A key that waits: its lane, when it is due, when it was first asked for; `serial` tells stale heap entries."""

    lane: Lane
    due: float
    added: float
    serial: int


class Schedule:
    """The keys that wait and those that are worked on. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._pending: dict[Key, Item] = {}
        self._heaps: dict[Lane, list[tuple[float, int, Key]]] = {lane: [] for lane in Lane}
        self._active: dict[Key, float] = {}
        self._serial = count()

    def add(self, key: Key, lane: Lane, due: float, now: float) -> bool:
        """Ask for a key at a time; asked twice, the spec lane and the earlier time win. False if that changes nothing.

        A key that is being worked on waits until that is done and is then taken once more.
        """
        before = self._pending.get(key)
        if before is not None:
            lane = Lane.SPEC if Lane.SPEC in (lane, before.lane) else Lane.STATUS
            due = min(due, before.due)
            if (lane, due) == (before.lane, before.due):
                return False
        added = max(now, due) if before is None else min(max(now, due), before.added)
        item = Item(lane, due, added, next(self._serial))
        self._pending[key] = item
        heapq.heappush(self._heaps[lane], (due, item.serial, key))
        return True

    def take(self, lane: Lane, now: float) -> tuple[Key, float] | None:
        """The key of a lane that is due the longest and is not being worked on, with the seconds it waited."""
        heap = self._heaps[lane]
        while heap and heap[0][0] <= now:
            _, serial, key = heapq.heappop(heap)
            item = self._pending.get(key)
            if item is None or item.serial != serial or key in self._active:
                continue
            del self._pending[key]
            self._active[key] = now
            return key, max(0.0, now - item.added)
        return None

    def done(self, key: Key) -> None:
        """The work on a key ended; if it was asked for meanwhile, it may be taken again."""
        del self._active[key]
        item = self._pending.get(key)
        if item is not None:
            heapq.heappush(self._heaps[item.lane], (item.due, item.serial, key))

    def next_due(self, lane: Lane) -> float | None:
        """When the next key of a lane may become due; at the latest then look again."""
        heap = self._heaps[lane]
        while heap and self._is_stale(heap[0]):
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def depth(self, lane: Lane, now: float) -> int:
        """How many keys of a lane are due and wait."""
        return sum(item.lane == lane and item.due <= now for item in self._pending.values())

    def active(self) -> dict[Key, float]:
        """The keys that are worked on, with the time at which they were taken."""
        return dict(self._active)

    def _is_stale(self, entry: tuple[float, int, Key]) -> bool:
        item = self._pending.get(entry[2])
        return item is None or item.serial != entry[1] or entry[2] in self._active
