"""Which endpoints a policy selects, by the rules of Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from modelward.api.base import (
    Model,
    rules,
)


class SelectorRequirement(Model):
    """One line of a label selector's matchExpressions."""

    model_config = rules(
        (
            "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
            "In and NotIn need values; Exists and DoesNotExist have none",
        ),
    )

    key: Annotated[str, Field(min_length=1, max_length=317)]
    """The label."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    """How the label's value is compared."""
    values: Annotated[tuple[Annotated[str, Field(max_length=63)], ...] | None, Field(max_length=50)] = None
    """The values that In and NotIn compare with."""


class LabelSelector(Model):
    """A full Kubernetes label selector; `{}` selects everything in the namespace."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-map-type": "atomic"})

    match_labels: Annotated[Mapping[str, Annotated[str, Field(max_length=63)]] | None, Field(max_length=20)] = None
    """Labels that must have exactly these values."""
    match_expressions: Annotated[tuple[SelectorRequirement, ...] | None, Field(max_length=20)] = None
    """Further requirements; all must hold."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether an object with these labels is selected, by the rules of Kubernetes."""
        wanted = (labels.get(key) == value for key, value in (self.match_labels or {}).items())
        return all(wanted) and all(_holds(line, labels) for line in self.match_expressions or ())


def _holds(line: SelectorRequirement, labels: Mapping[str, str]) -> bool:
    match line.operator:
        case "Exists":
            return line.key in labels
        case "DoesNotExist":
            return line.key not in labels
        case "In":
            return labels.get(line.key) in (line.values or ())
        case "NotIn":
            return labels.get(line.key) not in (line.values or ())
