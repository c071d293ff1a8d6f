"""Which key is due next: deduplicated, in two lanes, never one key twice at a time, and namespaces in turn.

Pure; time is passed in.
"""

import heapq
from collections import OrderedDict
from enum import StrEnum
from itertools import count
from typing import NamedTuple


class WorkKey(NamedTuple):
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
    """A key that waits: its lane, when it is due, when it was first requested; `serial` marks stale heap entries."""

    lane: Lane
    due: float
    added: float
    serial: int


Entry = tuple[float, int, WorkKey]
"""When a key is due, the serial of its item, and the key."""


class WorkQueue:
    """The keys that wait and those that are worked on. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._pending: dict[WorkKey, Item] = {}
        self._heaps: dict[Lane, list[Entry]] = {lane: [] for lane in Lane}
        self._due: dict[Lane, OrderedDict[str, list[Entry]]] = {lane: OrderedDict() for lane in Lane}
        """What is due, by namespace; the namespace whose turn it is comes first."""
        self._active: dict[WorkKey, float] = {}
        self._serial = count()

    def add(self, key: WorkKey, lane: Lane, due: float, now: float) -> bool:
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

    def take(self, lane: Lane, now: float) -> tuple[WorkKey, float] | None:
        """A key of a lane that is due and is not being worked on, with the seconds it waited.

        Namespaces take turns, and of each the key that is due the longest goes first: one with thousands of keys makes
        the others wait for one of them and not for all.
        """
        self._sort_due(lane, now)
        turns = self._due[lane]
        while turns:
            namespace, waiting = turns.popitem(last=False)
            self._drop_stale(waiting)
            if not waiting:
                continue
            _, _, key = heapq.heappop(waiting)
            if waiting:
                turns[namespace] = waiting  # at the end again
            self._active[key] = now
            return key, max(0.0, now - self._pending.pop(key).added)
        return None

    def _sort_due(self, lane: Lane, now: float) -> None:
        heap = self._heaps[lane]
        while heap and heap[0][0] <= now:
            entry = heapq.heappop(heap)
            if not self._is_stale(entry):
                heapq.heappush(self._due[lane].setdefault(entry[2].namespace, []), entry)

    def _drop_stale(self, heap: list[Entry]) -> None:
        while heap and self._is_stale(heap[0]):
            heapq.heappop(heap)

    def done(self, key: WorkKey) -> None:
        """The work on a key ended; if it was requested since, it may be taken again."""
        del self._active[key]
        item = self._pending.get(key)
        if item is not None:
            heapq.heappush(self._heaps[item.lane], (item.due, item.serial, key))

    def next_due(self, lane: Lane) -> float | None:
        """When the next key of a lane may become due; check again then at the latest."""
        heaps = (self._heaps[lane], *self._due[lane].values())
        for heap in heaps:
            self._drop_stale(heap)
        return min((heap[0][0] for heap in heaps if heap), default=None)

    def depth(self, lane: Lane, now: float) -> int:
        """How many keys of a lane are due and wait; may be asked from any thread."""
        return sum(item.lane == lane and item.due <= now for item in tuple(self._pending.values()))

    def active(self) -> dict[WorkKey, float]:
        """The keys that are worked on, with the time at which they were taken."""
        return dict(self._active)

    def _is_stale(self, entry: Entry) -> bool:
        item = self._pending.get(entry[2])
        return item is None or item.serial != entry[1] or entry[2] in self._active
