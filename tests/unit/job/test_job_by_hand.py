"""A pass by hand gives each evaluator what it judges: exchanges in batches, or whole windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from modelward.api.evaluation import EvaluatorFacts
from modelward.api.exchange import Exchange, Message
from modelward.desired.evaluators import EvaluatorBlock, Resolution, ResolvedEvaluator
from modelward.desired.pod_additions import NOTHING, PodAdditions
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.kinds.kind import AboutEvaluator
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score
from modelward.job.by_hand import WINDOW_EXCHANGES, score_exchanges
from modelward.job.evaluator_files import NamedEvaluator

BASE = Exchange("0", 1, "retail/chat", "m", "r", "chat", 200, "ok", "Redacted", (Message("user", "?"),), "yes")


@dataclass
class Sizes:
    """A kind that remembers how many exchanges came at once to each unit."""

    seen: dict[str, list[int]]
    name: str = "sizes"
    names: tuple[str, ...] = ()

    def about(self, _: str) -> AboutEvaluator:
        return AboutEvaluator()

    def resolve(self, block: EvaluatorBlock) -> Resolution:
        return evaluator(block.name)

    def pod(self, _: ResolvedEvaluator) -> PodAdditions:
        return NOTHING

    async def facts(self, evaluator: ResolvedEvaluator, _: ScoringPort) -> EvaluatorFacts:
        return evaluator.facts

    async def score(self, evaluator: ResolvedEvaluator, exchanges: Sequence[Exchange], _: ScoringPort) -> list[Score]:
        self.seen.setdefault(evaluator.unit, []).append(len(exchanges))
        return [Score(one.id, "Scored", flagged=one.id == "7") for one in exchanges]


def evaluator(unit: str) -> ResolvedEvaluator:
    facts = EvaluatorFacts(unit, "1")
    return ResolvedEvaluator("sizes", unit, {}, facts, unit="Window" if unit == "Window" else "Exchange")


@pytest.mark.parametrize("count", [0, 1, 257, WINDOW_EXCHANGES, WINDOW_EXCHANGES + 300])
async def test_windows_are_whole_and_nothing_is_left_out(count: int) -> None:
    kind, written = Sizes({}), list[tuple[str, str]]()
    asked = [NamedEvaluator("a", evaluator("Exchange")), NamedEvaluator("w", evaluator("Window"))]

    def each(named: NamedEvaluator, exchange: Exchange, score: Score) -> None:
        assert score.id == exchange.id
        written.append((named.name, exchange.id))

    exchanges = (replace(BASE, id=str(n)) for n in range(count))
    tallies = await score_exchanges(asked, exchanges, each, EvaluatorCatalogue({"sizes": kind}))
    assert [number for name, number in written if name == "a"] == [str(n) for n in range(count)]
    assert [number for name, number in written if name == "w"] == [str(n) for n in range(count)]
    assert kind.seen.get("Window", []) == [
        size for size in (min(count, WINDOW_EXCHANGES), count - WINDOW_EXCHANGES) if size > 0
    ]
    assert max(kind.seen.get("Exchange", [0])) <= 64
    assert [(one.counts.samples, one.counts.flagged) for one in tallies] == [(count, int(count > 7))] * 2
