"""A namespace where specs are changed step by step, and all that a step can show in: children, status, the hub's rules.

The cluster's own controllers are held still meanwhile, so that whatever changes was written by the operator.
"""

from __future__ import annotations

import asyncio
import copy
import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self

from calls import Recorded, writing
from control_plane import ControlPlane
from driver import Driver
from snapshot import KINDS, differences
from user import API, TEAM, User, deployment

from modelward.kube.client import Client, Listing
from modelward.kube.errors import ApiError, Conflict
from modelward.kube.kinds import EVALUATION_RUN, EVALUATOR, LLM_ENDPOINT, MONITORING_POLICY, Kind, Object, kind_of
from modelward.operator.hub.budgets import terms_now
from modelward.operator.runtime.process import WATCHED

Verb = Literal["apply", "replace"]
Spec = dict[str, Any]
OWN: Mapping[str, Kind] = {kind.kind: kind for kind in (LLM_ENDPOINT, MONITORING_POLICY, EVALUATOR, EVALUATION_RUN)}
_MOST_ROUNDS = 12
_NOTES = frozenset({"modelward.dev/template-hash", "modelward.dev/injected-generation", "modelward.dev/applied-hash"})
"""Annotations that move with what was written even where it has no effect."""
_COUNTS = frozenset({"generation", "observedGeneration", "changes", "lastTransitionTime", "observedAt", "healthSince"})
"""What moves with any change of a spec, so that it says nothing of this one."""
_BIRTH = frozenset({"uid", "creationTimestamp", "clusterIP", "clusterIPs"})
"""What is another one each time that a child is no longer wanted and then is again."""


@dataclass(frozen=True, slots=True)
class Look:
    """A namespace at one moment: `children` as they are, and `shows` without all that moves with any change."""

    children: Mapping[str, Object]
    shows: Mapping[str, Any]
    own: Mapping[str, Object]

    def condition(self, label: str, type_: str) -> str:
        """Return `status reason` of a condition of one of our objects (`Kind/name`)."""
        found = self.own[label].get("status", {}).get("conditions", ())
        return next((f"{one['status']} {one['reason']}" for one in found if one["type"] == type_), "")


