# ruff: noqa: ARG002 - the signatures are the client's
"""A fake API server behind the client's verbs: the real store, and a record of what was written.

Enough to see which writes the operator makes, and in which order. Its limits:

- apply merges the top level of an object and its metadata and knows no field managers: a field left out stays, and
  nothing is in conflict. A strict apply is a plain one, a dry run answers what it was given.
- list returns what the test put into `listed`, whatever the kind, namespace or selector.
- patch, delete and scale are recorded and change nothing.
- no admission, defaults, validation, watches, garbage collection or generations; what is created is at once in the
  store. A verb fails with what the test put into `refusals`.

What rests on any of these is tested on a real API server, in tests/faults and tests/cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from modelward.kube.client import Client, Listing
from modelward.kube.errors import ApiError, Conflict
from modelward.kube.kinds import Kind, Object, kind_of
from modelward.kube.scale import Scale
from modelward.kube.store import Store
from modelward.operator.runtime.context import Context
from modelward.operator.runtime.settings import Settings
from modelward.operator.runtime.telemetry import Telemetry
from modelward.operator.runtime.work_queue import Lane, WorkKey

SETTINGS = Settings("modelward-system", "collector", "modelward", status_interval_s=300.0)


class FakeApi:
    """Objects, and the writes to them in the order in which they came: (verb, kind, name), with their bodies."""

    def __init__(self) -> None:
        self.store = Store()
        self.telemetry = Telemetry()
        self.writes: list[tuple[str, str, str]] = []
        self.bodies: list[Any] = []
        self.listed: list[Object] = []
        self.refusals: dict[str, ApiError] = {}
        self.version = 0
        self.context = Context(cast(Client, self), self.store, SETTINGS, self.telemetry, self._enqueue)

    def put(self, obj: Object) -> Object:
        """Let the object be there, as a watch would show it."""
        self.version += 1
        metadata = {"uid": f"uid-of-{obj['metadata']['name']}", **obj["metadata"], "resourceVersion": str(self.version)}
        whole = {**obj, "metadata": metadata}
        self.store.put(kind_of(obj), whole)
        return whole

    async def find(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        return self.store.get(kind, namespace, name)

    async def about(self, kind: Kind, namespace: str | None, name: str) -> Mapping[str, Any] | None:
        if "about" in self.refusals:
            raise self.refusals["about"]
        found = self.store.get(kind, namespace, name)
        return found["metadata"] if found else None

    async def list(self, kind: Kind, namespace: str | None = None, *, label_selector: str | None = None) -> Listing:
        return Listing(tuple(self.listed), str(self.version))

    async def create(self, obj: Object) -> Object:
        if self.store.get(kind_of(obj), obj["metadata"]["namespace"], obj["metadata"]["name"]) is not None:
            raise Conflict(409, "AlreadyExists", "there is one")
        return self._write("create", obj)

    async def apply(self, obj: Object, manager: str, *, strict: bool = False, dry_run: bool = False) -> Object:
        if dry_run:
            return obj
        before = self.store.get(kind_of(obj), obj["metadata"]["namespace"], obj["metadata"]["name"]) or {}
        return self._write("apply", {**before, **obj, "metadata": {**before.get("metadata", {}), **obj["metadata"]}})

    async def apply_status(self, obj: Object, manager: str) -> Object:
        before = self.store.get(kind_of(obj), obj["metadata"]["namespace"], obj["metadata"]["name"]) or {}
        return self._write("status", {**before, "status": obj["status"]})

    async def patch(self, kind: Kind, namespace: str, name: str, patch: Object) -> Object:
        self._note("patch", kind.kind, name, patch)
        return {}

    async def delete(self, kind: Kind, namespace: str, name: str, **preconditions: str) -> bool:
        self._note("delete", kind.kind, name, preconditions)
        return True

    async def set_scale(self, kind: Kind, namespace: str, name: str, replicas: int, **more: Any) -> Scale:
        self._note("scale", kind.kind, name, replicas)
        return Scale(replicas, replicas, "", "", "")

    async def event(self, regarding: Object, *, type: str, reason: str, note: str) -> None:  # noqa: A002
        self._note("event", reason, regarding["metadata"]["name"], note)

    def verbs(self, *names: str) -> tuple[tuple[str, str, str], ...]:
        """Return the writes by these verbs."""
        return tuple(write for write in self.writes if write[0] in names)

    def _write(self, verb: str, obj: Object) -> Object:
        self._note(verb, obj["kind"], obj["metadata"]["name"], obj)
        return self.put(obj)

    def _note(self, verb: str, kind: str, name: str, body: Any) -> None:
        if verb in self.refusals:
            raise self.refusals[verb]
        self.writes.append((verb, kind, name))
        self.bodies.append(body)

    def _enqueue(self, key: WorkKey, lane: Lane = Lane.SPEC, after: float = 0.0) -> None:
        self.writes.append(("enqueue", key.work, key.name))
        self.bodies.append(None)
