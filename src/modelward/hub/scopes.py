"""What Jobs found of scopes: one small object each, so that a scope is checked once and not by every Job."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import orjson

from modelward.api.scope import ScopeFacts, scope_facts_from_json, scope_facts_to_json
from modelward.hub import layout
from modelward.hub.damage import Damage
from modelward.hub.errors import HubError
from modelward.hub.layout import ScopeObject
from modelward.hub.objects import ObjectStore

KEEP_MS = 30 * 24 * layout.HOUR_MS
"""Then a scope is checked again, if it is in use; this is how those that are not go."""
MOST_OF_NAMESPACE = 100
"""Of at most 2 kB each; beyond, the oldest go."""


@dataclass(slots=True)
class ScopeStore:
    """Facts by namespace and key; the key is made of all that they rest on, so they never change."""

    objects: ObjectStore
    damage: Damage
    clock_ms: Callable[[], int]
    _known: dict[str, dict[str, ScopeObject]] = field(default_factory=dict)

    async def load(self) -> None:
        """Learn which there are."""
        self._known = {}
        async for path, _ in self.objects.paths(layout.SCOPES_PREFIX):
            if one := layout.scope_object(path):
                self._note(one)

    async def put(self, namespace: str, key: str, facts: ScopeFacts) -> None:
        """Store facts, unless those of this key are there; the oldest of the namespace make way for more."""
        if key in self._known.get(namespace, {}):
            return
        new = ScopeObject(namespace, key, self.clock_ms())
        self._note(new)  # at once, so that who puts the same meanwhile writes no twin
        try:
            await self.objects.put(new.path, orjson.dumps(scope_facts_to_json(facts)))
        except HubError:
            self._forget(new)
            raise
        self._note(new)
        await self._drop(sorted(self._known[namespace].values(), key=lambda one: one.at_ms)[:-MOST_OF_NAMESPACE])

    async def get(self, namespace: str, key: str) -> bytes | None:
        """Return the JSON of facts; None where there are none, or what is there is damaged."""
        one = self._known.get(namespace, {}).get(key)
        if one is None:
            return None
        data = await self.objects.get(one.path)
        if data is None:
            self._forget(one)  # or it would be in the way of new ones
            return None
        try:
            scope_facts_from_json(orjson.loads(data))
        except (ValueError, RecursionError):
            self.damage.found("scope", one.path)
            await self._drop([one])
            return None
        return data

    async def erase(self, namespace: str) -> None:
        """Delete all of a namespace."""
        await self._drop(list(self._known.get(namespace, {}).values()))

    async def drop_old(self, namespaces: Collection[str] | None = None) -> None:
        """Delete what was stored too long ago, or by a clock that was far ahead.

        `namespaces` are those that have endpoints; None where that is not known.
        """
        now_ms = self.clock_ms()
        everything = [one for found in self._known.values() for one in found.values()]
        gone = [one for one in everything if namespaces is not None and one.namespace not in namespaces]
        await self._drop([*gone, *(one for one in everything if abs(now_ms - one.at_ms) > KEEP_MS)])

    async def _drop(self, gone: list[ScopeObject]) -> None:
        await self.objects.delete([one.path for one in gone])
        for one in gone:
            self._forget(one)

    def _note(self, one: ScopeObject) -> None:
        self._known.setdefault(one.namespace, {})[one.key] = one

    def _forget(self, one: ScopeObject) -> None:
        found = self._known.get(one.namespace, {})
        if found.get(one.key) == one:
            del found[one.key]
        if not found:
            self._known.pop(one.namespace, None)
