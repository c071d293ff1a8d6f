"""The cluster's objects as the operator last showed them: in memory, within bounds, gone with the process."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from modelward.api.endpoint_status import LLMEndpointStatus
from modelward.api.shown_object import MAX_OBJECT_BYTES, ShownKind, ShownName

NAMESPACE_BYTES = 24 << 20
TOTAL_BYTES = 192 << 20
_ENTRY_BYTES = 300
"""What an entry takes beside its JSON, about."""


def readable_object(kind: ShownKind, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an object of which spec and status can be read; what cannot is as if it were not there."""
    spec, status = row.get("spec"), row.get("status")
    found = {**row, "spec": spec if isinstance(spec, Mapping) else {}, "status": {}}
    if kind == "MonitoringPolicy":
        found["spec"] = {
            **found["spec"],
            **{key: _rows(found["spec"].get(key)) for key in ("objectives", "evaluations")},
        }
    if kind == "LLMEndpoint":
        try:
            LLMEndpointStatus.model_validate(status)
        except ValueError:
            return found
    return {**found, "status": status if isinstance(status, Mapping) else {}}


def _rows(rows: Any) -> list[Mapping[str, Any]]:
    found = (one for one in (rows if isinstance(rows, list) else ()) if isinstance(one, Mapping))
    return [one for one in found if all(isinstance(one.get(key) or {}, Mapping) for key in ("check", "evaluatorRef"))]


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """One object as JSON, when it came, and in which telling of all."""

    data: bytes
    at_ms: int
    telling: str = ""

    def decoded(self) -> Mapping[str, Any]:
        """Return the object."""
        found: Mapping[str, Any] = orjson.loads(self.data)
        return found


@dataclass(slots=True)
class ShownObjects:
    """By namespace, kind and name. What does not fit in its namespace's share is refused, and only that.

    `id` tells this process from the one before: an operator that knows another id tells everything again.
    """

    clock_ms: Callable[[], int]
    namespace_bytes: int = NAMESPACE_BYTES
    total_bytes: int = TOTAL_BYTES
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    told_ms: int | None = None
    """When the operator last told of anything."""
    version: int = 0
    """Grows with each change."""
    _held: dict[str, dict[ShownKind, dict[str, ShownEntry]]] = field(default_factory=dict)
    _bytes: dict[str, int] = field(default_factory=dict)

    def put(self, name: ShownName, row: Mapping[str, Any], telling: str = "") -> bool:
        """Take an object in; False where it is too large or its namespace's share is used up."""
        data = orjson.dumps(readable_object(name.kind, row))
        before = self.get(name)
        size = len(data) + _ENTRY_BYTES - (len(before.data) + _ENTRY_BYTES if before else 0)
        own = self._bytes.get(name.namespace, 0)
        if len(data) > MAX_OBJECT_BYTES or own + size > self.namespace_bytes or self._total() + size > self.total_bytes:
            self.drop([name])
            return False
        self._held.setdefault(name.namespace, {}).setdefault(name.kind, {})[name.name] = ShownEntry(
            data, self.clock_ms(), telling
        )
        self._bytes[name.namespace] = own + size
        self.version += 1
        return True

    def drop(self, names: Iterable[ShownName]) -> None:
        """Forget objects."""
        for name in names:
            kinds = self._held.get(name.namespace, {})
            entry = kinds.get(name.kind, {}).pop(name.name, None)
            if entry is None:
                continue
            self.version += 1
            self._bytes[name.namespace] -= len(entry.data) + _ENTRY_BYTES
            if not any(kinds.values()):
                del self._held[name.namespace], self._bytes[name.namespace]

    def end_telling(self, telling: str, unseen: Collection[str] = ()) -> None:
        """Forget what a whole telling did not name; but nothing of `unseen` namespaces, which it could not see."""
        self.drop(
            [
                ShownName(kind, namespace, name)
                for namespace, kinds in list(self._held.items())
                if namespace not in unseen
                for kind, entries in kinds.items()
                for name, entry in list(entries.items())
                if entry.telling != telling
            ]
        )

    def get(self, name: ShownName) -> ShownEntry | None:
        """Return one object."""
        return self._held.get(name.namespace, {}).get(name.kind, {}).get(name.name)

    def each(self, kind: ShownKind, namespace: str) -> Iterator[tuple[str, ShownEntry]]:
        """Yield the objects of a kind in a namespace, with their names."""
        yield from list(self._held.get(namespace, {}).get(kind, {}).items())

    def namespaces(self, kind: ShownKind = "LLMEndpoint") -> list[str]:
        """Return the namespaces in which there is an object of a kind."""
        return sorted(namespace for namespace, kinds in self._held.items() if kinds.get(kind))

    def _total(self) -> int:
        return sum(self._bytes.values())
