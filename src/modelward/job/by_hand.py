"""Evaluators over files of exchanges, as a person runs them: one pass, in memory that does not grow with the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from modelward.api.evaluation import Counts
from modelward.api.exchange import Exchange
from modelward.api.run_plan import MAX_SAMPLES
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.score import Score, ScoreState
from modelward.evaluate.scoring import Scorer, counts, facts_of, reason, score
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.evaluator_files import NamedEvaluator
from modelward.job.installed import catalogue
from modelward.job.minilm import MiniLMUnavailableError, embed, shared_minilm
from modelward.job.port import JobPort

FILE_BATCH = 256
WINDOW_EXCHANGES = MAX_SAMPLES
"""An evaluator of windows gets so many exchanges of the file at a time, as a run would give it."""


@dataclass(slots=True)
class HandTally:
    """What one evaluator found: counts as a window has them, and why nothing could be judged, if nothing could.

    `labels` are those of scores that failed, and of exchanges that were not applicable or not captured.
    """

    named: NamedEvaluator
    counts: Counts = field(default_factory=Counts)
    missing: str = ""
    labels: Counter[tuple[ScoreState, str]] = field(default_factory=Counter)

    def add(self, rows: Sequence[tuple[Exchange, Score]]) -> None:
        """Count some scored exchanges."""
        self.counts += counts(rows, self.named.rule.statistic if self.named.rule else "Share")
        self.labels.update((one.state, one.label) for _, one in rows if one.state != "Scored")
        self.missing = reason([one for _, one in rows]) if not self.counts.samples else ""


@dataclass(frozen=True, slots=True)
class _Judge:
    scorer: Scorer
    tally: HandTally

    async def rows(self, exchanges: Sequence[Exchange]) -> list[tuple[Exchange, Score]]:
        scores = await score(self.scorer, exchanges)
        if any(one.label == MiniLMUnavailableError.__name__ for one in scores):
            shared_minilm()  # it says which command makes the model
        rows = list(zip(exchanges, scores, strict=True))
        self.tally.add(rows)
        return rows


async def score_exchanges(
    evaluators: Sequence[NamedEvaluator],
    exchanges: Iterable[Exchange],
    each: Callable[[NamedEvaluator, Exchange, Score], None],
    known: EvaluatorCatalogue | None = None,
) -> list[HandTally]:
    """Judge exchanges by all evaluators in one pass, and hand every score to `each`.

    Scores come by exchange, those of one in the order of the evaluators; those of evaluators of windows follow when the
    window is full or the last. MiniLMUnavailableError where a model is needed and not built.
    """
    embeddings, known = SharedEmbeddings(embed), known or catalogue()
    judges = [await _judge_of(one, known, embeddings) for one in evaluators]
    windowed = [one for one in judges if one.scorer.evaluator.unit == "Window"]
    single = [one for one in judges if one not in windowed]
    window: list[Exchange] = []
    for batch in _batches(exchanges):
        await _judge(single, batch, each)
        if windowed:
            window += batch
        if len(window) >= WINDOW_EXCHANGES:
            await _judge(windowed, window[:WINDOW_EXCHANGES], each)
            del window[:WINDOW_EXCHANGES]
    if window:
        await _judge(windowed, window, each)
    return [one.tally for one in judges]


async def _judge_of(named: NamedEvaluator, known: EvaluatorCatalogue, embeddings: SharedEmbeddings) -> _Judge:
    scorer = known.scorer(named.evaluator, JobPort(embeddings, named.evaluator.pod.egress))
    found = replace(named.evaluator, facts=await facts_of(scorer))
    return _Judge(scorer, HandTally(replace(named, evaluator=found)))


async def _judge(
    judges: Sequence[_Judge], exchanges: Sequence[Exchange], each: Callable[[NamedEvaluator, Exchange, Score], None]
) -> None:
    found = [await one.rows(exchanges) for one in judges]
    for rows in zip(*found, strict=True):
        for judge, (exchange, its_score) in zip(judges, rows, strict=True):
            each(judge.tally.named, exchange, its_score)


def _batches(exchanges: Iterable[Exchange]) -> Iterator[list[Exchange]]:
    batch: list[Exchange] = []
    for exchange in exchanges:
        batch.append(exchange)
        if len(batch) == FILE_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
