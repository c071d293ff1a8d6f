"""What `modelward preflight` finds out: reads the cluster, asks it by dry runs, and writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from modelward.api.base import API_VERSION
from modelward.api.evaluator import Evaluator
from modelward.api.form import in_words
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.cli.cluster.installation import Setup, setup
from modelward.cli.cluster.reading import reading
from modelward.cli.preflight.bypass import bypass_notes
from modelward.cli.preflight.dry_run import Applied, applied, lacks_right
from modelward.cli.preflight.effect import Effect, Subject, Trial, plan, preflight
from modelward.cli.preflight.monitoring import evaluator_effect, policy_effect
from modelward.cli.rendering import RenderError
from modelward.cli.rendering import parsed as strictly_parsed
from modelward.desired import names
from modelward.desired.children import Child
from modelward.desired.evaluators import block_of
from modelward.desired.finding import Finding
from modelward.desired.monitoring_plan import merge_policies
from modelward.job.installed import catalogue
from modelward.kube.client import Client
from modelward.kube.errors import ApiError, Forbidden, Invalid, NotFound
from modelward.kube.kinds import (
    DEPLOYMENT,
    EVALUATOR,
    HORIZONTAL_POD_AUTOSCALER,
    LLM_ENDPOINT,
    MONITORING_POLICY,
    NAMESPACE,
    STATEFUL_SET,
    Kind,
    Object,
    kind_of,
)
from modelward.operator.cache.models import parsed as readable
from modelward.operator.endpoint.apply import name_taken, refused
from modelward.reasons.accepted import AcceptedReason


async def examined(
    documents: Iterable[Any], kubeconfig: str | None, namespace: str, system_namespace: str
) -> tuple[Effect, ...]:
    """Return what applying the documents would do, in their order; objects without a namespace go to `namespace`."""
    objects = [_placed(document, namespace) for document in documents if isinstance(document, Mapping)]
    async with Client.connect(kubeconfig) as client:
        known = await setup(await reading(client, system_namespace), system_namespace)
        examination = _Examination(client, objects, known)
        return await examination.effects()


def _placed(document: Mapping[str, Any], namespace: str) -> Object:
    metadata = dict(document.get("metadata") or {})
    if document.get("kind") != NAMESPACE.kind:
        metadata["namespace"] = metadata.get("namespace") or namespace
    return {**document, "metadata": metadata}


@dataclass(slots=True)
class _After:
    """What a namespace would hold: what is there, with the file's objects in their place."""

    endpoints: dict[str, LLMEndpoint] = field(default_factory=dict)
    policies: dict[str, MonitoringPolicy] = field(default_factory=dict)
    evaluators: dict[str, Evaluator] = field(default_factory=dict)
    allow_raw: bool = False
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Examination:
    """One file against one cluster."""

    client: Client
    objects: Sequence[Object]
    setup: Setup
    _after: dict[str, _After] = field(default_factory=dict)

    async def effects(self) -> tuple[Effect, ...]:
        """Ask about every object of ours first, since each decides with the others of its namespace."""
        ours = [obj for obj in self.objects if obj.get("apiVersion") == API_VERSION]
        asked = [(obj, await self._asked(obj)) for obj in ours]
        for obj, answer in asked:
            await self._place(obj, answer)
        return tuple([await self._effect(obj, answer) for obj, answer in asked])

    async def _asked(self, obj: Object) -> Applied:
        try:
            kind_of(obj)
            if not obj["metadata"].get("name"):
                return Applied(None, obj, Finding(AcceptedReason.INVALID_SPEC, "metadata.name is missing"))
            answer = await applied(self.client, obj)
            if answer.untried and answer.refused is None:
                strictly_parsed(obj)
            return _as_read(obj, answer)
        except LookupError as error:
            return Applied(None, obj, Finding(AcceptedReason.INVALID_SPEC, str(error)))
        except RenderError as error:
            return Applied(None, obj, Finding(AcceptedReason.INVALID_SPEC, str(error)))

    async def _place(self, obj: Object, answer: Applied) -> None:
        namespace, name = obj["metadata"]["namespace"], obj["metadata"].get("name", "")
        after = self._after.get(namespace)
        if after is None:
            after = self._after[namespace] = await self._namespace(namespace)
        if answer.refused is not None:
            return
        model = _MODELS[obj["kind"]].model_validate(answer.after) if obj["kind"] in _MODELS else None
        if isinstance(model, LLMEndpoint):
            after.endpoints[name] = model
        elif isinstance(model, MonitoringPolicy):
            after.policies[name] = model
        elif isinstance(model, Evaluator):
            after.evaluators[name] = model

    async def _namespace(self, namespace: str) -> _After:
        after, notes = _After(), []
        for kind in (LLM_ENDPOINT, MONITORING_POLICY, EVALUATOR):
            try:
                items = (await self.client.list(kind, namespace)).items
            except ApiError as error:
                notes.append(f"{kind.plural} of namespace {namespace} could not be read: {error.message}")
                continue
            for model in readable(_MODELS[kind.kind], items):
                if isinstance(model, LLMEndpoint):
                    after.endpoints[model.metadata.name] = model
                elif isinstance(model, MonitoringPolicy):
                    after.policies[model.metadata.name] = model
                elif isinstance(model, Evaluator):
                    after.evaluators[model.metadata.name] = model
        after.allow_raw, after.notes = await self._allows_raw(namespace), tuple(notes)
        return after

    async def _allows_raw(self, namespace: str) -> bool:
        written = [obj for obj in self.objects if obj.get("kind") == NAMESPACE.kind]
        try:
            found = await self.client.find(NAMESPACE, None, namespace)
        except ApiError:
            found = None
        found = found or next((obj for obj in written if obj["metadata"].get("name") == namespace), None)
        return ((found or {"metadata": {}})["metadata"].get("annotations") or {}).get(
            names.ALLOW_RAW_PAYLOADS
        ) == "true"

    async def _effect(self, obj: Object, answer: Applied) -> Effect:
        kind, metadata = obj["kind"], obj["metadata"]
        place = (str(kind), str(metadata["namespace"]), str(metadata.get("name", "?")))
        notes: tuple[str, ...] = (answer.untried,) if answer.untried else ()
        if answer.refused is not None:
            return Effect(*place, "Refused", answer.refused.message, reason=answer.refused.reason)
        after = self._after[metadata["namespace"]]
        notes += after.notes
        if kind == "LLMEndpoint":
            return preflight((await self._subject(after, metadata["name"], answer, notes),))[0]
        if kind == "MonitoringPolicy":
            policy = after.policies[metadata["name"]]
            evaluators = catalogue().of_policies(after.policies.values(), after.evaluators)
            return policy_effect(policy, after.endpoints, after.policies, evaluators, after.allow_raw, notes)
        if kind == "Evaluator":
            evaluator = after.evaluators[metadata["name"]]
            found = catalogue().resolve(block_of(evaluator.spec, evaluator.metadata.name))
            return evaluator_effect(evaluator, found, notes)
        return Effect(*place, "Nothing", "it concerns no model server", notes=notes)

    async def _subject(self, after: _After, name: str, answer: Applied, notes: tuple[str, ...]) -> Subject:
        endpoint = after.endpoints[name]
        before = _before(answer.before)
        workload, unread = await self._workload(endpoint)
        autoscaler, unlisted = await self._autoscaler(endpoint, workload)
        notes += tuple(
            filter(None, (unread, unlisted, *await bypass_notes(self.client, self.objects, endpoint, workload)))
        )
        policies = tuple(after.policies.values())
        evaluators = catalogue().of_policies(policies, after.evaluators)
        asked = merge_policies(endpoint, policies, evaluators, allow_raw=after.allow_raw)
        planned = plan(endpoint, asked, self.setup.installation, workload, after.endpoints.values())
        if isinstance(planned, Finding):
            return Subject(before, endpoint, workload, obstacle=planned, notes=notes)
        if self.setup.problem:
            notes += (f"the installation's settings are not known, images are stand-ins: {self.setup.problem}",)
        trials = await self._trials(endpoint, planned)
        return Subject(before, endpoint, workload, trials, notes=notes, autoscaler=autoscaler)

    async def _autoscaler(self, endpoint: LLMEndpoint, workload: Object | None) -> tuple[str, str]:
        """Find who drives the workload's replicas, or why that is not known; it matters where a number is declared."""
        if workload is None or endpoint.spec.replicas is None:
            return "", ""
        try:
            found = (await self.client.list(HORIZONTAL_POD_AUTOSCALER, endpoint.metadata.namespace)).items
        except ApiError as error:
            return "", f"if a HorizontalPodAutoscaler drives the workload, its replicas stay: {error.message}"
        driven = (workload["kind"], workload["metadata"]["name"])
        targets = {one["metadata"]["name"]: one["spec"]["scaleTargetRef"] for one in found}
        return next((name for name, target in targets.items() if (target["kind"], target["name"]) == driven), ""), ""

    async def _workload(self, endpoint: LLMEndpoint) -> tuple[Object | None, str]:
        """Find the model's workload: in the cluster, else in the file, where a workloadRef may name it."""
        reference, namespace = endpoint.spec.backend.workload_ref, endpoint.metadata.namespace
        if endpoint.spec.backend.external is not None:
            return None, ""
        name = reference.name if reference is not None else names.model_workload(endpoint.metadata.name)
        kind = STATEFUL_SET if reference is not None and reference.kind == STATEFUL_SET.kind else DEPLOYMENT
        unread = ""
        try:
            found = await self.client.find(kind, namespace, name)
        except ApiError as error:
            found, unread = None, f"{kind.kind} {name} could not be read: {error.message}"
        if found is not None or reference is None:
            return {"apiVersion": kind.api_version, "kind": kind.kind, **found} if found else None, unread
        return next((obj for obj in self.objects if _is(obj, kind, namespace, name)), None), unread

    async def _trials(self, endpoint: LLMEndpoint, planned: Sequence[Child]) -> tuple[Trial, ...]:
        trials, new = [], set()
        for child in planned:
            key = (child.obj["kind"], child.obj["metadata"]["name"])
            if key in new:
                continue  # the rest of what is about to be made: it cannot be tried before it is there
            trial = await self._trial(endpoint, child)
            trials.append(trial)
            if trial.actual is None:
                new.add(key)
        return tuple(trials)

    async def _trial(self, endpoint: LLMEndpoint, child: Child) -> Trial:
        kind, metadata = kind_of(child.obj), child.obj["metadata"]
        label = f"{kind.kind} {metadata['name']}"
        try:
            actual = await self.client.find(kind, metadata["namespace"], metadata["name"])
        except ApiError as error:
            return Trial(child, None, untried=f"{label} could not be read: {error.message}")
        if actual is not None:
            actual = {"apiVersion": kind.api_version, "kind": kind.kind, **actual}
            if taken := name_taken(actual, child, {"uid": endpoint.metadata.uid}):
                return Trial(child, actual, refused=taken)
            if not self._worth_trying(child):
                return Trial(child, actual)
        wanted = dict(child.obj)
        if actual is not None:
            wanted["metadata"] = {**metadata, "uid": actual["metadata"]["uid"]}
        try:
            result = await self.client.apply(wanted, child.manager, dry_run=True, strict=True)
        except (Forbidden, Invalid) as error:
            if lacks_right(error):
                return Trial(child, actual, untried=f"{label} was not tried: {error.message}")
            return Trial(child, actual, refused=refused(label, error))
        except NotFound as error:  # its namespace comes with the file, or the workload is only in the file
            return Trial(child, actual, untried=f"{label} was not tried: {error.message}")
        except ApiError as error:
            return Trial(child, actual, untried=f"{label} was not tried: {error.message}")
        return Trial(child, actual, result)

    def _worth_trying(self, child: Child) -> bool:
        """Tell whether pods may roll by this child of what is there; a gateway's image must be known to tell."""
        if child.manager in (names.TEMPLATE_MANAGER, names.ADOPT_MANAGER):
            return True
        gateway = names.component(child.obj) == "gateway"
        return gateway and child.obj["kind"] == DEPLOYMENT.kind and self.setup.settings is not None


_MODELS: Mapping[str, Any] = {
    "LLMEndpoint": LLMEndpoint,
    "MonitoringPolicy": MonitoringPolicy,
    "Evaluator": Evaluator,
}


def _as_read(obj: Object, answer: Applied) -> Applied:
    """Refuse what the API server accepts and this version cannot read, in the words of the operator's condition."""
    if answer.refused is not None or obj["kind"] not in _MODELS:
        return answer
    try:
        _MODELS[obj["kind"]].model_validate(answer.after)
    except ValidationError as error:
        message = f"the API server accepts it, and this version of Modelward cannot read it: {in_words(error)[0]}"
        return replace(answer, refused=Finding(AcceptedReason.INVALID_SPEC, message))
    return answer


def _before(obj: Object | None) -> LLMEndpoint | None:
    try:
        return LLMEndpoint.model_validate(obj) if obj is not None else None
    except ValidationError:
        return None


def _is(obj: Object, kind: Kind, namespace: str, name: str) -> bool:
    metadata = obj["metadata"]
    return (obj.get("kind"), metadata.get("namespace"), metadata.get("name")) == (kind.kind, namespace, name)
