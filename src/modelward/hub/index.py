"""What lies in the store per endpoint and hour, known from names alone, so that reading starts at the right objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from modelward.hub.layout import ExchangeObject, hour_of

BLOCK_BYTES = 4_096


def on_disk(size: int) -> int:
    """Return what an object of so many bytes takes up: whole blocks, since many small ones fill a disk too."""
    return max(1, -(-size // BLOCK_BYTES)) * BLOCK_BYTES


@dataclass(frozen=True, slots=True)
class Holding:
    """What is kept of one endpoint."""

    endpoint: str
    exchanges: int
    oldest_ms: int
    newest_ms: int


@dataclass(slots=True)
class Index:
    """All exchange objects of the store, by endpoint and hour; the store itself stays the truth."""

    _objects: dict[str, dict[str, dict[str, ExchangeObject]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )

    _usage: dict[str, tuple[int, int]] = field(default_factory=dict)
    _names: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def clear(self) -> None:
        """Forget everything, before the store is listed again."""
        self._objects.clear()
        self._usage.clear()
        self._names.clear()

    def add(self, item: ExchangeObject) -> None:
        """Note an object that is in the store."""
        self.remove([item])
        self._objects[item.endpoint][item.hour][item.path] = item
        self._names[item.namespace].add(item.endpoint)
        self._count(item, 1)

    def remove(self, items: Iterable[ExchangeObject]) -> None:
        """Forget objects that were deleted."""
        for item in items:
            hours = self._objects[item.endpoint]
            if known := hours[item.hour].pop(item.path, None):
                self._count(known, -1)
            if not hours[item.hour]:
                del hours[item.hour]
            if not hours:
                del self._objects[item.endpoint]
                self._forget(item)

    def _forget(self, item: ExchangeObject) -> None:
        self._names[item.namespace].discard(item.endpoint)
        if not self._names[item.namespace]:
            del self._names[item.namespace]

    def _count(self, item: ExchangeObject, sign: int) -> None:
        used, objects = self._usage.get(item.namespace, (0, 0))
        self._usage[item.namespace] = used + sign * on_disk(item.size), objects + sign
        if self._usage[item.namespace][1] == 0:
            del self._usage[item.namespace]

    def usage(self, namespace: str) -> tuple[int, int]:
        """Return the bytes on the disk and the number of objects of a namespace."""
        return self._usage.get(namespace, (0, 0))

    def total(self) -> int:
        """Return the bytes on the disk of all namespaces."""
        return sum(used for used, _ in self._usage.values())

    def namespaces(self) -> set[str]:
        """Return the namespaces of which there is anything."""
        return set(self._usage)

    def endpoints_of(self, namespace: str) -> list[str]:
        """Return the endpoints of a namespace of which there is anything; threads may ask."""
        return list(self._names.get(namespace, ()))

    def oldest(self, namespace: str) -> Iterator[ExchangeObject]:
        """Yield the objects of a namespace, oldest first, by the hour and then by when their last exchange ended."""
        by_hour: dict[str, list[ExchangeObject]] = defaultdict(list)
        for endpoint in self.endpoints_of(namespace):
            for hour, items in self._objects[endpoint].items():
                by_hour[hour] += items.values()
        for hour in sorted(by_hour):
            yield from sorted(by_hour[hour], key=lambda item: item.last_ms)

    def between(self, endpoint: str, from_ms: int, to_ms: int) -> list[ExchangeObject]:
        """Return the objects that may hold exchanges of [from, to), oldest first."""
        first, last = hour_of(from_ms), hour_of(max(from_ms, to_ms - 1))
        hours = self._objects.get(endpoint, {})
        found = (item for hour, items in hours.items() if first <= hour <= last for item in items.values())
        return sorted((i for i in found if i.last_ms >= from_ms and i.first_ms < to_ms), key=lambda i: i.first_ms)

    def of(self, endpoint: str) -> list[ExchangeObject]:
        """Return all objects of an endpoint, newest first."""
        hours = self._objects.get(endpoint, {})
        return sorted((item for items in hours.values() for item in items.values()), key=lambda i: -i.last_ms)

    def endpoints(self) -> list[str]:
        """Return the endpoints of which there is anything."""
        return list(self._objects)

    def hours(self) -> Iterator[tuple[str, str, list[ExchangeObject]]]:
        """Yield endpoint, hour and objects, as a copy, because the original may change."""
        for endpoint, hours in list(self._objects.items()):
            for hour, items in list(hours.items()):
                yield endpoint, hour, list(items.values())

    def holdings(self, until_ms: int) -> list[Holding]:
        """Return what is kept of each endpoint, by name; what seems newer than `until_ms` is no news of it.

        It was stored before the clock was set back, and would make a quiet endpoint look busy until that time comes.
        """
        return [_holding(endpoint, self.of(endpoint), until_ms) for endpoint in sorted(self._objects)]

    def newest_ms(self, until_ms: int) -> int:
        """Return when the newest exchange of all endpoints ended, up to a time; 0 where there is none."""
        times = (item.last_ms for _, _, items in self.hours() for item in items)
        return max((at_ms for at_ms in times if at_ms <= until_ms), default=0)

    def size(self) -> int:
        """Return how many objects there are."""
        return sum(len(items) for hours in self._objects.values() for items in hours.values())


def _holding(endpoint: str, items: list[ExchangeObject], until_ms: int) -> Holding:
    return Holding(
        endpoint,
        exchanges=sum(item.count for item in items),
        oldest_ms=min(item.first_ms for item in items),
        newest_ms=max((item.last_ms for item in items if item.last_ms <= until_ms), default=0),
    )
