"""How alerts leave the cluster: the platform's receivers, and the hosts that all receivers may be at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from modelward.api.alert_receivers import PlatformReceiver
from modelward.desired.text_egress import ALLOWED_HOST

KNOWN_HOSTS = (
    "hooks.slack.com",
    "slack.com",
    "*.logic.azure.com",
    "*.environment.api.powerplatform.com",
    "events.pagerduty.com",
    "events.eu.pagerduty.com",
    "api.github.com",
)
"""Of Slack, Teams' workflows, PagerDuty and GitHub; the chart's default."""
MAX_RECEIVERS = 50


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """`receivers` are those that policies name by `shared`; `allowed_hosts` bounds where any receiver may be.

    `fallback` is the name of the one that is told what another cannot be, empty where there is none.
    """

    receivers: tuple[PlatformReceiver, ...] = ()
    allowed_hosts: tuple[str, ...] = KNOWN_HOSTS
    fallback: str = ""

    @property
    def by_name(self) -> Mapping[str, PlatformReceiver]:
        """The receivers, by the names that policies know them by."""
        return {one.name: one for one in self.receivers}


def _distinct(receivers: tuple[PlatformReceiver, ...]) -> tuple[PlatformReceiver, ...]:
    names = [one.name for one in receivers]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"two receivers are called {min(doubled)}; give each a name of its own")
    return receivers


def _own(receivers: tuple[PlatformReceiver, ...]) -> tuple[PlatformReceiver, ...]:
    blocks = set(PlatformReceiver.model_fields) - {"name", "shared"}
    for one in receivers:
        if one.shared is not None or sum(getattr(one, block) is not None for block in blocks) != 1:
            raise ValueError(f"receiver {one.name}: set exactly one of {', '.join(sorted(map(to_camel, blocks)))}")
    return receivers


class AlertsDocument(BaseModel):
    """The block `alerts` of the settings file."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="forbid")

    receivers: Annotated[
        tuple[PlatformReceiver, ...], Field(max_length=MAX_RECEIVERS), AfterValidator(_distinct), AfterValidator(_own)
    ] = ()
    allowed_hosts: tuple[Annotated[str, Field(max_length=253, pattern=ALLOWED_HOST)], ...] = KNOWN_HOSTS
    fallback: str = ""

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.fallback and self.fallback not in {one.name for one in self.receivers}:
            raise ValueError(f"fallback names no receiver of this list: {self.fallback}")
        return self

    @property
    def settings(self) -> AlertSettings:
        """The block as the operator uses it."""
        return AlertSettings(self.receivers, self.allowed_hosts, self.fallback)
