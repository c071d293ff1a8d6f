"""What a namespace would hold once a file is applied: what is there, with the file's objects in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelward.api.evaluator import Evaluator
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired import names
from modelward.kube.client import Client
from modelward.kube.errors import ApiError
from modelward.kube.kinds import EVALUATOR, LLM_ENDPOINT, MONITORING_POLICY, NAMESPACE, Object
from modelward.operator.cache.models import parsed

MODELS: Mapping[str, Any] = {
    "LLMEndpoint": LLMEndpoint,
    "MonitoringPolicy": MonitoringPolicy,
    "Evaluator": Evaluator,
}


@dataclass(slots=True)
class NamespaceAfter:
    """Objects by name; what could not be read is in the notes."""

    endpoints: dict[str, LLMEndpoint] = field(default_factory=dict)
    policies: dict[str, MonitoringPolicy] = field(default_factory=dict)
    evaluators: dict[str, Evaluator] = field(default_factory=dict)
    allow_raw: bool = False
    notes: tuple[str, ...] = ()
    all_endpoints: bool = True
    """Whether the endpoints that are there could be listed."""

    def place(self, model: Any) -> None:
        """Put an object in the place of the one of its name."""
        if isinstance(model, LLMEndpoint):
            self.endpoints[model.metadata.name] = model
        elif isinstance(model, MonitoringPolicy):
            self.policies[model.metadata.name] = model
        elif isinstance(model, Evaluator):
            self.evaluators[model.metadata.name] = model


async def namespace_now(client: Client, objects: Sequence[Object], namespace: str) -> NamespaceAfter:
    """Read what a namespace holds now; `objects` are those of the file, which may bring the namespace itself."""
    after = NamespaceAfter(allow_raw=await _allows_raw(client, objects, namespace))
    for kind in (LLM_ENDPOINT, MONITORING_POLICY, EVALUATOR):
        try:
            items = (await client.list(kind, namespace)).items
        except ApiError as error:
            after.notes += (f"{kind.plural} of namespace {namespace} could not be read: {error.message}",)
            after.all_endpoints = after.all_endpoints and kind is not LLM_ENDPOINT
            continue
        for model in parsed(MODELS[kind.kind], items):
            after.place(model)
    return after


async def _allows_raw(client: Client, objects: Sequence[Object], namespace: str) -> bool:
    written = (obj for obj in objects if obj.get("kind") == NAMESPACE.kind)
    try:
        found = await client.find(NAMESPACE, None, namespace)
    except ApiError:
        found = None
    found = found or next((obj for obj in written if obj["metadata"].get("name") == namespace), None)
    annotations = (found or {"metadata": {}})["metadata"].get("annotations") or {}
    return bool(annotations.get(names.ALLOW_RAW_PAYLOADS) == "true")
