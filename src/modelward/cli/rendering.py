"""What `modelward render` prints: the child objects that the operator would create, without a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from pydantic import ValidationError

from modelward.api.base import API_VERSION, Model
from modelward.api.evaluator import Evaluator, EvaluatorSpec
from modelward.api.form import in_words
from modelward.api.llmendpoint import LLMEndpoint, LLMEndpointSpec
from modelward.api.monitoringpolicy import MonitoringPolicy, MonitoringPolicySpec
from modelward.cli.workload_words import told
from modelward.desired.alert_way import way_of
from modelward.desired.children import Children
from modelward.desired.finding import Finding
from modelward.desired.installation import Installation
from modelward.desired.monitoring_plan import merge_policies
from modelward.desired.rules.policy_rule import prometheus_rule
from modelward.job.installed import catalogue
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.endpoint.plan import plan
from modelward.operator.endpoint.scale import standing

_KINDS: Mapping[str, tuple[type[Model], type[Model]]] = {
    "LLMEndpoint": (LLMEndpoint, LLMEndpointSpec),
    "MonitoringPolicy": (MonitoringPolicy, MonitoringPolicySpec),
    "Evaluator": (Evaluator, EvaluatorSpec),
}
"""Each kind, and its spec: there a misspelt field is refused, as the API server would."""

_WORKLOADS = frozenset({"Deployment", "StatefulSet"})


class RenderError(ValueError):
    """The file holds something that the operator would refuse; the message names the object and the cause."""


def page(documents: Iterable[Any]) -> str:
    """Return the children as YAML, after comments on what becomes of workloads that the file only refers to."""
    documents = list(documents)
    rules = _rules(documents)
    every = _each(documents, alone=bool(rules))
    comments = [line for endpoint, workload, wanted in every for line in told(endpoint, workload or {}, wanted)]
    if comments:
        comments.append("The images `collector` and `modelward` are stand-ins: the installation chooses them.")
    objects = [child.obj for _, _, wanted in every for child in wanted] + rules
    return "".join(f"# {line}\n" for line in comments) + yaml.safe_dump_all(objects, sort_keys=False)


def rendered(documents: Iterable[Any]) -> list[dict[str, Any]]:
    """Return the children of every LLMEndpoint in the file, in apply order."""
    return [child.obj for _, _, wanted in _each(documents) for child in wanted]


def _rules(documents: Iterable[Any]) -> list[dict[str, Any]]:
    """Return the PrometheusRules of policies whose alerts go by one of their own."""
    ours = [one for one in documents if isinstance(one, Mapping) and one.get("apiVersion") == API_VERSION]
    policies = [one for document in ours if isinstance(one := parsed(document), MonitoringPolicy)]
    return [prometheus_rule(policy, {}) for policy in policies if way_of(policy) == "Policy"]


def _each(
    documents: Iterable[Any], *, alone: bool = False
) -> list[tuple[LLMEndpoint, dict[str, Any] | None, Children]]:
    """Return every LLMEndpoint in the file with the workload that it refers to and its children.

    Policies and evaluators of the same file are taken into account, and so are Deployments and StatefulSets that a
    workloadRef names; images stand as `collector` and `modelward`, since the installation chooses them. Of a paused
    endpoint it is what would be written if it were not. A file without endpoints is one only where `alone` is set.
    """
    objects = [document for document in documents if isinstance(document, Mapping)]
    ours = [parsed(document) for document in objects if document.get("apiVersion") == API_VERSION]
    endpoints = [one for one in ours if isinstance(one, LLMEndpoint)]
    if not endpoints and not alone:
        raise RenderError(f"no LLMEndpoint ({API_VERSION}) in it")
    policies = [one for one in ours if isinstance(one, MonitoringPolicy)]
    evaluators = {one.metadata.name: one for one in ours if isinstance(one, Evaluator)}
    installation = Installation("collector", "modelward", hub_url="https://modelward-hub.modelward-system.svc:8443")
    found: list[tuple[LLMEndpoint, dict[str, Any] | None, Children]] = []
    for endpoint in endpoints:
        workload = _workload(endpoint, objects)
        asked = merge_policies(endpoint, policies, catalogue().of_policies(policies, evaluators))
        shown = endpoint.model_copy(update={"spec": endpoint.spec.model_copy(update={"paused": False})})
        view = Gathered(
            shown, {}, tuple(policies), evaluators, allow_raw=False, workload=workload, rivals=tuple(endpoints)
        )
        todo = standing(view, plan(view, asked, installation))
        if (why := todo.blocked) is not None:
            raise RenderError(f"LLMEndpoint {endpoint.metadata.name}: {why.reason}: {_missing(endpoint, why)}")
        found.append((endpoint, workload, (*todo.apply, *todo.later)))
    return found


def _missing(endpoint: LLMEndpoint, found: Finding) -> str:
    """Return the message of a finding; a workload is looked for in the file, and not in a namespace."""
    ref, namespace = endpoint.spec.backend.workload_ref, endpoint.metadata.namespace
    if found.reason != "TargetNotFound" or ref is None:
        return found.message
    get = f"kubectl get {ref.kind.lower()} -n {namespace} {ref.name} -o yaml"
    return (
        f"there is no {ref.kind} {ref.name} in the file; add what `{get}` prints,"
        " or ask a cluster with `modelward preflight`"
    )


def parsed(document: Mapping[str, Any]) -> Model | None:
    """Return an object of ours as its model, None for another kind. Raises RenderError, which names the field."""
    known = _KINDS.get(str(document.get("kind")))
    if known is None:
        return None
    kind, spec = known
    metadata = {"namespace": "default", **(document.get("metadata") or {})}
    label = f"{document.get('kind')} {metadata.get('name', '?')}"
    try:
        spec.model_validate(document.get("spec") or {}, extra="forbid")
    except ValidationError as error:
        raise RenderError(f"{label}: {_faults(error, 'spec')}") from None
    try:
        return kind.model_validate({**document, "metadata": metadata})
    except ValidationError as error:
        raise RenderError(f"{label}: {_faults(error)}") from None


def _faults(error: ValidationError, *inside: str) -> str:
    return "; ".join(in_words(error, *inside))


def _workload(endpoint: LLMEndpoint, objects: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    reference = endpoint.spec.backend.workload_ref
    for obj in objects:
        if reference and obj.get("kind") == reference.kind and obj["metadata"]["name"] == reference.name:
            return dict(obj)
    return None
