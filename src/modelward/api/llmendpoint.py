"""LLMEndpoint: a model endpoint that Modelward runs, adopts or fronts, and what it knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from modelward.api.base import Condition, Model, ObjectMeta, Verdict, list_map, rules
from modelward.api.quantity import Duration, Name, Percent

COLLECTOR_PORT = 18080
ADMIN_PORT = 18081

Engine = Literal["vllm", "sglang", "tgi", "trtllm", "llamacpp", "ollama", "openai", "generic"]
CollectorMode = Literal["ScrapeOnly", "Gateway", "Sidecar"]
ScalingMode = Literal["Off", "Advisory", "Direct"]
Health = Literal["Healthy", "Degraded", "Unhealthy", "Unknown"]

Port = Annotated[int, Field(ge=1, le=65535)]
Preserved = Annotated[
    Mapping[str, Any], Field(json_schema_extra={"type": "object", "x-kubernetes-preserve-unknown-fields": True})
]

_NOT_OURS = (
    f"!has(self.port) || !(self.port in [{COLLECTOR_PORT}, {ADMIN_PORT}])",
    f"ports {COLLECTOR_PORT} and {ADMIN_PORT} belong to the collector; let the model listen on another one",
)


class WorkloadRef(Model):
    """A Deployment or StatefulSet that somebody else owns and Modelward watches."""

    model_config = rules(_NOT_OURS)

    api_version: Literal["apps/v1"] = "apps/v1"
    kind: Literal["Deployment", "StatefulSet"] = "Deployment"
    name: Annotated[Name, Field(description="Name of the workload in this namespace.")]
    container: Annotated[Name | None, Field(description="The model server's container; found when there is one.")] = (
        None
    )
    port: Annotated[Port | None, Field(description="The model server's port; found when it declares one.")] = None
    accept_restart: Annotated[
        bool, Field(description="Needed to adopt a workload with strategy Recreate, which stops before it starts.")
    ] = False


class External(Model):
    """An API outside the cluster, reached through a gateway that passes the caller's credentials through."""

    url: Annotated[
        str, Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$", max_length=512, description="Base URL of the API.")
    ]


class Resources(Model):
    """Requests and limits, as in a container."""

    requests: Annotated[Mapping[str, Annotated[str, Field(max_length=32)]] | None, Field(max_length=16)] = None
    limits: Annotated[Mapping[str, Annotated[str, Field(max_length=32)]] | None, Field(max_length=16)] = None


class EnvVar(Model):
    """A plain environment variable; use podTemplate for those that come from elsewhere."""

    name: Annotated[str, Field(min_length=1, max_length=256)]
    value: Annotated[str, Field(max_length=4096)] = ""


class Template(Model):
    """A model server that Modelward runs: a whole pod template, or the short form for the usual case."""

    model_config = rules(
        _NOT_OURS,
        ("has(self.podTemplate) != has(self.image)", "set exactly one of podTemplate and image"),
        (
            "!has(self.podTemplate) || !(has(self.args) || has(self.env) || has(self.resources))",
            "args, env and resources belong to the short form; with podTemplate write them into its container",
        ),
    )

    port: Annotated[Port, Field(description="The port on which the model server listens.")]
    pod_template: Annotated[
        Preserved | None, Field(description="A core/v1 PodTemplateSpec whose model container is named `model`.")
    ] = None
    image: Annotated[str | None, Field(min_length=1, max_length=512)] = None
    command: Annotated[tuple[Annotated[str, Field(max_length=4096)], ...] | None, Field(max_length=64)] = None
    args: Annotated[tuple[Annotated[str, Field(max_length=4096)], ...] | None, Field(max_length=256)] = None
    env: Annotated[tuple[EnvVar, ...] | None, Field(max_length=128, json_schema_extra=list_map("name"))] = None
    resources: Resources | None = None


class Backend(Model):
    """Where the model is: exactly one of the three, for ever."""

    model_config = rules(
        (
            "[has(self.workloadRef), has(self.external), has(self.template)].filter(x, x).size() == 1",
            "set exactly one of workloadRef (watch what is there), external (an API) and template (we run it)",
        ),
        (
            "has(self.workloadRef) == has(oldSelf.workloadRef) && has(self.external) == has(oldSelf.external)",
            "the kind of backend cannot change; make another LLMEndpoint",
        ),
    )

    workload_ref: WorkloadRef | None = None
    external: External | None = None
    template: Template | None = None
    scheme: Annotated[Literal["HTTP"], Field(description="How the model server is spoken to.")] = "HTTP"


