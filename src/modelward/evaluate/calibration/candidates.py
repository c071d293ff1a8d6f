"""What calibration may choose among: the readouts of an evaluator, each at thresholds of its value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modelward.desired.evaluators import ResolvedEvaluator
from modelward.evaluate.calibration.applied import beyond
from modelward.evaluate.quality.calibrating import FlagsAtThreshold, candidate_thresholds
from modelward.evaluate.score import Score

MOST_FAILED = 0.1
"""Of a readout's scores; above it, the rest is no fair picture of the labels."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Scores of all labelled exchanges under each readout that could be read, and which rows all of these have.

    `refused` has the labels of scores under readouts that could not.
    """

    scores: Mapping[str, Sequence[Score]]
    rows: tuple[int, ...]
    refused: Mapping[str, tuple[int, str]]


def readings(scores: Mapping[str, Sequence[Score]]) -> Readings:
    """Sort out the readouts of which more than a tenth failed; the others are compared on rows that all have scored."""
    failed = {name: [one.label for one in found if one.state == "Failed"] for name, found in scores.items()}
    refused = {
        name: (len(labels), labels[0])
        for name, labels in failed.items()
        if len(labels) > MOST_FAILED * len(scores[name])
    }
    usable = {name: found for name, found in scores.items() if name not in refused}
    size = len(next(iter(usable.values()), ()))
    rows = (i for i in range(size) if all(found[i].state == "Scored" for found in usable.values()))
    return Readings(usable, tuple(rows), refused)


def candidates(evaluator: ResolvedEvaluator, found: Readings) -> list[FlagsAtThreshold]:
    """Return what each readout flags of the rows: at thresholds of its value where all have one, else as it says."""
    rows = found.rows
    every: list[FlagsAtThreshold] = []
    for readout, scores in found.scores.items():
        values = [value for i in rows if (value := scores[i].value) is not None]
        thresholds = candidate_thresholds(values) if _by_value(evaluator, len(values), len(rows)) else []
        low_is_bad = evaluator.value_fails == "Below"
        every += [
            FlagsAtThreshold(one, tuple(beyond(value, float(one), low_is_bad=low_is_bad) for value in values), readout)
            for one in thresholds
        ]
        if not thresholds:
            every.append(FlagsAtThreshold("", tuple(scores[i].flagged for i in rows), readout))
    return every


def _by_value(evaluator: ResolvedEvaluator, values: int, rows: int) -> bool:
    return evaluator.threshold_of == "Value" and values == rows > 0


def confidence(value: float, threshold: float) -> float:
    """Return how far a value is from its threshold, as a share of the way to the end of its side; in [0, 1]."""
    way = 1 - threshold if value >= threshold else threshold
    return min(1.0, abs(value - threshold) / way) if way > 0 else 1.0
