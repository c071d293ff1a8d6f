# ruff: noqa: ARG002 - the signatures are the client's
"""A cluster in memory whose applies merge as the API server's do, and which notes who applied what.

Its limits: a field that its manager leaves out stays, but for the spec of an LLMEndpoint and what an adoption put in;
only replicas have owners, versions are no preconditions, and no controller acts: pods come when a test puts them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fake_api import FakeApi

from modelward.desired import names
from modelward.kube.client import Listing
from modelward.kube.kinds import Kind, Object, kind_of
from modelward.kube.scale import Scale
from modelward.operator.endpoint.difference import identity, merge_keys


class MergingApi(FakeApi):
    """Answers dry runs with what an apply would make; `applied` holds (manager, kind, name) in order."""

    def __init__(self) -> None:
        super().__init__()
        self.applied: list[tuple[str, str, str]] = []

    async def apply(self, obj: Object, manager: str, *, strict: bool = False, dry_run: bool = False) -> Object:
        made = self._made(obj, manager)
        if dry_run:
            return made
        self.applied.append((manager, obj["kind"], obj["metadata"]["name"]))
        return self._write("apply", made)

    async def patch(self, kind: Kind, namespace: str, name: str, patch: Object, **_: Any) -> Object:
        return self._write("patch", merged(self.store.get(kind, namespace, name) or {}, patch))

    async def list(self, kind: Kind, namespace: str | None = None, *, label_selector: str | None = None) -> Listing:
        labels = dict(pair.split("=") for pair in (label_selector or "").split(",") if pair)
        return Listing(self.store.list(kind, namespace, labels), str(self.version))

    async def delete(self, kind: Kind, namespace: str, name: str, **preconditions: str) -> bool:
        self._note("delete", kind.kind, name, preconditions)
        gone = self.store.get(kind, namespace, name) or {}
        self.version += 1
        self.store.remove(kind, {**gone, "metadata": {**gone["metadata"], "resourceVersion": str(self.version)}})
        return True

    async def set_scale(self, kind: Kind, namespace: str, name: str, replicas: int, **more: Any) -> Scale:
        there = self.store.get(kind, namespace, name) or {}
        self.put({**there, "spec": {**there["spec"], "replicas": replicas}})
        return await super().set_scale(kind, namespace, name, replicas, **more)

    def _made(self, obj: Object, manager: str) -> Object:
        before = self.store.get(kind_of(obj), obj["metadata"]["namespace"], obj["metadata"]["name"]) or {}
        metadata = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
        made: Object = merged(before, {**obj, "metadata": metadata})
        if obj["kind"] == "LLMEndpoint":
            made["spec"] = obj["spec"]  # as of the manager who wrote all of it
        if manager == names.ADOPT_MANAGER and "spec" not in obj:
            made = withdrawn(made)
        made["metadata"].setdefault("uid", f"uid-of-{metadata['name']}")
        if "replicas" in obj.get("spec", ()):
            entry = {"manager": manager, "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
            others = [one for one in made["metadata"].get("managedFields", ()) if one["manager"] != manager]
            made["metadata"]["managedFields"] = [*others, entry]
        return made


def withdrawn(workload: Object) -> Object:
    """Return an adopted workload without what its adoption put in."""
    metadata, template = workload["metadata"], workload["spec"]["template"]
    labels = {key: value for key, value in metadata.get("labels", {}).items() if key != names.ADOPTED_BY}
    pod = {key: value for key, value in template["spec"].items() if key not in ("initContainers", "volumes")}
    spec = {**workload["spec"], "template": {**template, "spec": pod}}
    return {**workload, "metadata": {**metadata, "labels": labels, "annotations": {}}, "spec": spec}


def merged(there: Any, wanted: Any) -> Any:
    """Return what is there with what is wanted on top: lists by the keys by which the API server merges them."""
    if isinstance(there, Mapping) and isinstance(wanted, Mapping):
        return {**there, **{key: merged(there.get(key), value) for key, value in wanted.items()}}
    keys = merge_keys(wanted) if isinstance(wanted, list | tuple) else None
    if keys is None or not isinstance(there, list):
        return list(wanted) if isinstance(wanted, tuple) else wanted
    ours = {identity(one, keys): one for one in wanted}
    kept = [merged(one, ours.pop(identity(one, keys), {})) for one in there]
    return [*kept, *ours.values()]
