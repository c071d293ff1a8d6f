"""EvaluationRun: one batch of evaluations, due by the clock or asked for by a person."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from modelward.api.base import Condition, Model, ObjectMeta, list_map, rules
from modelward.api.quantity import Name

RunResult = Literal["Passed", "Failed", "Inconclusive", "Error"]
Time = Annotated[str, Field(max_length=32, json_schema_extra={"format": "date-time"})]


def _unchanged(field: str) -> str:
    return f"has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})"


class RunItem(Model):
    """One evaluation of one endpoint over one window."""

    endpoint: Name
    policy: Name
    evaluation: Name
    from_: Annotated[Time, Field(alias="from")]
    to: Time


class EvaluationRunSpec(Model):
    """What to evaluate: the items of a tick, or one endpoint over a time that somebody asks about."""

    model_config = rules(
        ("has(self.items) != has(self.endpoint)", "set exactly one of endpoint (look back) and items"),
        ("has(self.from) == has(self.to)", "set both from and to, or neither (the last hour)"),
        (
            " && ".join(_unchanged(field) for field in ("endpoint", "from", "to", "items")),
            "a run cannot change; make another EvaluationRun",
        ),
    )

    endpoint: Name | None = None
    from_: Annotated[Time | None, Field(alias="from")] = None
    to: Time | None = None
    items: Annotated[tuple[RunItem, ...] | None, Field(max_length=500)] = None
    suspend: Annotated[bool, Field(description="Hold the run; its Job starts nothing new.")] = False


class RunItemStatus(Model):
    """What one item of the run found in its own window."""

    endpoint: Name
    policy: Name
    evaluation: Name
    result: RunResult
    samples: int = 0
    message: Annotated[str, Field(max_length=256)] = ""


class EvaluationRunStatus(Model):
    """How the run ended."""

    observed_generation: int = 0
    result: RunResult | None = None
    message: Annotated[str, Field(max_length=256)] = ""
    samples: int = 0
    job: Annotated[str, Field(max_length=253)] = ""
    start_time: Annotated[str | None, Field(max_length=32)] = None
    completion_time: Annotated[str | None, Field(max_length=32)] = None
    items: Annotated[
        tuple[RunItemStatus, ...],
        Field(max_length=500, json_schema_extra=list_map("endpoint", "policy", "evaluation")),
    ] = ()
    conditions: Annotated[tuple[Condition, ...], Field(max_length=8, json_schema_extra=list_map("type"))] = ()


class EvaluationRun(Model):
    """One batch of evaluations."""

    metadata: SkipJsonSchema[ObjectMeta]
    spec: EvaluationRunSpec
    status: EvaluationRunStatus = EvaluationRunStatus()
