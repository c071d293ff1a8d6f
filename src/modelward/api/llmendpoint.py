"""LLMEndpoint: a model endpoint that Modelward runs, adopts or fronts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from modelward.api.base import Model, ObjectMeta, OneOf, list_map, rules
from modelward.api.endpoint_status import (
    Address,
    AppliedPolicy,
    Change,
    CollectorMode,
    CollectorStatus,
    EvaluationStatus,
    Health,
    LLMEndpointStatus,
    MetricStatus,
    ScalingDecision,
    ScalingStatus,
    UsageStatus,
)
from modelward.api.form import BASE_URL
from modelward.api.quantity import Duration, Name, Percent, ServiceName
from modelward.api.replica_bounds import nearest_allowed
from modelward.engines.registry import ENGINES, GENERIC

__all__ = [
    "ADMIN_PORT",
    "COLLECTOR_PORT",
    "Address",
    "AppliedPolicy",
    "Backend",
    "Change",
    "Collector",
    "CollectorMode",
    "CollectorStatus",
    "EngineName",
    "EnvVar",
    "EvaluationStatus",
    "External",
    "Gateway",
    "Health",
    "LLMEndpoint",
    "LLMEndpointSpec",
    "LLMEndpointStatus",
    "MetricStatus",
    "Objective",
    "Port",
    "Preserved",
    "Resources",
    "Scaling",
    "ScalingDecision",
    "ScalingMode",
    "ScalingStatus",
    "Service",
    "Template",
    "UsageStatus",
    "WorkloadRef",
]

COLLECTOR_PORT = 18080
ADMIN_PORT = 18081

EngineName = Annotated[str, OneOf(tuple(ENGINES))]
ScalingMode = Literal["Off", "Advisory", "Direct"]

Port = Annotated[int, Field(ge=1, le=65535)]
Preserved = Annotated[
    Mapping[str, Any], Field(json_schema_extra={"type": "object", "x-kubernetes-preserve-unknown-fields": True})
]
Quantity = Annotated[
    str,
    Field(max_length=32),
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "maxLength": 32}),
]
"""An amount as in a container: `500m`, `16Gi`, or a bare number, as people write GPUs."""
Quantities = Annotated[Mapping[str, Quantity], Field(max_length=16)]

_NOT_OURS = (
    f"!has(self.port) || !(self.port in [{COLLECTOR_PORT}, {ADMIN_PORT}])",
    f"ports {COLLECTOR_PORT} and {ADMIN_PORT} belong to the collector; let the model listen on another one",
)


class WorkloadRef(Model):
    """A Deployment or StatefulSet that another owner manages and Modelward watches."""

    model_config = rules(_NOT_OURS)

    api_version: Literal["apps/v1"] = "apps/v1"
    """API group and version of the workload."""
    kind: Literal["Deployment", "StatefulSet"] = "Deployment"
    """Kind of the workload."""
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

    url: Annotated[str, Field(pattern=BASE_URL.pattern, max_length=512, description="Base URL of the API.")]


class Resources(Model):
    """Requests and limits, as in a container."""

    requests: Quantities | None = None
    """What the container is promised, such as cpu and memory."""
    limits: Quantities | None = None
    """What the container may use at most, such as nvidia.com/gpu."""


class EnvVar(Model):
    """A plain environment variable; use podTemplate for those that come from elsewhere."""

    name: Annotated[str, Field(min_length=1, max_length=256)]
    """Name of the variable."""
    value: Annotated[str, Field(max_length=4096)] = ""
    """Its value."""


class Template(Model):
    """A model server that Modelward runs: a whole pod template, or the short form for the usual case."""

    model_config = rules(
        _NOT_OURS,
        ("has(self.podTemplate) != has(self.image)", "set exactly one of podTemplate and image"),
        (
            "!has(self.podTemplate) || !(has(self.command) || has(self.args) || has(self.env) || has(self.resources))",
            "command, args, env and resources belong to the short form; with podTemplate write them into its container",
        ),
    )

    port: Annotated[Port, Field(description="The port on which the model server listens.")]
    pod_template: Annotated[
        Preserved | None, Field(description="A core/v1 PodTemplateSpec whose model container is named `model`.")
    ] = None
    image: Annotated[str | None, Field(min_length=1, max_length=512)] = None
    """Short form: the model server's image."""
    command: Annotated[tuple[Annotated[str, Field(max_length=4096)], ...] | None, Field(max_length=64)] = None
    """Short form: what to run instead of the image's entry point."""
    args: Annotated[tuple[Annotated[str, Field(max_length=4096)], ...] | None, Field(max_length=256)] = None
    """Short form: arguments of the model server."""
    env: Annotated[tuple[EnvVar, ...] | None, Field(max_length=128, json_schema_extra=list_map("name"))] = None
    """Short form: environment of the model server."""
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


