"""Gathers all that is known of one endpoint before anything is decided."""

from __future__ import annotations

from modelward.api.evaluator import Evaluator
from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired import names
from modelward.desired.adoption import adopts
from modelward.desired.finding import Finding
from modelward.desired.target import deserted, references
from modelward.kube.errors import Forbidden
from modelward.kube.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    EVALUATOR,
    HORIZONTAL_POD_AUTOSCALER,
    LLM_ENDPOINT,
    POD,
    SERVICE,
    STATEFUL_SET,
    Kind,
    Object,
)
from modelward.operator.cache.listed import ListedObjects
from modelward.operator.cache.models import parsed, read
from modelward.operator.cache.policies import policies_in
from modelward.operator.consent import RawConsent
from modelward.operator.endpoint.gathered import Gathered, selector_text
from modelward.operator.runtime.context import Context
from modelward.reasons.accepted import AcceptedReason

_PODS_MS = 20_000
_SETTLED_PODS_MS = 600_000
"""While all pods of a workload are there and answer: it changes when one ceases to be ready."""
_AUTOSCALERS_MS = 60_000
_SERVICES_MS = 60_000


class Gatherer:
    """Reads from the store, and what the store does not hold from the server, remembered for some seconds."""

    def __init__(self, context: Context, consent: RawConsent) -> None:
        self._context = context
        self._listed = ListedObjects(context.client)
        self._scaled: dict[tuple[str, str], tuple[int | None, int | None]] = {}
        """What was wanted of each endpoint's workload, and what it had, when its autoscalers were looked for."""
        self._refused: dict[tuple[str, ...], Finding] = {}
        self._consent = consent

    async def gather(self, namespace: str, name: str, now_ms: int, *, silent: bool = False) -> Gathered | None:
        """Return all that is known, or None where the endpoint is gone. Raises ValidationError of its spec.

        `silent` says that some of its pods do not answer: they may be others by now.
        """
        store = self._context.store
        raw = store.get(LLM_ENDPOINT, namespace, name)
        if raw is None or raw["metadata"].get("deletionTimestamp"):
            return None
        endpoint = read(LLMEndpoint, raw)
        policies = policies_in(store, namespace)
        evaluators = parsed(Evaluator, store.list(EVALUATOR, namespace))
        workload = self._workload(endpoint)
        sharing = self._sharing(endpoint)
        gateway = store.get(DEPLOYMENT, namespace, names.gateway(name)) if endpoint.mode == "Gateway" else None
        rehearsal = store.get(DEPLOYMENT, namespace, names.rehearsal(name)) if adopts(endpoint) else None
        for what in ("pods", "autoscalers"):  # what was refused is requested again each time
            self._refused.pop((what, namespace, name), None)
        pods = await self._pods(endpoint, workload, now_ms, silent)
        autoscalers = await self._autoscalers(endpoint, workload, now_ms)
        return Gathered(
            endpoint=endpoint,
            raw=raw,
            policies=policies,
            evaluators={evaluator.metadata.name: evaluator for evaluator in evaluators},
            allow_raw=await self._consent.given(namespace, policies, now_ms),
            workload=workload,
            pods=pods,
            gateway=gateway,
            gateway_pods=store.list(POD, namespace, names.selector(name, "gateway")) if gateway else (),
            autoscalers=autoscalers,
            collector_config=store.get(CONFIG_MAP, namespace, names.collector_config(name)),
            rehearsal=rehearsal,
            rehearsing=store.list(POD, namespace, names.selector(name, "rehearsal")) if rehearsal else (),
            services=await self._services(endpoint, workload, now_ms),
            rivals=parsed(LLMEndpoint, sharing),
            deserted=workload is not None and deserted(workload, sharing),
            unlisted={key[0]: finding for key, finding in self._refused.items() if key[1:] == (namespace, name)},
        )

    def forget(self, namespace: str, name: str) -> None:
        """Drop what was remembered of an endpoint that is gone."""
        self._listed.forget(("pods", namespace, name))
        self._scaled.pop((namespace, name), None)
        for what in ("pods", "autoscalers"):
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
        referring = self._context.store.lookup(LLM_ENDPOINT, references)
        return referring.of(endpoint.metadata.namespace, (reference.kind, reference.name))

    async def _pods(
        self, endpoint: LLMEndpoint, workload: Object | None, now_ms: int, silent: bool
    ) -> tuple[Object, ...]:
        namespace, name = endpoint.metadata.namespace, endpoint.metadata.name
        if endpoint.spec.backend.template is not None:
            return self._context.store.list(POD, namespace, names.selector(name, "model"))
        if workload is None:
            return ()
        selector = selector_text(workload["spec"]["selector"])
        # An adopted pod carries no label of ours, so it is listed, again whenever its workload has changed.
        version = (workload["metadata"]["uid"], workload["metadata"]["resourceVersion"])
        key = ("pods", namespace, name)
        # What is being deleted is not counted in its workload, which does not change when it is gone.
        stay = not any(pod["metadata"].get("deletionTimestamp") for pod in self._listed.last(key).get(None, ()))
        for_ms = _SETTLED_PODS_MS if _settled(workload) and stay and not silent else _PODS_MS
        try:
            found = await self._listed.of(key, POD, namespace, now_ms, for_ms, selector=selector, version=version)
        except Forbidden as error:
            self._refused[key] = _refused(POD, error)
            return ()
        return found.get(None, ())

    async def _autoscalers(self, endpoint: LLMEndpoint, workload: Object | None, now_ms: int) -> tuple[Object, ...]:
        scaling, wanted = endpoint.spec.scaling, endpoint.spec.replicas
        if wanted is None and (scaling is None or scaling.mode == "Off"):
            return ()
        namespace, name = endpoint.metadata.namespace, endpoint.metadata.name
        replicas = None if workload is None else workload["spec"].get("replicas")
        # Listed again before anything is scaled: an autoscaler made a second ago must not be fought for a minute.
        due = workload is not None and wanted not in (None, replicas)
        anew = due and self._scaled.get((namespace, name)) != (wanted, replicas)
        for_ms, kind = (0 if anew else _AUTOSCALERS_MS), HORIZONTAL_POD_AUTOSCALER
        try:
            key = ("autoscalers", namespace)
            found = await self._listed.of(key, kind, namespace, now_ms, for_ms, group=_scale_target)
        except Forbidden as error:
            self._refused["autoscalers", namespace, name] = _refused(kind, error)
            return ()
        self._scaled[namespace, name] = (wanted, replicas)
        scaled = [("LLMEndpoint", name)] + ([(workload["kind"], workload["metadata"]["name"])] if workload else [])
        return tuple(one for target in scaled for one in found.get(target, ()))

    async def _services(self, endpoint: LLMEndpoint, workload: Object | None, now_ms: int) -> tuple[Object, ...]:
        if endpoint.mode != "Sidecar":
            return ()
        namespace = endpoint.metadata.namespace
        try:
            key = ("services", namespace)
            found = await self._listed.of(key, SERVICE, namespace, now_ms, _SERVICES_MS, group=_first_selected)
        except Forbidden as error:
            self._refused["services", namespace] = _refused(SERVICE, error)
            return ()
        template = (workload or {}).get("spec", {}).get("template", {})
        labels = (template.get("metadata") or {}).get("labels") or {}
        return tuple(one for label in labels.items() for one in found.get(label, ()))


def _refused(kind: Kind, error: Forbidden) -> Finding:
    return Finding(AcceptedReason.REFUSED, f"listing {kind.plural}: {error.message}"[:900])


def _scale_target(autoscaler: Object) -> tuple[str, str]:
    target = autoscaler["spec"]["scaleTargetRef"]
    return target["kind"], target["name"]


def _first_selected(service: Object) -> tuple[str, str] | None:
    """Return the first label that a Service selects pods by, which those that it leads to must have."""
    selector = (service.get("spec") or {}).get("selector") or {}
    return min(selector.items(), default=None)


def _settled(workload: Object) -> bool:
    """Return whether all pods of a workload are there and ready; when one ceases to be, the workload changes."""
    wanted, status = workload["spec"].get("replicas", 1), workload.get("status", {})
    counts = {status.get("replicas", 0), status.get("updatedReplicas", 0), status.get("readyReplicas", 0)}
    return counts == {wanted} and status.get("observedGeneration") == workload["metadata"].get("generation")
