"""The backend of an LLMEndpoint: a workload that is there, an API outside, or a model server that Modelward runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from modelward.api.base import Model, list_map, rules
from modelward.api.form import BASE_URL
from modelward.api.quantity import Name

COLLECTOR_PORT = 18080
ADMIN_PORT = 18081

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
