"""How many workloads carry a sidecar of an endpoint, and of how many that endpoint is gone: counted as they change."""

from __future__ import annotations

from collections import Counter

from modelward.desired import adoption, names
from modelward.desired.target import deserted, references
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, STATEFUL_SET, Kind, Object, name_of, namespace_of
from modelward.kube.store import Store

_Place = tuple[Kind, str, str]


class AdoptedWorkloads:
    """Follows the store; asked as often as one likes at no cost of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._deserted: dict[_Place, bool] = {}
        self._orphans: Counter[str] = Counter()
        for kind in (DEPLOYMENT, STATEFUL_SET):
            for workload in store.list(kind):
                self._note(kind, workload)
        store.subscribe(self._changed)

    def __len__(self) -> int:
        """How many workloads are marked as adopted."""
        return len(self._deserted)

    def orphans(self) -> int:
        """How many of them have a sidecar and no endpoint, in namespaces whose endpoints are all known."""
        return sum(number for place, number in self._orphans.items() if self._store.synced(LLM_ENDPOINT, place))

    def orphaned(self, kind: Kind, workload: Object) -> bool:
        """Whether a workload has a sidecar and no endpoint, as far as that is known."""
        place = namespace_of(workload)
        known = self._deserted.get((kind, place, name_of(workload)), False)
        return known and self._store.synced(LLM_ENDPOINT, place)

    def _changed(self, kind: Kind, obj: Object) -> None:
        if kind in (DEPLOYMENT, STATEFUL_SET):
            self._note(kind, obj)
        elif kind == LLM_ENDPOINT:
            for each in (DEPLOYMENT, STATEFUL_SET):
                for workload in self._store.list(each, namespace_of(obj), {names.ADOPTED_BY: names.fit(name_of(obj))}):
                    self._note(each, workload)

    def _note(self, kind: Kind, workload: Object) -> None:
        place = (kind, namespace_of(workload), name_of(workload))
        self._orphans[place[1]] -= self._deserted.pop(place, False)
        marked = names.ADOPTED_BY in (workload["metadata"].get("labels") or {})
        if marked and self._store.get(*place) is not None:
            self._deserted[place] = adoption.injected(workload) and self._without_endpoint(kind, workload)
            self._orphans[place[1]] += self._deserted[place]
        if not self._orphans[place[1]]:
            del self._orphans[place[1]]

    def _without_endpoint(self, kind: Kind, workload: Object) -> bool:
        referring = self._store.lookup(LLM_ENDPOINT, references)
        return deserted(workload, referring.of(namespace_of(workload), (kind.kind, name_of(workload))))
