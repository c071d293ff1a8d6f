"""The threshold that a user may set in place of the measured one, with the error rates that belong to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import StringConstraints

from modelward.api.form import THRESHOLD
from modelward.evaluate.evaluators.calibration import Calibrated
from modelward.evaluate.manifest import Measured

Threshold = Annotated[str, StringConstraints(pattern=THRESHOLD.pattern)]


class ThresholdConfig(Calibrated):
    """The value from which, or below which, is flagged; `auto` is the measured one. A calibration speaks of it."""

    threshold: Threshold = "auto"

    def limit(self, auto: float) -> float:
        """Return the threshold as a number."""
        return auto if self.threshold == "auto" else float(self.threshold)


def rates_at_auto(measured: Measured | None) -> Callable[[ThresholdConfig], Measured | None]:
    """Return the rates under settings: the user's own, else the measured ones, which go with the measured threshold."""
    return lambda config: config.own_rates() or (measured if config.threshold == "auto" else None)
