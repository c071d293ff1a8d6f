"""All that is known of one endpoint before anything is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelward.api.evaluator import Evaluator
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired import names
from modelward.desired.adoption import adopts
from modelward.desired.finding import Finding
from modelward.desired.target import refers
from modelward.kube.errors import ApiError, Forbidden
from modelward.kube.kinds import (
    DEPLOYMENT,
    EVALUATOR,
    HORIZONTAL_POD_AUTOSCALER,
    LLM_ENDPOINT,
    MONITORING_POLICY,
    NAMESPACE,
    POD,
    SERVICE,
    STATEFUL_SET,
    Object,
)
from modelward.operator.cache.models import parsed, read
from modelward.operator.runtime.context import Context
from modelward.reasons.accepted import AcceptedReason

_PODS_MS = 20_000
_SETTLED_PODS_MS = 60_000
_NAMESPACE_MS = 60_000
_AUTOSCALERS_MS = 60_000
_SERVICES_MS = 60_000


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one reconcile rests on; nothing is looked up after it."""

    endpoint: LLMEndpoint
    raw: Object
    policies: tuple[MonitoringPolicy, ...]
    evaluators: Mapping[str, Evaluator]
    allow_raw: bool
    workload: Object | None
    pods: tuple[Object, ...]
    gateway: Object | None
    gateway_pods: tuple[Object, ...]
    autoscalers: tuple[Object, ...]
    rehearsal: Object | None = None
    rehearsing: tuple[Object, ...] = ()
    """The pods of the rehearsal before an adoption."""
    services: tuple[Object, ...] = ()
    """All Services of the namespace where a sidecar may be bypassed, else none."""
    sharing: tuple[Object, ...] = ()
    """The LLMEndpoints that refer to the same workload, as they are stored, this one among them."""
    unlisted: Mapping[str, Finding] = field(default_factory=dict)
    """What the API server refused to list, `pods` or `autoscalers`, in its own words; then there are none of it."""

    @property
    def key(self) -> str:
        """`namespace/name`, by which exchanges and readings name the endpoint."""
        return f"{self.endpoint.metadata.namespace}/{self.endpoint.metadata.name}"


