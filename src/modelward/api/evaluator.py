"""Evaluator: a check that several policies share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from modelward.api.base import BUILTINS_HELP, DNS_LABEL_RULE, Condition, Fitted, Model, ObjectMeta, list_map, rules
from modelward.api.monitoringpolicy import Config


class EvaluatorSpec(Model):
    """Which evaluator, with which settings."""

    builtin: Annotated[str, Field(min_length=1, max_length=63, description=BUILTINS_HELP)]
    config: Config | None = None
    """Its settings; each evaluator documents its own."""


class EvaluatorStatus(Fitted):
    """Whether the evaluator can be used, and how good it was when measured."""

    observed_generation: int = 0
    """The metadata.generation that the status speaks of."""
    version: Annotated[str, Field(max_length=64)] = ""
    """Version of the built-in evaluator."""
    measured: Annotated[str, Field(max_length=256)] = ""
    """How often it was right on labelled exchanges."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=8, json_schema_extra=list_map("type"))] = ()
    """What holds and what does not, each with its reason."""


class Evaluator(Model):
    """A reusable check."""

    model_config = rules(DNS_LABEL_RULE)

    metadata: SkipJsonSchema[ObjectMeta]
    spec: EvaluatorSpec
    status: EvaluatorStatus = EvaluatorStatus()
