"""One judged exchange."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

ScoreState = Literal["Scored", "NotApplicable", "NotCaptured", "Abstained", "Failed", "NotAsked"]
"""Abstained: the evaluator read it and could not decide; it counts as neither good nor at fault, and as no failure."""


@dataclass(frozen=True, slots=True)
class Score:
    """What an evaluator says of one exchange.

    `flagged` only when scored; `value` in [0, 1], or `number` in the unit of the manifest, where the evaluator has one
    behind it; `label` from a small closed set: the finding when flagged, else why there is none. Never text of the
    exchange. `explanation` may repeat some of it, redacted: it goes where exchanges go, and nowhere else. `by` says how
    and by which model it was judged, where one was asked. What a budget had no room for is `NotAsked`: neither judged
    nor failed. ValueError for a value outside [0, 1] or a number that is not finite: either would spoil the sums.
    """

    id: str
    state: ScoreState
    flagged: bool = False
    value: float | None = None
    label: str = ""
    number: float | None = None
    explanation: str = ""
    by: str = ""

    def __post_init__(self) -> None:
        if self.value is not None and not 0.0 <= self.value <= 1.0:
            raise ValueError(f"a value of {self.value} is not in [0, 1]")
        if self.number is not None and not math.isfinite(self.number):
            raise ValueError(f"a number of {self.number} is not finite")
