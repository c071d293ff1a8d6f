"""What `modelward preflight` finds out: reads the cluster, asks it by dry runs, and writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from modelward.api.base import API_VERSION
from modelward.api.form import in_words
from modelward.api.llmendpoint import LLMEndpoint
from modelward.cli.cluster.installation import Setup, setup
from modelward.cli.cluster.reading import reading
from modelward.cli.preflight.after import MODELS, NamespaceAfter, namespace_now
from modelward.cli.preflight.bypass import bypass_notes
from modelward.cli.preflight.dry_run import Applied, applied
from modelward.cli.preflight.effect import Effect, Subject, effect_of
from modelward.cli.preflight.gathering import gathered
from modelward.cli.preflight.monitoring import evaluator_effect, policy_effect
from modelward.cli.preflight.trial import tried
from modelward.cli.rendering import RenderError
from modelward.cli.rendering import parsed as strictly_parsed
from modelward.desired.evaluators import block_of
from modelward.desired.finding import Finding
from modelward.desired.monitoring_plan import merge_policies
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.job.installed import catalogue
from modelward.kube.certificate import CONFIG_MAP_NAME, KEY
from modelward.kube.client import Client
from modelward.kube.kinds import CONFIG_MAP, NAMESPACE, Object, kind_of
from modelward.operator.endpoint.plan import plan
from modelward.operator.endpoint.scale import standing
from modelward.reasons.accepted import AcceptedReason


async def examined(
    documents: Iterable[Any], kubeconfig: str | None, namespace: str, system_namespace: str
) -> tuple[Effect, ...]:
    """Return what applying the documents would do, in their order; objects without a namespace go to `namespace`."""
    objects = [_placed(document, namespace) for document in documents if isinstance(document, Mapping)]
    async with Client.connect(kubeconfig) as client:
        reader = await reading(client, system_namespace)
        known = await setup(reader, system_namespace)
        found = await reader.find(CONFIG_MAP, system_namespace, CONFIG_MAP_NAME)
        authority = (found.get("data") or {}).get(KEY, "") if isinstance(found, dict) else ""
        return await Examination(client, objects, known, authority).effects()


def _placed(document: Mapping[str, Any], namespace: str) -> Object:
    metadata = dict(document.get("metadata") or {})
    if document.get("kind") != NAMESPACE.kind:
        metadata["namespace"] = metadata.get("namespace") or namespace
    return {**document, "metadata": metadata}


@dataclass(slots=True)
class Examination:
    """One file against one cluster."""

    client: Client
    objects: Sequence[Object]
    setup: Setup
    authority: str = ""
    """The hub's certificate authority, which collectors are given."""
    _after: dict[str, NamespaceAfter] = field(default_factory=dict)

    @property
    def known(self) -> EvaluatorCatalogue:
        """The evaluators, which may send text where the installation's settings let them."""
        settings = self.setup.settings
        return catalogue() if settings is None else catalogue().within(settings.allowed_hosts)

    async def effects(self) -> tuple[Effect, ...]:
        """Ask about every object of ours first, since each decides with the others of its namespace."""
        return tuple([await self._effect(obj, answer) for obj, answer in await self.placed()])

    async def placed(self) -> list[tuple[Object, Applied]]:
        """Return each object of ours with the API server's answer; all of them are in their places by then."""
        ours = [obj for obj in self.objects if obj.get("apiVersion") == API_VERSION]
        asked = [(obj, await self._asked(obj)) for obj in ours]
        for obj, answer in asked:
            await self._place(obj, answer)
        return asked

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
        namespace = obj["metadata"]["namespace"]
        after = self._after.get(namespace)
        if after is None:
            after = self._after[namespace] = await namespace_now(self.client, self.objects, namespace)
        if answer.refused is not None:
            return
        if obj["kind"] in MODELS:
            after.place(MODELS[obj["kind"]].model_validate(answer.after))

    async def _effect(self, obj: Object, answer: Applied) -> Effect:
        kind, metadata = obj["kind"], obj["metadata"]
        place = (str(kind), str(metadata["namespace"]), str(metadata.get("name", "?")))
        notes: tuple[str, ...] = (answer.untried,) if answer.untried else ()
        if answer.refused is not None:
            return Effect(*place, "Refused", answer.refused.message, reason=answer.refused.reason)
        after = self._after[metadata["namespace"]]
        notes += after.notes
        if kind == "LLMEndpoint":
            return effect_of(await self.subject(metadata["namespace"], metadata["name"], answer, notes))
        if kind == "MonitoringPolicy":
            policy = after.policies[metadata["name"]]
            evaluators = self.known.of_policies(after.policies.values(), after.evaluators)
            return policy_effect(policy, after.endpoints, after.policies, evaluators, after.allow_raw, notes)
        if kind == "Evaluator":
            evaluator = after.evaluators[metadata["name"]]
            found = self.known.resolve(block_of(evaluator.spec, evaluator.metadata.name))
            return evaluator_effect(evaluator, found, notes)
        return Effect(*place, "Nothing", "it concerns no model server", notes=notes)

    async def subject(self, namespace: str, name: str, answer: Applied, notes: tuple[str, ...] = ()) -> Subject:
        """Plan for one endpoint as its reconcile does, and try the plan."""
        after = self._after[namespace]
        view, unread = await gathered(self.client, self.objects, after, answer.after, after.endpoints[name])
        bypassed = await bypass_notes(self.client, self.objects, view.endpoint, view.workload)
        notes += (*unread, *filter(None, bypassed))
        evaluators = self.known.of_policies(view.policies, view.evaluators)
        asked = merge_policies(view.endpoint, view.policies, evaluators, allow_raw=view.allow_raw)
        installation = replace(self.setup.installation, hub_ca_pem=self.authority)
        todo = standing(view, plan(view, asked, installation))
        if self.setup.problem and todo.blocked is None:
            notes += (f"the installation's settings are not known, images are stand-ins: {self.setup.problem}",)
        owner = {"uid": view.endpoint.metadata.uid, "name": name}
        trials = await tried(self.client, todo, owner, images_known=self.setup.settings is not None)
        return Subject(_before(answer.before), view, todo, trials, notes)


def _as_read(obj: Object, answer: Applied) -> Applied:
    """Refuse what the API server accepts and this version cannot read, in the words of the operator's condition."""
    if answer.refused is not None or obj["kind"] not in MODELS:
        return answer
    try:
        MODELS[obj["kind"]].model_validate(answer.after)
    except ValidationError as error:
        message = f"the API server accepts it, and this version of Modelward cannot read it: {in_words(error)[0]}"
        return replace(answer, refused=Finding(AcceptedReason.INVALID_SPEC, message))
    return answer


def _before(obj: Object | None) -> LLMEndpoint | None:
    try:
        return LLMEndpoint.model_validate(obj) if obj is not None else None
    except ValidationError:
        return None
