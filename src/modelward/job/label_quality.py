"""How good an evaluator is by the labels of a file, and the calibration that comes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from modelward.api.exchange import Exchange
from modelward.desired.evaluators import EvaluatorBlock
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.quality.calibrating import (
    FlagsAtThreshold,
    MeasuredRates,
    candidate_thresholds,
    cross_fitted,
    measured_rates,
    too_few_labels,
)
from modelward.evaluate.quality.labelled import LabelledScore
from modelward.evaluate.score import Score
from modelward.evaluate.scoring import score
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.evaluator_files import NamedEvaluator
from modelward.job.installed import builtins, catalogue, resolved
from modelward.job.label_file import ExchangeLabels
from modelward.job.minilm import embed
from modelward.job.port import JobPort

AUTO = "auto"


@dataclass(slots=True)
class LabelledRows:
    """The scored exchanges of one evaluator that are labelled, with their scores; `left_out` are those not scored.

    Only these are kept in memory. An exchange that comes twice counts once.
    """

    named: NamedEvaluator
    rows: list[LabelledScore] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    left_out: Counter[tuple[str, bool]] = field(default_factory=Counter)

    @property
    def faults(self) -> list[bool]:
        """The labels."""
        return [row.fault for row in self.rows]


@dataclass(slots=True)
class LabelledRun:
    """Collects the scores of labelled exchanges of every evaluator of a run."""

    labels: ExchangeLabels
    by_evaluator: dict[str, LabelledRows] = field(default_factory=dict)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def add(self, named: NamedEvaluator, exchange: Exchange, its_score: Score) -> None:
        """Take a score where its exchange is labelled."""
        label, key = self.labels.of(exchange.id, named.name), (exchange.id, named.name)
        if label is None or label.fault is None or key in self.seen:
            return
        self.seen.add(key)
        rows = self.by_evaluator.setdefault(named.name, LabelledRows(named))
        if its_score.state != "Scored":
            rows.left_out[its_score.state, label.fault] += 1
            return
        value = its_score.number if its_score.value is None else its_score.value
        cluster = exchange.conversation or exchange.id
        rows.rows.append(LabelledScore(label.fault, its_score.flagged, value, label.group, cluster))
        rows.exchanges.append(exchange)

    @property
    def unknown(self) -> int:
        """How many exchanges are labelled that were not in the input."""
        return len({one for one, _ in self.labels.by_key} - {one for one, _ in self.seen} - self._unsure)

    @property
    def _unsure(self) -> set[str]:
        return {label.id for label in self.labels.by_key.values() if label.fault is None}


async def calibrated(labelled: LabelledRows, known: EvaluatorCatalogue | None = None) -> MeasuredRates:
    """Return the error rates to calibrate with, and a threshold where the evaluator's own is `auto`.

    ValueError, in words, where the labels are too few, or where flags have nothing to do with them.
    """
    faults, clusters = labelled.faults, [row.cluster for row in labelled.rows]
    if why := too_few_labels(faults):
        raise ValueError(why)
    values = [row.value for row in labelled.rows if row.value is not None]
    thresholds = candidate_thresholds(values) if has_auto_threshold(labelled.named) else []
    if thresholds:
        found = cross_fitted(await _flags_at(labelled, thresholds, known or catalogue()), faults, clusters)
    else:
        found = measured_rates(faults, [row.flagged for row in labelled.rows])
    if found.true_positive_rate.value <= found.false_positive_rate.value:
        raise ValueError("it flags faults no more often than good exchanges, so no share could be corrected")
    return found


def takes_setting(named: NamedEvaluator, setting: str) -> bool:
    """Return whether the evaluator's config has a field of this name."""
    builtin = builtins().get(named.evaluator.name) if named.evaluator.kind == "builtin" else None
    return builtin is not None and setting in builtin.manifest.config.model_fields


def has_auto_threshold(named: NamedEvaluator) -> bool:
    """Return whether the evaluator takes a threshold, and its user has not set one."""
    return takes_setting(named, "threshold") and named.evaluator.config.get("threshold", AUTO) == AUTO


async def _flags_at(
    labelled: LabelledRows, thresholds: Sequence[str], known: EvaluatorCatalogue
) -> list[FlagsAtThreshold]:
    """Score the labelled exchanges again at each threshold; their embeddings are remembered."""
    evaluator, embeddings = labelled.named.evaluator, SharedEmbeddings(embed)
    found = []
    for threshold in thresholds:
        config = {**evaluator.config, "threshold": threshold}
        one = resolved(EvaluatorBlock(evaluator.kind, evaluator.name, config), known)
        scores = await score(known.scorer(one, JobPort(embeddings, one.pod.egress)), labelled.exchanges)
        found.append(FlagsAtThreshold(threshold, tuple(one.flagged for one in scores)))
    return found
