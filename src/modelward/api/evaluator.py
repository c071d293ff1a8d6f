"""Evaluator: a check that several policies share."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from modelward.api.base import BUILTINS_HELP, DNS_LABEL_RULE, Condition, Fitted, Model, ObjectMeta, list_map, rules
from modelward.api.evaluator_calibration import CalibrationStatus, EvaluatorCalibration
from modelward.api.imported import Imported
from modelward.api.judge import JudgeBlock
from modelward.api.policy_evaluation import Config
from modelward.api.score_service import Container, Webhook

_ONE_KIND = "set exactly one of builtin, judge, container, webhook and imported"
BESIDE_KIND = ("config", "calibration")
"""Fields of a spec that name no kind."""


class EvaluatorSpec(Model):
    """Which evaluator, with which settings: exactly one kind."""

    model_config = rules(
        (
            (
                "[has(self.builtin), has(self.judge), has(self.container), has(self.webhook), has(self.imported)]"
                ".filter(x, x).size() == 1"
            ),
            _ONE_KIND,
        ),
        ("!has(self.config) || has(self.builtin)", "config belongs to builtin"),
    )

    builtin: Annotated[str | None, Field(min_length=1, max_length=63, description=BUILTINS_HELP)] = None
    judge: JudgeBlock | None = None
    container: Container | None = None
    webhook: Webhook | None = None
    imported: Imported | None = None
    config: Config | None = None
    """Settings of a built-in evaluator; each documents its own."""
    calibration: EvaluatorCalibration | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        """Refuse what a newer or older version stored with a kind that this one does not know."""
        if sum(value is not None for name, value in self if name not in BESIDE_KIND) != 1:
            raise PydanticCustomError("kind", _ONE_KIND)
        return self


class AskedStatus(Fitted):
    """How a judge was asked in the newest run."""

    model: Annotated[str, Field(max_length=256)] = ""
    """The model, as its replies name it."""
    readout: Annotated[str, Field(max_length=32)] = ""
    """How its answers are read."""
    left_out: Annotated[tuple[Annotated[str, Field(max_length=32)], ...], Field(max_length=8)] = ()
    """Readouts and options that it refuses, and is asked without."""


class EvaluatorStatus(Fitted):
    """Whether the evaluator can be used, and how good it was when measured."""

    observed_generation: int = 0
    """The metadata.generation that the status speaks of."""
    version: Annotated[str, Field(max_length=64)] = ""
    """Version of the evaluator; of a judge with the model that answered, once it did."""
    measured: Annotated[str, Field(max_length=256)] = ""
    """How often it was right on labelled exchanges."""
    asked: AskedStatus | None = None
    calibration: CalibrationStatus | None = None
    conditions: Annotated[tuple[Condition, ...], Field(max_length=8, json_schema_extra=list_map("type"))] = ()
    """What holds and what does not, each with its reason."""


class Evaluator(Model):
    """A reusable check."""

    model_config = rules(DNS_LABEL_RULE)

    metadata: SkipJsonSchema[ObjectMeta]
    spec: EvaluatorSpec
    status: EvaluatorStatus = EvaluatorStatus()
