"""How good an evaluator is by the labels of a file, and the calibration that comes of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from modelward.api.exchange import Exchange
from modelward.evaluate.calibration.candidates import readings
from modelward.evaluate.calibration.outcome import LabelRow, chosen
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.quality.calibrating import MeasuredRates, too_few_labels
from modelward.evaluate.quality.labelled import LabelledScore
from modelward.evaluate.score import Score
from modelward.job.calibration.candidates import all_candidates, scorer_by_hand
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.evaluator_files import NamedEvaluator
from modelward.job.installed import builtins, catalogue
from modelward.job.label_file import ExchangeLabels
from modelward.job.minilm import embed


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
    """Return the error rates to calibrate with, and a threshold where the evaluator takes one and has none of its own.

    ValueError, in words, where the labels are too few, or where flags have nothing to do with them.
    """
    if why := too_few_labels(labelled.faults):
        raise ValueError(why)
    scores = [Score("", "Scored", flagged=row.flagged, value=row.value) for row in labelled.rows]
    scorer = scorer_by_hand(labelled.named.evaluator, known or catalogue(), SharedEmbeddings(embed))
    found = chosen(
        await all_candidates(scorer, labelled.exchanges, readings({"": scores})),
        [LabelRow(row.fault, row.cluster) for row in labelled.rows],
    )
    if found.true_positive_rate.value <= found.false_positive_rate.value:
        raise ValueError("it flags faults no more often than good exchanges, so no share could be corrected")
    return found


def takes_setting(named: NamedEvaluator, setting: str) -> bool:
    """Return whether the evaluator's config has a field of this name."""
    builtin = builtins().get(named.evaluator.name) if named.evaluator.kind == "builtin" else None
    return builtin is not None and setting in builtin.manifest.config.model_fields
