"""One judged exchange, and what judges it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from modelward.api.evaluation import EvaluatorFacts
from modelward.api.exchange import Exchange
from modelward.evaluate.evaluators.manifest import Manifest

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


class Scorer(Protocol):
    """A configured check: `judge` is only given exchanges that it can judge, and answers in their order."""

    @property
    def manifest(self) -> Manifest:
        """What it is, and how good it was measured to be."""
        ...

    @property
    def facts(self) -> EvaluatorFacts:
        """The identity and error rates that go into results; another configuration is another version."""
        ...

    def judge(self, exchanges: Sequence[Exchange]) -> list[Score]:
        """Return one score per exchange."""
        ...
