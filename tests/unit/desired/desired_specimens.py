"""Endpoints, policies and workloads that the tests of `modelward.desired` share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from modelward.api.evaluation import EvaluatorFacts
from modelward.api.evaluator import Evaluator
from modelward.api.exchange import Exchange
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired.evaluators import EvaluatorBlock, Resolution, Resolutions, ResolvedEvaluator
from modelward.desired.finding import Finding
from modelward.desired.installation import Installation, PodSettings
from modelward.desired.pod_additions import NOTHING, PodAdditions
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.kinds.kind import AboutEvaluator
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score
from modelward.reasons.checks import CheckReason

PLAIN = Installation(
    collector_image="registry.example/collector:0.1.0",
    evaluator_image="registry.example/modelward:0.1.0",
    hub_url="https://modelward-hub.modelward-system.svc:8443",
    hub_ca_pem="-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    version="0.1.0",
)
SETTLED = Installation(
    collector_image="mirror.example/collector:0.2.0",
    evaluator_image="mirror.example/modelward:0.2.0",
    version="0.2.0",
    pod=PodSettings(
        image_pull_secrets=("mirror",),
        node_selector={"pool": "shared"},
        tolerations=({"key": "shared", "operator": "Exists"},),
        priority_class_name="low",
        labels={"cost-centre": "platform"},
        annotations={"team": "platform"},
        env={"HTTPS_PROXY": "http://proxy.example:3128", "EMPTY": ""},
    ),
)

SHORT = {"image": "registry.example/llama:1", "args": ["--model", "/m.gguf"], "port": 8080}
USER_POD: dict[str, Any] = {
    "metadata": {"labels": {"team": "retail", "app.kubernetes.io/name": "llama"}, "annotations": {"note": "theirs"}},
    "spec": {
        "nodeSelector": {"gpu": "a100"},
        "terminationGracePeriodSeconds": 300,
        "imagePullSecrets": [{"name": "theirs"}],
        "containers": [
            {
                "name": "model",
                "image": "registry.example/vllm:1",
                "lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
                "resources": {"limits": {"cpu": "2", "memory": "4Gi"}, "requests": {"cpu": "2000m"}},
                "volumeMounts": [{"name": "weights", "mountPath": "/weights"}],
            },
            {
                "name": "logs",
                "image": "registry.example/logs:1",
                "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
            },
        ],
        "volumes": [{"name": "weights", "emptyDir": {}}],
    },
}


def endpoint(spec: dict[str, Any], **metadata: Any) -> LLMEndpoint:
    """Build an endpoint `chat` in namespace `retail`."""
    about = {"name": "chat", "namespace": "retail", "uid": "uid-of-chat", "labels": {"team": "retail"}, **metadata}
    return LLMEndpoint.model_validate({"metadata": about, "spec": spec})


def run_here(template: dict[str, Any] | None = None, **spec: Any) -> LLMEndpoint:
    """Build an endpoint that Modelward runs, from the short form unless another template is given."""
    return endpoint({"engine": "llamacpp", "backend": {"template": template or SHORT}, **spec})


def refer(mode: str, ref: dict[str, Any] | None = None, **spec: Any) -> LLMEndpoint:
    """Build an endpoint that refers to the workload `my-vllm`."""
    about = {"name": "my-vllm", **(ref or {})}
    return endpoint({"engine": "vllm", "backend": {"workloadRef": about}, "collector": {"mode": mode}, **spec})


def external(**spec: Any) -> LLMEndpoint:
    """Build an endpoint for an external API."""
    return endpoint({"engine": "openai", "backend": {"external": {"url": "https://api.example.com/v1"}}, **spec})


def workload(kind: str = "Deployment", *, pod: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """Build the workload `my-vllm` as the API server would return it."""
    server = {"name": "server", "image": "vllm", "ports": [{"containerPort": 8000, "protocol": "TCP"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "my-vllm", "namespace": "retail", "uid": "uid-of-vllm", **metadata},
        "spec": {
            "selector": {"matchLabels": {"app": "my-vllm"}},
            "template": {"metadata": {"labels": {"app": "my-vllm"}}, "spec": pod or {"containers": [server]}},
        },
    }


def policy(name: str, capture: dict[str, Any] | None = None, **spec: Any) -> MonitoringPolicy:
    """Build a policy of namespace `retail` that selects everything there."""
    about = {"name": name, "namespace": "retail", "generation": 3}
    return MonitoringPolicy.model_validate(
        {"metadata": about, "spec": {"endpointSelector": {}, "capture": capture or {}, **spec}}
    )


def evaluation(name: str = "topic", **fields: Any) -> dict[str, Any]:
    """Build an evaluation of a policy; by default the built-in OffTopicAnswered."""
    check = (
        {} if "evaluatorRef" in fields else {"check": {"builtin": "OffTopicAnswered", "config": {"inScope": ["cards"]}}}
    )
    limit = {} if "failBelow" in fields else {"failAbove": "10%"}
    return {"name": name, **check, **limit, **fields}


def evaluator(name: str, builtin: str) -> Evaluator:
    """Build an Evaluator of namespace `retail`."""
    return Evaluator.model_validate({"metadata": {"name": name, "namespace": "retail"}, "spec": {"builtin": builtin}})


@dataclass(frozen=True)
class BuiltinStub:
    """Built-in evaluators as policies see them: `Score` is bad below a limit, and of metadata alone."""

    name: str = "builtin"
    names: tuple[str, ...] = ("OffTopicAnswered", "PII", "Score")

    def about(self, name: str) -> AboutEvaluator:  # noqa: ARG002
        return AboutEvaluator()

    def resolve(self, block: EvaluatorBlock) -> Resolution:
        if block.name not in self.names:
            return Finding(CheckReason.UNKNOWN_EVALUATOR, f"there is no built-in {block.name}")
        if block.config.get("bad"):
            return Finding(CheckReason.INVALID_CONFIG, "bad is set")
        found = ResolvedEvaluator(self.name, block.name, block.config, EvaluatorFacts(block.name, "1"))
        if block.name == "Score":
            found = replace(found, needs="MetadataOnly", fails="Below", has_value=True, value_fails="Below")
            return replace(found, number_unit=block.config.get("unit", ""))
        return found

    def pod(self, evaluator: ResolvedEvaluator) -> PodAdditions:  # noqa: ARG002
        return NOTHING

    async def facts(self, evaluator: ResolvedEvaluator, port: ScoringPort) -> EvaluatorFacts:  # noqa: ARG002
        return evaluator.facts

    async def score(
        self, evaluator: ResolvedEvaluator, exchanges: Sequence[Exchange], port: ScoringPort
    ) -> list[Score]:
        raise NotImplementedError


def resolved(policies: Sequence[MonitoringPolicy], evaluators: Mapping[str, Evaluator] | None = None) -> Resolutions:
    """Resolve the evaluations of policies by the stub."""
    return EvaluatorCatalogue({"builtin": BuiltinStub()}).of_policies(policies, evaluators or {})
