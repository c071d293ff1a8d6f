"""An evaluation's limit in the terms of the verdict."""

from __future__ import annotations

from dataclasses import replace

from modelward.api.quantity import limit_millionths
from modelward.desired.monitoring_plan import BoundEvaluation
from modelward.evaluate.rule import VerdictRule
from modelward.status.judgement import ODDS


def rule_of(bound: BoundEvaluation) -> VerdictRule:
    """Return the evaluation's limit and minimum in the terms of the verdict."""
    asked = bound.evaluation
    return VerdictRule(
        fail_above_ppm=limit_millionths(asked.fail_above) if asked.fail_above else None,
        fail_below_ppm=limit_millionths(asked.fail_below) if asked.fail_below else None,
        min_samples=asked.min_samples,
        statistic=asked.statistic,
        unit=bound.evaluator.number_unit if bound.evaluator and asked.statistic != "Share" else "",
    )


def watched_rule(bound: BoundEvaluation) -> VerdictRule:
    """Return the same for a verdict that is taken after each window, with odds by its severity."""
    return replace(rule_of(bound), odds=ODDS[bound.evaluation.severity])