class Collector(Model):
    """How traffic is seen; by default template Sidecar, workloadRef ScrapeOnly, external Gateway."""

    mode: CollectorMode | None = None
    resources: Resources | None = None


class Gateway(Model):
    """The proxy Deployment of collector mode Gateway."""

    replicas: Annotated[int, Field(ge=1, le=50)] = 2


class Service(Model):
    """The Service of ours that leads to the collector."""

    name: Name | None = None
    port: Port = 80


class Objective(Model):
    """What scaling must keep for the users."""

    time_to_first_token: Duration | None = None
    time_per_output_token: Duration | None = None
    attainment: Percent = "99%"


class Scaling(Model):
    """Who may write replicas, and within which bounds."""

    model_config = rules(
        ("self.minReplicas <= self.maxReplicas", "minReplicas must not be above maxReplicas"),
    )

    mode: ScalingMode = "Off"
    min_replicas: Annotated[int, Field(ge=0, le=1000)] = 1
    max_replicas: Annotated[int, Field(ge=1, le=1000)]
    objective: Objective | None = None
    scale_down_hold: Duration = "10m"
    tokens_per_second: Annotated[
        int | None, Field(ge=1, le=10_000_000, description="What one replica carries, where it is known; else learned.")
    ] = None


class LLMEndpointSpec(Model):
    """What the user wants of an endpoint."""

    model_config = rules(
        (
            "!has(self.backend.external) || !has(self.collector.mode) || self.collector.mode == 'Gateway'",
            "an external API can only be seen through collector mode Gateway",
        ),
        (
            "!has(self.backend.external) || !has(self.replicas) && (!has(self.scaling) || self.scaling.mode == 'Off')",
            "an external API has no replicas of ours to scale; leave out replicas and scaling",
        ),
    )

    engine: Engine = "generic"
    backend: Backend
    collector: Collector = Collector()
    gateway: Gateway = Gateway()
    service: Service = Service()
    replicas: Annotated[
        int | None,
        Field(ge=0, le=1000, description="The only desired number; kubectl scale, HPA and our scaler write it."),
    ] = None
    scaling: Scaling | None = None
    drain_seconds: Annotated[int, Field(ge=0, le=3600, description="How long a pod may finish what it serves.")] = 30
    paused: Annotated[bool, Field(description="Read and report, but write nothing except status.")] = False


class MetricStatus(Model):
    """One objective's number and verdict; numbers are strings with their unit."""

    policy: Name
    name: Name
    model: Annotated[str, Field(max_length=253)] = ""
    value: Annotated[str, Field(max_length=32)] = ""
    samples: int = 0
    verdict: Verdict
    reason: Annotated[str, Field(max_length=64)] = ""
    message: Annotated[str, Field(max_length=256)] = ""
    observed_at: Annotated[str, Field(max_length=32)] = ""


class EvaluationStatus(Model):
    """One evaluation's rate with its interval, sample count and verdict."""

    policy: Name
    name: Name
    rate: Annotated[str, Field(max_length=32)] = ""
    low: Annotated[str, Field(max_length=32)] = ""
    high: Annotated[str, Field(max_length=32)] = ""
    samples: int = 0
    verdict: Verdict
    reason: Annotated[str, Field(max_length=64)] = ""
    message: Annotated[str, Field(max_length=256)] = ""
    observed_at: Annotated[str, Field(max_length=32)] = ""
    run: Annotated[str, Field(max_length=253)] = ""
    examples: Annotated[
        tuple[Annotated[str, Field(max_length=128)], ...], Field(max_length=3, description="Ids of flagged exchanges.")
    ] = ()


class ScalingDecision(Model):
    """One change of replicas that was decided, and why."""

    time: Annotated[str, Field(max_length=32)]
    replicas: int
    reason: Annotated[str, Field(max_length=64)]
    message: Annotated[str, Field(max_length=256)] = ""


