"""One namespace with an operator, and whoever asks before an apply: what is foretold, and what is then written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

from desired_specimens import policy
from merging_api import MergingApi

from modelward.cli.cluster.installation import Setup
from modelward.cli.preflight.examine import Examination
from modelward.desired import names
from modelward.kube.client import Client
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, Object
from modelward.operator.endpoint.plan import due, label, pruned
from modelward.operator.runtime import assembly

NOW_MS = 1_795_480_000_000
API = "modelward.dev/v1alpha1"
SETUP = Setup(None, "not read")


@dataclass(frozen=True)
class Writes:
    """What is written besides status and Events: applies by (manager, kind, name), replicas, and deletions."""

    applied: tuple[tuple[str, str, str], ...] = ()
    scaled: tuple[str, str, int] | None = None
    deleted: frozenset[tuple[str, str]] = frozenset()


class Bench:
    """One namespace, an operator for it, and whoever asks before an apply."""

    def __init__(self) -> None:
        self.api = MergingApi()
        self.reconciler = assembly.build(self.api.context, lambda: NOW_MS)
        self.authority = ""
        self.installed("first")
        self.api.put({"apiVersion": API, "kind": "MonitoringPolicy", **policy("baseline").model_dump(by_alias=True)})

    def installed(self, authority: str) -> None:
        self.authority = authority
        self.reconciler.endpoints.installed._now = replace(SETUP.installation, hub_ca_pem=authority)

    async def foretold(self, wanted: Object) -> Writes:
        """Return what a preflight of a file with the endpoint says of its reconcile."""
        examination = Examination(cast(Client, self.api), (wanted,), SETUP, self.authority)
        ((_, answer),) = await examination.placed()
        found = await examination.subject("retail", "chat", answer)
        actual = {label(trial.child.obj): trial.actual for trial in found.trials}
        refused = {label(trial.child.obj) for trial in found.trials if trial.refused is not None}
        written = [child for child in found.plan.apply if label(child.obj) not in refused]
        write, owned = found.plan.replicas, self.api.store.owned_by(found.view.endpoint.metadata.uid)
        return Writes(
            tuple((one.manager, *_place(one.obj)) for one in written if due(one, actual.get(label(one.obj)))),
            (write.kind.kind, write.name, write.replicas) if write is not None else None,
            frozenset(_place(obj) for obj in pruned(found.plan, owned)) if not refused else frozenset(),
        )

    async def done(self, wanted: Object) -> Writes:
        """Apply the file, reconcile once, and return what that wrote."""
        before = self.api.store.get(LLM_ENDPOINT, "retail", "chat") or {}
        self.api.put({**before, **wanted, "metadata": {**before.get("metadata", {}), **wanted["metadata"]}})
        self.api.writes.clear()
        self.api.bodies.clear()
        self.api.applied.clear()
        await self.reconciler.endpoints.reconcile("retail", "chat")
        bodies = zip(self.api.writes, self.api.bodies, strict=True)
        scaled = [(kind, name, body) for (verb, kind, name), body in bodies if verb == "scale"]
        assert len(scaled) <= 1
        gone = frozenset((kind, name) for _, kind, name in self.api.verbs("delete"))
        return Writes(tuple(self.api.applied), scaled[0] if scaled else None, gone)

    async def settle(self) -> None:
        """Reconcile until nothing is written, with the rehearsal's pod started."""
        for _ in range(6):
            self.api.writes.clear()
            self.start_rehearsal()
            await self.reconciler.endpoints.reconcile("retail", "chat")
            if not self.api.verbs("apply", "delete", "scale", "patch"):
                return
        raise AssertionError(f"does not come to rest: {self.api.writes}")

    def start_rehearsal(self) -> None:
        found = self.api.store.get(DEPLOYMENT, "retail", names.rehearsal("chat"))
        if found is None:
            return
        template = found["spec"]["template"]["metadata"]
        metadata = {**template, "name": "tried", "namespace": "retail"}
        status = {"containerStatuses": [{"name": names.COLLECTOR, "ready": True}]}
        self.api.put({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}, "status": status})


def _place(obj: Object) -> tuple[str, str]:
    return obj["kind"], obj["metadata"]["name"]


def endpoint(spec: dict[str, Any], **metadata: Any) -> Object:
    about = {"name": "chat", "namespace": "retail", **metadata}
    return {"apiVersion": API, "kind": "LLMEndpoint", "metadata": about, "spec": spec}


async def assert_agreement(bench: Bench, wanted: Object) -> None:
    foretold = await bench.foretold(wanted)
    assert await bench.done(wanted) == foretold
    await bench.settle()
    rest = await bench.foretold(wanted)
    assert rest == Writes(), "what is in place is not written again"


def bare(labels: dict[str, str]) -> Object:
    """Return a pod that runs and has no collector."""
    metadata = {"name": "old", "namespace": "retail", "labels": labels}
    status = {"phase": "Running", "podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": []}, "status": status}
