"""LLMEndpoint: a model endpoint that Modelward runs, adopts or fronts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from modelward.api.backend import (
    ADMIN_PORT,
    COLLECTOR_PORT,
    Backend,
    EnvVar,
    External,
    Port,
    Preserved,
    Resources,
    Template,
    WorkloadRef,
)
from modelward.api.base import Model, ObjectMeta, OneOf, rules
from modelward.api.check_status import EvaluationStatus, MetricStatus
from modelward.api.endpoint_status import (
    Address,
    AppliedPolicy,
    Change,
    CollectorMode,
    CollectorStatus,
    Health,
    LLMEndpointStatus,
    ScalingDecision,
    ScalingStatus,
    UsageStatus,
)
from modelward.api.quantity import Duration, Percent, ServiceName
from modelward.api.replica_bounds import nearest_allowed
from modelward.api.usage import CallerNames, Prices, UsageSettings
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

EngineName = Annotated[str, OneOf(tuple(ENGINES))]
ScalingMode = Literal["Off", "Advisory", "Direct"]


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
    usage: UsageSettings | None = None
    drain_seconds: Annotated[int, Field(ge=0, le=3600, description="How long a pod may finish what it serves.")] = 30
    paused: Annotated[bool, Field(description="Read and report, but write nothing except status.")] = False

    @property
    def prices(self) -> Prices | None:
        """What tokens cost, where that is known."""
        return self.usage.prices if self.usage else None

    @property
    def callers(self) -> CallerNames | None:
        """How it is known who asks, where that is to be known."""
        return self.usage.callers if self.usage else None


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
