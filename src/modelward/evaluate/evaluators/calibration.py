"""Error rates that users measured on their own traffic."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from modelward.api.form import MEASURED_SHARE
from modelward.api.quantity import percent_ppm
from modelward.evaluate.manifest import EvaluatorConfig, Measured

MAX_LABELLED = 1_000_000
ScorePercent = Annotated[str, StringConstraints(pattern=MEASURED_SHARE.pattern)]


class OwnErrorRates(EvaluatorConfig):
    """Error rates that the user measured on their own traffic, and on how many rows of each kind; they replace ours."""

    true_positive: ScorePercent = Field(alias="truePositive")
    false_positive: ScorePercent = Field(alias="falsePositive")
    positives: Annotated[int, Field(ge=0, le=MAX_LABELLED)] = 0
    negatives: Annotated[int, Field(ge=0, le=MAX_LABELLED)] = 0


class Calibrated(EvaluatorConfig):
    """Settings of an evaluator whose error rates users may replace."""

    calibration: OwnErrorRates | None = None

    @model_validator(mode="after")
    def _discriminates(self) -> Calibrated:
        c = self.calibration
        if c and percent_ppm(c.true_positive) <= percent_ppm(c.false_positive):
            raise ValueError("calibration: truePositive must be above falsePositive")
        return self

    def own_rates(self) -> Measured | None:
        """Return the error rates that the user measured."""
        if c := self.calibration:
            return Measured(
                percent_ppm(c.true_positive), percent_ppm(c.false_positive), "the user's own", c.positives, c.negatives
            )
        return None
