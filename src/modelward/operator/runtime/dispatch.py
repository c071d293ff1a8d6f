"""Which work a change wakes, and who does it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from modelward.desired import names
from modelward.desired.target import reference_of, references
from modelward.kube.errors import NamespaceEnding
from modelward.kube.kinds import (
    ALERT_SILENCE,
    DEPLOYMENT,
    EVALUATION_RUN,
    EVALUATOR,
    JOB,
    LLM_ENDPOINT,
    MONITORING_POLICY,
    STATEFUL_SET,
    Kind,
    Object,
)
from modelward.operator.alerts.reconcile import AlertReconciler
from modelward.operator.endpoint.orphans import OrphanReconciler
from modelward.operator.endpoint.reconcile import EndpointReconciler
from modelward.operator.policies import PolicyReconciler
from modelward.operator.runs.reconcile import RunReconciler
from modelward.operator.runtime.context import Context
from modelward.operator.runtime.news import declared, reported
from modelward.operator.runtime.work_queue import WorkKey

log = logging.getLogger(__name__)


class Loops(Protocol):
    """What goes on beside reconciling."""

    async def run(self) -> None:
        """Run until cancelled."""


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Dispatches keys: `endpoint`, `policy`, `evaluator`, `run`, `adopted`; `schedule` and `alerts` of a namespace."""

    context: Context
    endpoints: EndpointReconciler
    policies: PolicyReconciler
    runs: RunReconciler
    orphans: OrphanReconciler
    alerts: AlertReconciler
    loops: Loops

    async def background(self) -> None:
        """Keep the readings and the hub's results fresh while this process leads."""
        await self.loops.run()

    async def reconcile(self, key: WorkKey) -> float | None:
        """Do the work of one key; return the seconds until it is due again, None too where its namespace goes."""
        try:
            return await self._work(key)
        except NamespaceEnding:
            log.info("left_alone=%s namespace=%s why=%r", key, key.namespace, "its namespace is being deleted")
            return None

    async def _work(self, key: WorkKey) -> float | None:
        match key.work:
            case "endpoint":
                return await self.endpoints.reconcile(key.namespace, key.name)
            case "policy":
                return await self.policies.policy(key.namespace, key.name)
            case "evaluator":
                return await self.policies.evaluator(key.namespace, key.name)
            case "run":
                return await self.runs.reconcile(key.namespace, key.name)
            case "schedule":
                return await self.runs.schedule(key.namespace)
            case "alerts":
                return await self.alerts.reconcile(key.namespace)
            case "adopted":
                return await self.orphans.release(key.namespace, key.name)
        raise ValueError(f"no work is called {key.work}")

    def fall_silent(self, namespace: str) -> None:
        """Export no numbers of a namespace that cannot be read any more: alerts would rest on them for ever."""
        for _, name in self.context.store.names(LLM_ENDPOINT, namespace):
            self.endpoints.series.fall_silent(namespace, name)

    def keys_for(self, kind: Kind, obj: Object, before: Object | None = None) -> Iterable[WorkKey]:
        """Yield the keys that a change of this object wakes, so that every dependent reconciles again.

        `before` is what it takes the place of; None, where that is not known, wakes all that may depend on it. What we
        report ourselves, a status, wakes only those who read it.
        """
        if kind.ours:
            yield from self._for_own(kind, obj, before)
        elif kind in (DEPLOYMENT, STATEFUL_SET):
            yield from self._for_workload(kind, obj)
        else:
            yield from _for_child(kind, obj)

    def _for_own(self, kind: Kind, obj: Object, before: Object | None) -> Iterable[WorkKey]:
        namespace, name = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
        anew = before is None or declared(before) != declared(obj)
        if kind == LLM_ENDPOINT:
            yield from self._for_endpoint(obj, None if anew else before)
        elif kind == MONITORING_POLICY:
            yield WorkKey("policy", namespace, name)
            yield from self._all("endpoint", LLM_ENDPOINT, namespace) if anew else ()
            flips = before is not None and reported(before, "conditions") != reported(obj, "conditions")
            yield from _carrier(obj) if flips else ()
            yield from (_alerts(namespace),) if anew and (obj.get("spec") or {}).get("alerts") else ()
        elif kind == EVALUATOR:
            yield WorkKey("evaluator", namespace, name)
            if before is None or anew or reported(before, "conditions") != reported(obj, "conditions"):
                yield from self._all("policy", MONITORING_POLICY, namespace)
                yield from self._all("endpoint", LLM_ENDPOINT, namespace)
        elif kind == ALERT_SILENCE:
            yield _alerts(namespace)
            yield from self._all("endpoint", LLM_ENDPOINT, namespace) if anew else ()
        elif kind == EVALUATION_RUN:
            yield WorkKey("run", namespace, name)
            yield WorkKey("schedule", namespace, "")

    def _all(self, work: str, kind: Kind, namespace: str) -> Iterable[WorkKey]:
        for _, name in self.context.store.names(kind, namespace):
            yield WorkKey(work, namespace, name)

    def _for_endpoint(self, obj: Object, before: Object | None) -> Iterable[WorkKey]:
        namespace, name = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
        yield WorkKey("endpoint", namespace, name)
        if before is None:
            yield WorkKey("schedule", namespace, "")
            yield from self._beside(obj)
        if reported(before or {}, "alerts") != reported(obj, "alerts") or (before is None and reported(obj, "alerts")):
            yield _alerts(namespace)
        if before is None or reported(before, "health") != reported(obj, "health"):
            yield from self._all("policy", MONITORING_POLICY, namespace)

    def _beside(self, endpoint: Object) -> Iterable[WorkKey]:
        """Yield what an endpoint leaves to others when it goes or refers elsewhere."""
        namespace, name = endpoint["metadata"].get("namespace", ""), endpoint["metadata"]["name"]
        for kind in (DEPLOYMENT, STATEFUL_SET):
            for workload in self.context.store.list(kind, namespace, {names.ADOPTED_BY: names.fit(name)}):
                yield WorkKey("adopted", namespace, f"{kind.kind}/{workload['metadata']['name']}")
        if reference := reference_of(endpoint):
            yield from self._referring(namespace, *reference)

    def _referring(self, namespace: str, kind: str, name: str) -> Iterable[WorkKey]:
        for endpoint in self.context.store.lookup(LLM_ENDPOINT, references).of(namespace, (kind, name)):
            yield WorkKey("endpoint", namespace, endpoint["metadata"]["name"])

    def _for_workload(self, kind: Kind, workload: Object) -> Iterable[WorkKey]:
        metadata = workload["metadata"]
        namespace, labels = metadata["namespace"], metadata.get("labels", {})
        if names.ENDPOINT in labels:
            yield WorkKey("endpoint", namespace, labels[names.ENDPOINT])
        if names.ADOPTED_BY in labels:
            yield WorkKey("adopted", namespace, f"{kind.kind}/{metadata['name']}")
        yield from self._referring(namespace, kind.kind, metadata["name"])


def _carrier(policy: Object) -> Iterable[WorkKey]:
    """Yield the endpoint whose alerts tell of a policy's budget."""
    if (policy.get("spec") or {}).get("budget"):
        bound = (policy.get("status") or {}).get("bindings") or ()
        yield from (WorkKey("endpoint", policy["metadata"]["namespace"], one["endpoint"]) for one in bound[:1])


def _alerts(namespace: str) -> WorkKey:
    return WorkKey("alerts", namespace, "")


def _for_child(kind: Kind, child: Object) -> Iterable[WorkKey]:
    """Yield the key of what a child was made for, by its labels."""
    metadata = child["metadata"]
    namespace, labels = metadata.get("namespace", ""), metadata.get("labels", {})
    if names.NOTIFY in labels:
        yield _alerts(namespace)
    elif kind == JOB and names.EVALUATOR in labels:
        yield WorkKey("evaluator", namespace, labels[names.EVALUATOR])
    elif kind == JOB:
        yield WorkKey("run", namespace, labels.get(names.RUN, metadata["name"]))
    elif names.ENDPOINT in labels:
        yield WorkKey("endpoint", namespace, labels[names.ENDPOINT])