class Gatherer:
    """Reads from the store, and what the store does not hold from the server, remembered for some seconds."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._remembered: dict[tuple[str, ...], tuple[int, Any, tuple[Object, ...]]] = {}
        self._refused: dict[tuple[str, ...], Finding] = {}
        self._raw_allowed: dict[str, tuple[int, bool]] = {}

    async def gather(self, namespace: str, name: str, now_ms: int) -> Gathered | None:
        """Return all that is known, or None where the endpoint is gone. Raises ValidationError of its spec."""
        store = self._context.store
        raw = store.get(LLM_ENDPOINT, namespace, name)
        if raw is None or raw["metadata"].get("deletionTimestamp"):
            return None
        endpoint = read(LLMEndpoint, raw)
        policies = parsed(MonitoringPolicy, store.list(MONITORING_POLICY, namespace))
        evaluators = parsed(Evaluator, store.list(EVALUATOR, namespace))
        workload = self._workload(endpoint)
        gateway = store.get(DEPLOYMENT, namespace, names.gateway(name)) if endpoint.mode == "Gateway" else None
        rehearsal = store.get(DEPLOYMENT, namespace, names.rehearsal(name)) if adopts(endpoint) else None
        for what in ("pods", "autoscalers"):  # what was refused is asked for anew each time
            self._refused.pop((what, namespace, name), None)
        pods = await self._pods(endpoint, workload, now_ms)
        autoscalers = await self._autoscalers(endpoint, workload, now_ms)
        return Gathered(
            endpoint=endpoint,
            raw=raw,
            policies=policies,
            evaluators={evaluator.metadata.name: evaluator for evaluator in evaluators},
            allow_raw=await self._allow_raw(namespace, policies, now_ms),
            workload=workload,
            pods=pods,
            gateway=gateway,
            gateway_pods=store.list(POD, namespace, names.selector(name, "gateway")) if gateway else (),
            autoscalers=autoscalers,
            rehearsal=rehearsal,
            rehearsing=store.list(POD, namespace, names.selector(name, "rehearsal")) if rehearsal else (),
            services=await self._services(endpoint, now_ms),
            sharing=self._sharing(endpoint),
            unlisted={key[0]: finding for key, finding in self._refused.items() if key[1:] == (namespace, name)},
        )

    def forget(self, namespace: str, name: str) -> None:
        """Drop what was remembered of an endpoint that is gone."""
        for what in ("pods", "autoscalers"):
            self._remembered.pop((what, namespace, name), None)
            self._refused.pop((what, namespace, name), None)

    def _workload(self, endpoint: LLMEndpoint) -> Object | None:
        namespace, store = endpoint.metadata.namespace, self._context.store
        reference = endpoint.spec.backend.workload_ref
        if reference is not None:
            kind = DEPLOYMENT if reference.kind == "Deployment" else STATEFUL_SET
            return store.get(kind, namespace, reference.name)
        if endpoint.spec.backend.template is not None:
            return store.get(DEPLOYMENT, namespace, names.model_workload(endpoint.metadata.name))
        return None

    def _sharing(self, endpoint: LLMEndpoint) -> tuple[Object, ...]:
        reference = endpoint.spec.backend.workload_ref
        if reference is None:
            return ()
        stored = self._context.store.list(LLM_ENDPOINT, endpoint.metadata.namespace)
        return tuple(one for one in stored if refers(one, reference.kind, reference.name))

    async def _pods(self, endpoint: LLMEndpoint, workload: Object | None, now_ms: int) -> tuple[Object, ...]:
        namespace, name = endpoint.metadata.namespace, endpoint.metadata.name
        if endpoint.spec.backend.template is not None:
            return self._context.store.list(POD, namespace, names.selector(name, "model"))
        if workload is None:
            return ()
        selector = selector_text(workload["spec"]["selector"])
        # An adopted pod carries no label of ours, so it is listed, anew whenever its workload has changed.
        version = (workload["metadata"]["uid"], workload["metadata"]["resourceVersion"])
        for_ms = _SETTLED_PODS_MS if _settled(workload) else _PODS_MS
        return await self._listed(("pods", namespace, name), version, now_ms, for_ms, POD, namespace, selector)

    async def _allow_raw(self, namespace: str, policies: Sequence[MonitoringPolicy], now_ms: int) -> bool:
        if all(policy.spec.capture.content != "Full" for policy in policies):
            return False
        at_ms, allowed = self._raw_allowed.get(namespace, (0, False))
        if not 0 <= now_ms - at_ms < _NAMESPACE_MS:
            try:
                found = await self._context.client.find(NAMESPACE, None, namespace)
            except Forbidden:
                found = None
            except ApiError:  # no answer is none of them: what was allowed a minute ago holds until there is one
                return allowed
            annotations = found["metadata"].get("annotations", {}) if found else {}
            allowed = annotations.get(names.ALLOW_RAW_PAYLOADS) == "true"
            self._raw_allowed[namespace] = (now_ms, allowed)
        return allowed

    async def _autoscalers(self, endpoint: LLMEndpoint, workload: Object | None, now_ms: int) -> tuple[Object, ...]:
        scaling, wanted = endpoint.spec.scaling, endpoint.spec.replicas
        if wanted is None and (scaling is None or scaling.mode == "Off"):
            return ()
        namespace, name = endpoint.metadata.namespace, endpoint.metadata.name
        # Looked for anew before anything is scaled: an autoscaler made a second ago must not be fought for a minute.
        version = (wanted, (workload or {}).get("spec", {}).get("replicas"))
        key, kind = ("autoscalers", namespace, name), HORIZONTAL_POD_AUTOSCALER
        return await self._listed(key, version, now_ms, _AUTOSCALERS_MS, kind, namespace, None)

    async def _services(self, endpoint: LLMEndpoint, now_ms: int) -> tuple[Object, ...]:
        if endpoint.mode != "Sidecar":
            return ()
        namespace = endpoint.metadata.namespace
        return await self._listed(("services", namespace), None, now_ms, _SERVICES_MS, SERVICE, namespace, None)

    async def _listed(
        self,
        key: tuple[str, ...],
        version: Any,
        now_ms: int,
        for_ms: int,
        kind: Any,
        namespace: str | None,
        selector: str | None,
    ) -> tuple[Object, ...]:
        at_ms, of_version, items = self._remembered.get(key, (0, None, ()))
        if of_version == version and 0 <= now_ms - at_ms < for_ms:
            return items
        try:
            listing = await self._context.client.list(kind, namespace, label_selector=selector)
        except Forbidden as error:
            self._refused[key] = Finding(AcceptedReason.REFUSED, f"listing {kind.plural}: {error.message}"[:900])
            return ()
        self._remembered[key] = (now_ms, version, listing.items)
        return listing.items


def _settled(workload: Object) -> bool:
    """Tell whether all pods of a workload are there and ready; when one ceases to be, the workload changes."""
    wanted, status = workload["spec"].get("replicas", 1), workload.get("status", {})
    counts = {status.get("replicas", 0), status.get("updatedReplicas", 0), status.get("readyReplicas", 0)}
    return counts == {wanted} and status.get("observedGeneration") == workload["metadata"].get("generation")


def selector_text(selector: Mapping[str, Any]) -> str:
    """Return a label selector as the API server takes it in a query."""
    parts = [f"{key}={value}" for key, value in sorted(selector.get("matchLabels", {}).items())]
    for line in selector.get("matchExpressions", ()):
        values = ",".join(line.get("values", ()))
        words = {"In": f"{line['key']} in ({values})", "NotIn": f"{line['key']} notin ({values})"}
        words |= {"Exists": line["key"], "DoesNotExist": f"!{line['key']}"}
        parts.append(words[line["operator"]])
    return ",".join(parts)
