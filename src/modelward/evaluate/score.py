"""One judged exchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ScoreState = Literal["Scored", "NotApplicable", "NotCaptured", "Failed"]


@dataclass(frozen=True, slots=True)
class Score:
    """What an evaluator says of one exchange.

    `flagged` only when scored; `value` in [0, 1] where the evaluator has a number behind it; `label` from a small
    closed set: the finding when flagged, else why there is none. Never text of the exchange.
    """

    id: str
    state: ScoreState
    flagged: bool = False
    value: float | None = None
    label: str = ""
