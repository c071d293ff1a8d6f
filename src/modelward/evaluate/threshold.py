"""The threshold that a user may set in place of the measured one, which takes the measured error rates with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import StringConstraints

from modelward.api.form import THRESHOLD
from modelward.evaluate.manifest import EvaluatorConfig, Measured

Threshold = Annotated[str, StringConstraints(pattern=THRESHOLD.pattern)]


class ThresholdConfig(EvaluatorConfig):
    """The value from which, or below which, is flagged; `auto` is the measured one."""

    threshold: Threshold = "auto"

    def limit(self, auto: float) -> float:
        """Return the threshold as a number."""
        return auto if self.threshold == "auto" else float(self.threshold)


def rates_at_auto(measured: Measured | None) -> Callable[[ThresholdConfig], Measured | None]:
    """Return the rates under settings: the measured ones, and none with a threshold of the user's own."""
    return lambda config: measured if config.threshold == "auto" else None