@dataclass(slots=True)
class Declared:
    """What a user declares in one namespace, with one life of the operator over it."""

    user: User
    driver: Driver
    specs: dict[str, Spec] = field(default_factory=dict)
    """What is declared, by `Kind/name`, as the API server completed it."""
    now: Look = field(default_factory=lambda: Look({}, {}, {}))
    read: dict[Kind, Listing] = field(default_factory=dict)
    """What was listed last of each kind."""
    changed: set[str] = field(default_factory=set)
    """The plurals of which something was written since."""

    @classmethod
    async def settled(cls, client: Client, namespace: str, driver: Driver) -> Self:
        """Make the namespace with the workloads of other owners that endpoints may refer to."""
        await client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        here = cls(User(client, namespace), driver)
        for workload in workloads():
            await here.user.apply(workload, "platform")
        return here

    async def declare(self, kind: str, name: str, spec: Spec, verb: Verb = "apply") -> str:
        """Put a spec in place; return the refusal, empty where it was taken."""
        metadata: Object = {"name": name, "namespace": self.user.namespace, "labels": TEAM}
        obj = {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": copy.deepcopy(spec)}
        try:
            there = await self.user.client.find(OWN[kind], self.user.namespace, name) if verb == "replace" else None
            if there is None:
                taken = await self.user.client.apply(obj, "user", strict=True)
            else:
                obj["metadata"] = {**metadata, "resourceVersion": there["metadata"]["resourceVersion"]}
                taken = await self.user.client.replace(obj, manager="user")
        except ApiError as error:
            return error.message
        self.specs[f"{kind}/{name}"] = taken["spec"]
        self.changed.add(OWN[kind].plural)
        self.driver.see(OWN[kind], taken)
        return ""

    async def settle(self) -> Look:
        """Reconcile until a round writes nothing, then look."""
        mark = len(self.driver.proxy.recorded)
        for _ in range(_MOST_ROUNDS):
            await self.driver.round()
            # Who scales a workload for us learns its version by the next list, and is refused until then.
            assert not [one for one in self.driver.failed.values() if not isinstance(one, Conflict)], self.driver.failed
            written = [one.call for one in self.driver.proxy.since(mark) if _changed(one)]
            if not written and not self.driver.failed:
                return self.now
            self.changed |= {call.plural for call in written}
            self.now = await self.look()
            mark = len(self.driver.proxy.recorded)
        raise AssertionError(f"still writing: {[str(call) for call in written]}")

    async def look(self) -> Look:
        """Return what there is now, and let the operator know it.

        Only the kinds are listed again of which the operator or the user wrote something: all others are held still.
        """
        stale = [kind for kind in KINDS if kind not in self.read or kind.plural in self.changed]
        listings = await asyncio.gather(*(self.user.client.list(kind, self.user.namespace) for kind in stale))
        for kind, listing in zip(stale, listings, strict=True):
            self._show(kind, listing)
        self.read |= zip(stale, listings, strict=True)
        self.changed.clear()
        items = {
            f"{item['kind']}/{item['metadata']['name']}": item
            for listing in self.read.values()
            for item in listing.items
        }
        own = {label: item for label, item in items.items() if item["kind"] in OWN}
        for label, item in own.items():
            self.specs[label] = item["spec"]  # replicas have other writers too
        children = {label: _unversioned(item) for label, item in items.items() if label not in own}
        statuses = {label: _telling(item.get("status", {})) for label, item in own.items()}
        rules = dict(self.driver.reconciler.endpoints.hub.rules())
        budgets = {f"{one.namespace}/{one.policy}": asdict(one.limits) for one in terms_now(self.driver.store)}
        told = {"hub": rules, "budgets": budgets}
        shows = {**{label: _telling(item) for label, item in children.items()}, **statuses, **told}
        return Look(children, shows, own)

    async def verify(self) -> None:
        """Hold that what was not read again has not changed."""
        known = self.now
        self.read.clear()
        assert difference(known.children, (await self.look()).children) == []

    def _show(self, kind: Kind, listing: Listing) -> None:
        """Sweep a list into the operator's store as its own sweep would."""
        for watched in WATCHED:
            if watched.kind == kind:
                wanted = dict(label.split("=") for label in watched.label_selector.split(",") if label)
                items = (item for item in listing.items if wanted.items() <= item["metadata"].get("labels", {}).items())
                swept = replace(listing, items=tuple(items))
                self.driver.store.sweep(kind, swept, self.user.namespace)


def _changed(one: Recorded) -> bool:
    """Return whether a request changed something: what is refused is tried again and again, and changes nothing."""
    return writing(one.call) and one.committed < 300


def workloads() -> Sequence[Object]:
    """Return workloads of another owner: one clear case of each kind, and one of each obstacle."""
    ports = [{"containerPort": 8000}]
    server = {"name": "server", "image": "modelward.invalid/vllm:0", "ports": ports}
    second = {"name": "second", "image": "modelward.invalid/vllm:0"}
    plain, other, many = deployment("my-vllm"), deployment("my-other"), deployment("my-many")
    recreated, networked = deployment("my-recreated", strategy={"type": "Recreate"}), deployment("my-networked")
    networked["spec"]["template"]["spec"]["hostNetwork"] = True
    networked["spec"]["template"]["spec"]["containers"][0]["ports"] = [{"containerPort": 8000, "hostPort": 8000}]
    many["spec"]["template"]["spec"]["containers"] = [server, {**server, "name": "other"}]
    stateful = deployment("my-set", serviceName="my-set")
    stateful["kind"] = "StatefulSet"
    stateful["spec"]["template"]["spec"]["containers"] = [server, second]
    taken = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "taken"},
        "spec": {"type": "ClusterIP", "selector": {"app": "theirs"}, "ports": [{"port": 80}]},
    }
    return (plain, other, many, recreated, networked, stateful, taken)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return where two readings differ, a line each."""
    return differences(dict(before), dict(after))


@contextmanager
def held_still(control_plane: ControlPlane) -> Iterator[None]:
    """Stop the controller-manager for as long as the block lasts."""
    noted = json.loads((control_plane.state / "run" / "controller-manager.json").read_text())
    os.kill(noted["pid"], signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(noted["pid"], signal.SIGCONT)


def _unversioned(item: Object) -> Object:
    metadata = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    kept = {key: value for key, value in item.items() if key != "status"}
    return {**kept, "metadata": {**metadata, "managers": _managers(item)}}


def _managers(item: Object) -> list[Any]:
    entries = item["metadata"].get("managedFields", ())
    return sorted((entry["manager"], entry["operation"], json.dumps(entry.get("fieldsV1"))) for entry in entries)


def _telling(value: Any, key: str = "") -> Any:
    """Return what is left when all that moves with any change of a spec is taken out."""
    if isinstance(value, dict):
        dropped = _COUNTS | _NOTES | _BIRTH | {"managers", "resourceVersion"}
        if key == "appliedPolicies":
            dropped |= {"generation"}
        return {name: _telling(inner, name) for name, inner in value.items() if name not in dropped}
    if isinstance(value, list):
        return [_telling(inner, key) for inner in value]
    return value


def kind_label(obj: Object) -> str:
    """Name an object as readings do."""
    return f"{kind_of(obj).kind}/{obj['metadata']['name']}"