class ScalingStatus(Model):
    """What the scaler wants and why."""

    desired: int | None = None
    reason: Annotated[str, Field(max_length=64)] = ""
    message: Annotated[str, Field(max_length=256)] = ""
    capacity: Annotated[str, Field(max_length=64)] = ""
    decisions: Annotated[tuple[ScalingDecision, ...], Field(max_length=10)] = ()


class CollectorStatus(Model):
    """How many collectors see the traffic, and which version they are."""

    mode: CollectorMode
    ready: int = 0
    desired: int = 0
    version: Annotated[str, Field(max_length=128)] = ""
    traffic_seen: Annotated[str, Field(max_length=9)] = ""


class AppliedPolicy(Model):
    """A policy that watches this endpoint, and the generation that is in force."""

    name: Name
    generation: int


class Change(Model):
    """Something that changed and may explain what came after."""

    time: Annotated[str, Field(max_length=32)]
    kind: Literal["Revision", "Policy", "Version", "Scale"]
    message: Annotated[str, Field(max_length=256)]


class UsageStatus(Model):
    """What passed through in the last five minutes."""

    requests_per_minute: Annotated[str, Field(max_length=32)] = ""
    input_tokens_per_minute: Annotated[str, Field(max_length=32)] = ""
    output_tokens_per_minute: Annotated[str, Field(max_length=32)] = ""
    first_token_p95: Annotated[str, Field(max_length=32)] = ""
    error_rate: Annotated[str, Field(max_length=9)] = ""


class Address(Model):
    """Where clients reach the endpoint."""

    url: Annotated[str, Field(max_length=512)]


class LLMEndpointStatus(Model):
    """What Modelward knows of an endpoint; every number with its evidence."""

    observed_generation: int = 0
    summary: Annotated[str, Field(max_length=80)] = ""
    health: Health = "Unknown"
    health_since: Annotated[str, Field(max_length=32)] = ""
    checks: Annotated[str, Field(max_length=16)] = ""
    replicas: int = 0
    ready_replicas: int = 0
    replicas_summary: Annotated[str, Field(max_length=16)] = ""
    selector: Annotated[str, Field(max_length=1024)] = ""
    address: Address | None = None
    models: Annotated[tuple[Annotated[str, Field(max_length=253)], ...], Field(max_length=20)] = ()
    revision: Annotated[str, Field(max_length=64)] = ""
    usage: UsageStatus | None = None
    metrics: Annotated[
        tuple[MetricStatus, ...], Field(max_length=200, json_schema_extra=list_map("policy", "name", "model"))
    ] = ()
    evaluations: Annotated[
        tuple[EvaluationStatus, ...], Field(max_length=200, json_schema_extra=list_map("policy", "name"))
    ] = ()
    scaling: ScalingStatus | None = None
    collector: CollectorStatus | None = None
    applied_policies: Annotated[
        tuple[AppliedPolicy, ...], Field(max_length=50, json_schema_extra=list_map("name"))
    ] = ()
    changes: Annotated[tuple[Change, ...], Field(max_length=5)] = ()
    conditions: Annotated[tuple[Condition, ...], Field(max_length=16, json_schema_extra=list_map("type"))] = ()


class LLMEndpoint(Model):
    """A model endpoint, declared or adopted."""

    model_config = rules(
        (
            "size(self.metadata.name) <= 52",
            "the name must have at most 52 characters: names of children build on it",
        ),
    )

    metadata: SkipJsonSchema[ObjectMeta]
    spec: LLMEndpointSpec
    status: LLMEndpointStatus = LLMEndpointStatus()

    @property
    def mode(self) -> CollectorMode:
        """The collector mode that holds, with the backend's default where none is written."""
        if self.spec.collector.mode is not None:
            return self.spec.collector.mode
        if self.spec.backend.external is not None:
            return "Gateway"
        return "Sidecar" if self.spec.backend.template is not None else "ScrapeOnly"

    @property
    def service_name(self) -> str:
        """Name of our Service; an adopted workload's own Service usually has the plain name already."""
        adopted = self.spec.backend.workload_ref is not None
        return self.spec.service.name or (f"{self.metadata.name}-collector" if adopted else self.metadata.name)
