"""Whether the operator may make PrometheusRules of policies, as the chart writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True, slots=True)
class PolicyRuleSettings:
    """Whether it has the right, and the labels by which the installation's Prometheus finds rules."""

    enabled: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)


class PolicyRulesDocument(BaseModel):
    """The part of the settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = False
    labels: Annotated[dict[str, str], Field(max_length=20)] = {}

    def settings(self) -> PolicyRuleSettings:
        """Return what the operator works with."""
        return PolicyRuleSettings(self.enabled, self.labels)
