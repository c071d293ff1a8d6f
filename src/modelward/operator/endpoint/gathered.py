"""All that is known of one endpoint before anything is decided: data alone, from a reconcile or from a preflight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelward.api.evaluator import Evaluator
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired.finding import Finding
from modelward.kube.kinds import Object


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one reconcile rests on; nothing is looked up after it."""

    endpoint: LLMEndpoint
    raw: Object
    policies: tuple[MonitoringPolicy, ...]
    evaluators: Mapping[str, Evaluator]
    allow_raw: bool
    workload: Object | None = None
    pods: tuple[Object, ...] = ()
    gateway: Object | None = None
    gateway_pods: tuple[Object, ...] = ()
    autoscalers: tuple[Object, ...] = ()
    collector_config: Object | None = None
    """The ConfigMap that its collectors mount."""
    rehearsal: Object | None = None
    rehearsing: tuple[Object, ...] = ()
    """The pods of the rehearsal before an adoption."""
    services: tuple[Object, ...] = ()
    """The Services that may lead to the workload's pods where a sidecar may be bypassed, else none."""
    rivals: tuple[LLMEndpoint, ...] = ()
    """The LLMEndpoints that refer to the same workload, this one among them."""
    deserted: bool = False
    """Whether the LLMEndpoint that adopted the workload is gone, or refers to another one now."""
    unlisted: Mapping[str, Finding] = field(default_factory=dict)
    """What the API server refused to list, `pods` or `autoscalers`, in its own words; then there are none of it."""

    @property
    def key(self) -> str:
        """`namespace/name`, by which exchanges and readings name the endpoint."""
        return f"{self.endpoint.metadata.namespace}/{self.endpoint.metadata.name}"

    @property
    def asked_replicas(self) -> int:
        """The requested replicas.

        The endpoint's number, once there is one: the workload follows it a moment later, and one that was just raised
        would be taken back by a decision that still starts from the old number.
        """
        declared = self.endpoint.spec.replicas
        if declared is not None and not self.endpoint.spec.paused:
            return declared
        return int((self.workload or {}).get("spec", {}).get("replicas", 1))

    def autoscaler_of(self, kind: str, name: str) -> str:
        """Return the name of the HorizontalPodAutoscaler that drives an object; empty where none does."""
        for autoscaler in self.autoscalers:
            target = autoscaler["spec"]["scaleTargetRef"]
            if (target["kind"], target["name"]) == (kind, name):
                return str(autoscaler["metadata"]["name"])
        return ""

    @property
    def workload_autoscaler(self) -> str:
        """The name of the HorizontalPodAutoscaler that drives the workload; empty where none does."""
        workload = self.workload
        return self.autoscaler_of(workload["kind"], workload["metadata"]["name"]) if workload is not None else ""


def selector_text(selector: Mapping[str, Any]) -> str:
    """Return a label selector as the API server takes it in a query."""
    parts = [f"{key}={value}" for key, value in sorted(selector.get("matchLabels", {}).items())]
    for line in selector.get("matchExpressions", ()):
        values = ",".join(line.get("values", ()))
        words = {"In": f"{line['key']} in ({values})", "NotIn": f"{line['key']} notin ({values})"}
        words |= {"Exists": line["key"], "DoesNotExist": f"!{line['key']}"}
        parts.append(words[line["operator"]])
    return ",".join(parts)
