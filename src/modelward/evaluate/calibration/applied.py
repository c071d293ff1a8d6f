"""The threshold that calibration chose, applied to scores."""

from __future__ import annotations

from dataclasses import replace

from modelward.desired.evaluators import ResolvedEvaluator
from modelward.evaluate.score import Score


def beyond(value: float, threshold: float, *, low_is_bad: bool) -> bool:
    """Return whether a value is on the bad side of a threshold, or at it."""
    return value <= threshold if low_is_bad else value >= threshold


def at_threshold(evaluator: ResolvedEvaluator, score: Score) -> Score:
    """Return a score flagged by its value and the threshold that calibration chose, where it chose one of the value."""
    if not evaluator.threshold or evaluator.threshold_of != "Value" or score.state != "Scored" or score.value is None:
        return score
    low_is_bad = evaluator.value_fails == "Below"
    return replace(score, flagged=beyond(score.value, float(evaluator.threshold), low_is_bad=low_is_bad))
