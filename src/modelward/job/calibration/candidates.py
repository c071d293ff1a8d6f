"""What an evaluator flags of labelled exchanges under each choice that calibration has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from modelward.api.exchange import Exchange
from modelward.desired.evaluators import ResolvedEvaluator
from modelward.evaluate.calibration.candidates import Readings, candidates
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.quality.calibrating import FlagsAtThreshold, candidate_thresholds
from modelward.evaluate.scoring import Scorer, score
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.port import JobPort


def scorer_by_hand(evaluator: ResolvedEvaluator, known: EvaluatorCatalogue, embeddings: SharedEmbeddings) -> Scorer:
    """Return what scores by an evaluator in this process."""
    return known.scorer(evaluator, JobPort(embeddings, evaluator.pod.egress))


async def all_candidates(scorer: Scorer, exchanges: Sequence[Exchange], found: Readings) -> list[FlagsAtThreshold]:
    """Return the candidates; those of a threshold in the evaluator's settings are scored again at each, from memory."""
    if scorer.evaluator.threshold_of != "Config" or scorer.evaluator.threshold:
        return candidates(scorer.evaluator, found)
    at_own = next(iter(found.scores.values()), ())
    numbers = ((at_own[i].value, at_own[i].number) for i in found.rows)
    values = [one for value, number in numbers if (one := number if value is None else value) is not None]
    every: list[FlagsAtThreshold] = []
    for threshold in candidate_thresholds(values):
        under = replace(scorer, evaluator=replace(scorer.evaluator, threshold=threshold))
        scores = await score(under, [exchanges[i] for i in found.rows])
        every.append(FlagsAtThreshold(threshold, tuple(one.flagged for one in scores)))
    return every or candidates(scorer.evaluator, found)
