"""The blocks `container` and `webhook` of an Evaluator: code of a team's own, asked by the contract score/v1."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from modelward.api.base import Model, list_map
from modelward.api.form import IMAGE, KIND, SECRET_KEY
from modelward.api.llmendpoint import EnvVar, Resources
from modelward.api.policy_evaluation import Config
from modelward.api.quantity import SecretName, TextUrl

Sends = Literal["Redacted", "MetadataOnly"]
ServiceLabel = Annotated[str, Field(pattern=KIND.pattern, max_length=63)]
"""A finding's name; it comes into results and status, and so is never text of an exchange."""
ServiceLabels = Annotated[tuple[ServiceLabel, ...], Field(max_length=32)]


class Container(Model):
    """An image that runs beside the scoring container of each Job and answers score/v1 on port 18090."""

    image: Annotated[str, Field(pattern=IMAGE.pattern, min_length=1, max_length=512)]
    """The image; name it by digest, so that its verdicts are always those of one version."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When the image is pulled; pull secrets are those of the installation's podSettings."""
    args: Annotated[tuple[Annotated[str, Field(max_length=4096)], ...], Field(max_length=32)] = ()
    """Arguments of its entry point."""
    env: Annotated[tuple[EnvVar, ...], Field(max_length=32, json_schema_extra=list_map("name"))] = ()
    """Plain environment variables; no Secret is mounted into it."""
    resources: Resources | None = None
    """What it may use; without it 100m of CPU and 256Mi, with a limit of 512Mi."""
    sends: Sends = "Redacted"
    """Redacted: messages and answers, masked; MetadataOnly: no text."""
    labels: ServiceLabels = ()
    """The labels that its scores may carry; any other is told as `other`."""
    config: Config | None = None
    """Settings of its own, sent with each request."""


class SigningKeyRef(Model):
    """A key of a Secret of this namespace; only the Job mounts it."""

    name: SecretName
    """Name of the Secret; it begins with `modelward-`."""
    key: Annotated[str, Field(pattern=SECRET_KEY.pattern, min_length=1, max_length=253)] = "signing-key"
    """Which of its keys the requests are signed with."""


class Webhook(Model):
    """A service that answers score/v1: over HTTPS, or plain HTTP where it is a Service of the cluster."""

    url: TextUrl
    """Its base URL, to which /v1/score is added; outside the cluster the Helm value egress.allowedHosts names it."""
    secret_ref: SigningKeyRef
    """What requests are signed with, in the header Modelward-Signature."""
    sends: Sends = "Redacted"
    """Redacted: messages and answers, masked; MetadataOnly: no text."""
    labels: ServiceLabels = ()
    """The labels that its scores may carry; any other is told as `other`."""
    config: Config | None = None
    """Settings of its own, sent with each request."""
