"""EvaluationRun: one batch of evaluations, due by the clock or requested by a person."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from modelward.api.base import Condition, Fitted, Model, ObjectMeta, list_map, rules
from modelward.api.quantity import Name, timestamp_ms


def _real_time(text: str) -> str:
    timestamp_ms(text)
    return text


RunResult = Literal["Passed", "Failed", "Inconclusive", "Error"]
WindowTime = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$",
        max_length=35,
    ),
    AfterValidator(_real_time),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": 35}),
]
"""An RFC 3339 time: `2026-11-24T09:00:00Z`."""


def _unchanged(field: str) -> str:
    return f"has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})"


_BOUNDS = "self.from >= timestamp('2000-01-01T00:00:00Z') && self.to <= timestamp('2200-01-01T00:00:00Z')"
_IN_REACH = "from and to must lie between the years 2000 and 2200"


class RunItem(Model):
    """One evaluation of one endpoint over one window."""

    model_config = rules(
        ("self.from < self.to", "from must be before to"),
        (
            _BOUNDS,
            _IN_REACH,
        ),
    )

    endpoint: Name
    """The endpoint whose answers are judged."""
    policy: Name
    """The policy that states the evaluation."""
    evaluation: Name
    """The evaluation's name in that policy."""
    from_: Annotated[WindowTime, Field(alias="from")]
    """Start of the window."""
    to: WindowTime
    """End of the window, not part of it."""


class EvaluationRunSpec(Model):
    """What to evaluate: the items of a schedule's tick, or one endpoint over a time range on request."""

    model_config = rules(
        ("has(self.items) != has(self.endpoint)", "set exactly one of endpoint (look back) and items"),
        ("has(self.from) == has(self.to)", "set both from and to, or neither (the last hour)"),
        ("!has(self.from) || !has(self.to) || self.from < self.to", "from must be before to"),
        (
            f"!has(self.from) || !has(self.to) || ({_BOUNDS})",
            _IN_REACH,
        ),
        (
            " && ".join(_unchanged(field) for field in ("endpoint", "from", "to", "items")),
            "a run cannot change; make another EvaluationRun",
        ),
    )

    endpoint: Name | None = None
    """Look back: run every evaluation of this endpoint."""
    from_: Annotated[WindowTime | None, Field(alias="from")] = None
    """Look back: start of the time in question. Set both from and to; without them it is the last hour."""
    to: WindowTime | None = None
    """Look back: end of the time in question, not part of it."""
    items: Annotated[tuple[RunItem, ...] | None, Field(max_length=500)] = None
    """What was due at a tick; written by the operator."""
    suspend: Annotated[bool, Field(description="Hold the run; its Job starts nothing new.")] = False


class RunItemStatus(Fitted):
    """What one item of the run found in its own window."""

    endpoint: Name
    """The endpoint whose answers were judged."""
    policy: Name
    """The policy that states the evaluation."""
    evaluation: Name
    """The evaluation's name in that policy."""
    result: RunResult
    """What the window's scores say."""
    samples: int = 0
    """Answers that were scored."""
    message: Annotated[str, Field(max_length=256)] = ""
    """Why, for people."""
    cause: Annotated[str, Field(max_length=256)] = ""
    """What became of the evaluator's container, such as OOMKilled, where samples failed for it."""


class EvaluationRunStatus(Fitted):
    """How the run ended."""

    observed_generation: int = 0
    """The metadata.generation that the status speaks of."""
    result: RunResult | None = None
    """The worst result of all items; absent while the run goes on."""
    message: Annotated[str, Field(max_length=256)] = ""
    """Why, for people."""
    samples: int = 0
    """Answers that were scored."""
    job: Annotated[str, Field(max_length=253)] = ""
    """The Job that scores."""
    start_time: Annotated[str | None, Field(max_length=32)] = None
    """When the Job was made."""
    completion_time: Annotated[str | None, Field(max_length=32)] = None
    """When the run ended."""
    items: Annotated[
        tuple[RunItemStatus, ...],
        Field(max_length=500, json_schema_extra=list_map("endpoint", "policy", "evaluation")),
    ] = ()
    """One entry per item."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=8, json_schema_extra=list_map("type"))] = ()
    """What holds and what does not, each with its reason."""


class EvaluationRun(Model):
    """One batch of evaluations."""

    metadata: SkipJsonSchema[ObjectMeta]
    spec: EvaluationRunSpec
    status: EvaluationRunStatus = EvaluationRunStatus()
