"""What a namespace may hold of the store: who has more loses its own oldest exchanges only."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from modelward.hub.errors import HubError, store_full
from modelward.hub.index import Index, on_disk
from modelward.hub.objects import ObjectStore
from modelward.hub.turns import Turns

log = logging.getLogger(__name__)
GIB = 1 << 30
UNKNOWN_STORE_BYTES = 1_000 * GIB
"""What an object store counts as, because its size is unknown."""
MAX_OBJECTS = 100_000
"""Objects of one namespace: a bound on the hub's memory, about 60 MB. The chart's default has room for several."""
FULL_PERCENT, TRIM_PERCENT, USABLE_PERCENT = 95, 98, 95


@dataclass(frozen=True, slots=True)
class Size:
    """How large the store is and how much of it one namespace may hold, in bytes.

    `bounded` says that nothing but us keeps it from growing beyond, as in an emptyDir whose pod is evicted then.
    """

    store: int
    share: int
    bounded: bool = False


def size_of(store_url: str, store_bytes: int | None, share_bytes: int | None) -> Size:
    """Return the store's size, and the share that is requested; by default a tenth of the store, at least 1 GiB."""
    path = urlsplit(store_url)
    known = store_bytes
    if known is None and path.scheme == "file":
        Path(path.path).mkdir(parents=True, exist_ok=True)
        known = shutil.disk_usage(path.path).total
    size = known or UNKNOWN_STORE_BYTES
    return Size(size, share_bytes or max(GIB, size // 10), bounded=store_bytes is not None)


@dataclass(frozen=True, slots=True)
class NamespaceUse:
    """What a namespace holds of its share, in bytes; `full` when its oldest make way, or its newest were refused."""

    namespace: str
    bytes: int
    share: int
    full: bool


@dataclass(slots=True)
class Shares:
    """Makes room for what is about to be written; `trimmed` receives how many exchanges went."""

    objects: ObjectStore
    index: Index
    size: Size
    trimmed: Callable[[int], None]
    max_objects: int = MAX_OBJECTS
    _turns: Turns = field(default_factory=lambda: Turns(8, 1))
    _refused: set[str] = field(default_factory=set)
    _last: dict[str, int] = field(default_factory=dict)
    """What the newest object of each namespace takes: of a small share that is more than a few percent."""

    async def make_room(self, namespace: str, size: int) -> None:
        """Delete the namespace's oldest exchanges until so many bytes fit; HubError 507 when they do not."""
        need = on_disk(size)
        async with self._turns.of(namespace):
            used, count = self.index.usage(namespace)
            self._last[namespace] = need
            if need > self.size.share:
                raise store_full("this batch is larger than the share of its namespace")
            if used + need > self.size.share or count >= self.max_objects:
                await self._trim(namespace, need)
            if self.size.bounded and self.index.total() + need > self.size.store * USABLE_PERCENT // 100:
                raise store_full("all namespaces together have filled it")

    def written(self, namespace: str, error: HubError | None) -> None:
        """Note whether the store took what a namespace sent last."""
        if error is not None and error.status == 507:
            self._refused.add(namespace)
        else:
            self._refused.discard(namespace)

    def uses(self, others: Iterable[str] = ()) -> list[NamespaceUse]:
        """Return what each namespace holds, also `others` that hold nothing."""
        named = self.index.namespaces() | self._refused | {*others}
        self._last = {namespace: need for namespace, need in self._last.items() if namespace in named}
        return [self._use(namespace) for namespace in sorted(named)]

    def _use(self, namespace: str) -> NamespaceUse:
        used, count = self.index.usage(namespace)
        share = self.size.share
        near = used * 100 >= share * FULL_PERCENT or count * 100 >= self.max_objects * FULL_PERCENT
        near = near or used + self._last.get(namespace, 0) > share
        return NamespaceUse(namespace, used, share, near or namespace in self._refused)

    async def _trim(self, namespace: str, need: int) -> None:
        """Delete somewhat more than needed, so that a full namespace is not trimmed for each object."""
        used, count = self.index.usage(namespace)
        over = used + need - self.size.share * TRIM_PERCENT // 100
        surplus = count + 1 - self.max_objects * TRIM_PERCENT // 100
        gone = []
        for item in self.index.oldest(namespace):
            if over <= 0 and surplus <= 0:
                break
            gone.append(item)
            over -= on_disk(item.size)
            surplus -= 1
        await self.objects.delete([item.path for item in gone])
        self.index.remove(gone)
        exchanges = sum(item.count for item in gone)
        self.trimmed(exchanges)
        log.warning(
            "share exceeded namespace=%s share_bytes=%d deleted_objects=%d deleted_exchanges=%d next=%r",
            namespace, self.size.share, len(gone), exchanges, "shorten keepFor, sample less, or raise the share",
        )  # fmt: skip
