"""What is listed and not watched: remembered for some seconds, and shared by all endpoints that ask for the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from modelward.kube.client import Client
from modelward.kube.kinds import Kind, Object
from modelward.kube.slim import slim

Groups = dict[Hashable, tuple[Object, ...]]
GroupBy = Callable[[Object], Hashable]


@dataclass(frozen=True, slots=True)
class _Listed:
    """What one list gave: when (ms), of which version of what it depends on, and its objects by group."""

    at_ms: int
    version: Hashable
    groups: Groups


@dataclass(slots=True)
class ListedObjects:
    """Lists of the API server, each by a key of the caller's."""

    client: Client
    _known: dict[Hashable, _Listed] = field(default_factory=dict)

    async def of(
        self,
        key: Hashable,
        kind: Kind,
        namespace: str,
        now_ms: int,
        for_ms: int,
        *,
        selector: str | None = None,
        version: Hashable = None,
        group: GroupBy = lambda _: None,
    ) -> Groups:
        """Return the objects by group, as they were listed at most `for_ms` ago under this key and version.

        Raises ApiError; then what was known stays known.
        """
        known = self._known.get(key)
        if known is None or known.version != version or not 0 <= now_ms - known.at_ms < for_ms:
            listing = await self.client.list(kind, namespace, label_selector=selector)
            items = (slim(kind, item) for item in listing.items)
            known = self._known[key] = _Listed(now_ms, version, _grouped(items, group))
        return known.groups

    def last(self, key: Hashable) -> Groups:
        """Return what was listed last under a key, however long ago; nothing where nothing was."""
        known = self._known.get(key)
        return {} if known is None else known.groups

    def forget(self, key: Hashable) -> None:
        """Drop what was listed under a key."""
        self._known.pop(key, None)


def _grouped(items: Iterable[Object], group: GroupBy) -> Groups:
    found: dict[Hashable, list[Object]] = {}
    for item in items:
        found.setdefault(group(item), []).append(item)
    return {key: tuple(objects) for key, objects in found.items()}
