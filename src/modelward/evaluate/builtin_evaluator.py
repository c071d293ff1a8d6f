"""A built-in evaluator whole: what it says of itself, its settings, and how it scores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from modelward.api.exchange import Exchange
from modelward.api.window_answer import WindowTest
from modelward.evaluate.manifest import EvaluatorConfig, Manifest, Measured
from modelward.evaluate.past import PastTraffic
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score

C = TypeVar("C", bound=EvaluatorConfig)


@dataclass(frozen=True, slots=True)
class BuiltinEvaluator(Generic[C]):
    """Put it into `EVALUATORS` of a module in `evaluate/evaluators`, or of one that an entry point names.

    `rates` are the error rates under these settings, where those of the manifest do not always hold; None where the
    flag is taken as it is. `test` compares a whole window with what was before, where the manifest answers Change.
    `rates_found` finds error rates with the port, where the settings alone do not tell. `scope_key` is the key of what
    is found of its scope, where it judges by one.
    """

    manifest: Manifest
    score: Callable[[C, Sequence[Exchange], ScoringPort], Awaitable[list[Score]]]
    rates: Callable[[C], Measured | None] | None = None
    test: Callable[[C, Sequence[Exchange], PastTraffic, ScoringPort], Awaitable[tuple[WindowTest, ...]]] | None = None
    rates_found: Callable[[C, ScoringPort], Awaitable[Measured | None]] | None = None
    scope_key: Callable[[C], str] | None = None

    def rates_under(self, config: C) -> Measured | None:
        """Return the error rates that correct its share under these settings."""
        return self.rates(config) if self.rates else self.manifest.measured