class Collector(Model):
    """How traffic is seen; by default template Sidecar, workloadRef ScrapeOnly, external Gateway."""

    mode: CollectorMode | None = None
    """ScrapeOnly reads the engine's own metrics; Gateway and Sidecar proxy the traffic and can capture it."""
    resources: Resources | None = None


class Gateway(Model):
    """The proxy Deployment of collector mode Gateway."""

    replicas: Annotated[int, Field(ge=1, le=50)] = 2
    """Pods of the gateway."""


class Service(Model):
    """The Service of ours that leads to the collector."""

    name: ServiceName | None = None
    """Name of the Service; by default the endpoint's, or NAME-collector where an adopted workload has its own."""
    port: Port = 80
    """Port on which clients reach the endpoint."""


class Objective(Model):
    """What scaling must keep for the users."""

    model_config = rules(
        (
            "!has(self.timeToFirstToken) || !self.timeToFirstToken.matches('^[0hms]+$')",
            "timeToFirstToken must be longer than 0: no number of replicas answers at once",
        ),
        (
            "!has(self.timePerOutputToken) || !self.timePerOutputToken.matches('^[0hms]+$')",
            "timePerOutputToken must be longer than 0: no number of replicas answers at once",
        ),
    )

    time_to_first_token: Duration | None = None
    """Longest wait for the first token, such as 2s."""
    time_per_output_token: Duration | None = None
    """Longest time per further token, such as 100ms."""
    attainment: Percent = "99%"
    """Share of the requests of a minute that must keep these bounds; below it replicas are added."""


class Scaling(Model):
    """Who may write replicas, and within which bounds."""

    model_config = rules(
        ("self.minReplicas <= self.maxReplicas", "minReplicas must not be above maxReplicas"),
    )

    mode: ScalingMode = "Off"
    """Off, Advisory (decide and show only) or Direct (write replicas); changing it moves nothing."""
    min_replicas: Annotated[int, Field(ge=0, le=1000)] = 1
    """Fewest replicas; 0 allows sleep after idleness."""
    max_replicas: Annotated[int, Field(ge=1, le=1000)]
    """Most replicas."""
    objective: Objective | None = None
    scale_down_hold: Duration = "10m"
    """How long use must stay low before replicas go."""
    tokens_per_second: Annotated[
        int | None, Field(ge=1, le=10_000_000, description="What one replica carries, where it is known; else learned.")
    ] = None

    @property
    def acts(self) -> bool:
        """Whether decisions are carried out, by whatever means."""
        return self.mode not in ("Off", "Advisory")


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

    engine: EngineName = GENERIC
    """What serves the model, so that its own metrics are understood; generic is recognised by them."""
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


class LLMEndpoint(Model):
    """A model endpoint, declared or adopted."""

    model_config = rules(
        (
            "size(self.metadata.name) <= 52 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
            "the name must start with a letter and have at most 52 characters and no dot: Services are named after it",
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
    def replicas_in_bounds(self) -> int | None:
        """The declared replicas, within the bounds of scaling where Modelward writes them; None where there are none.

        A number beyond them is taken back by the next decision, and must not start or end pods until then.
        """
        declared, scaling = self.spec.replicas, self.spec.scaling
        if declared is None or scaling is None or scaling.mode != "Direct":
            return declared
        return nearest_allowed(declared, scaling.min_replicas, scaling.max_replicas, wakes=self.mode == "Gateway")

    @property
    def service_name(self) -> str:
        """Name of our Service; an adopted workload's own Service usually has the plain name already."""
        adopted = self.spec.backend.workload_ref is not None
        return self.spec.service.name or (f"{self.metadata.name}-collector" if adopted else self.metadata.name)
