"""However workloads and endpoints come and go, the count of orphans is that of a walk over all workloads."""

from __future__ import annotations

from typing import Any

from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from modelward.desired import adoption
from modelward.desired.target import deserted
from modelward.kube.client import Listing
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, STATEFUL_SET, Kind, Object
from modelward.kube.store import Store
from modelward.operator.endpoint.adopted import AdoptedWorkloads

PLACES, NAMES = strategies.sampled_from(["retail", "trade"]), strategies.sampled_from(["chat", "mail"])
WORKLOADS = strategies.sampled_from([DEPLOYMENT, STATEFUL_SET])


class AdoptedMachine(RuleBasedStateMachine):
    """A store that changes, and the count beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.store, self.version = Store(), 0
        self.adopted = AdoptedWorkloads(self.store)

    @rule(kind=WORKLOADS, place=PLACES, name=NAMES, by=strategies.none() | NAMES, injected=strategies.booleans())
    def deploy(self, kind: Kind, place: str, name: str, by: str | None, injected: bool) -> None:
        inits = [{"name": "modelward-collector"}] if injected else []
        labels = {"modelward.dev/adopted-by": by} if by else None
        spec = {"template": {"spec": {"initContainers": inits, "containers": []}}}
        metadata = self._obj(place, name)["metadata"] | ({"labels": labels} if labels else {})
        self.store.put(kind, {"kind": kind.kind, "metadata": metadata, "spec": spec})

    @rule(place=PLACES, name=NAMES, kind=WORKLOADS, to=NAMES, odd=strategies.booleans())
    def declare(self, place: str, name: str, kind: Kind, to: str, odd: bool) -> None:
        spec: Any = 7 if odd else {"backend": {"workloadRef": {"kind": kind.kind, "name": to}}}
        self.store.put(LLM_ENDPOINT, {**self._obj(place, name), "spec": spec})

    @rule(kind=strategies.sampled_from([LLM_ENDPOINT, DEPLOYMENT, STATEFUL_SET]), place=PLACES, name=NAMES)
    def delete(self, kind: Kind, place: str, name: str) -> None:
        self.store.remove(kind, self._obj(place, name))

    @rule(place=PLACES)
    def list_endpoints(self, place: str) -> None:
        self.version += 1
        self.store.sweep(LLM_ENDPOINT, Listing(self.store.list(LLM_ENDPOINT, place), str(self.version)), place)

    @invariant()
    def counts_as_a_walk_does(self) -> None:
        found = [(kind, one) for kind in (DEPLOYMENT, STATEFUL_SET) for one in self.store.list(kind)]
        marked = [(kind, one) for kind, one in found if one["metadata"].get("labels")]
        orphans = [(kind, one) for kind, one in marked if self._orphaned(one)]
        assert len(self.adopted) == len(marked)
        assert self.adopted.orphans() == len(orphans)
        assert all(self.adopted.orphaned(kind, one) == ((kind, one) in orphans) for kind, one in found)

    def _orphaned(self, workload: Object) -> bool:
        place = workload["metadata"]["namespace"]
        gone = deserted(workload, self.store.list(LLM_ENDPOINT, place))
        return gone and adoption.injected(workload) and self.store.synced(LLM_ENDPOINT, place)

    def _obj(self, place: str, name: str) -> Object:
        self.version += 1
        metadata = {"namespace": place, "name": name, "resourceVersion": str(self.version), "uid": "u"}
        return {"metadata": metadata}


AdoptedMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
TestAdoptedMachine = AdoptedMachine.TestCase
