"""Innocent endpoints in domains that a built-in was not measured on: how many have a false Failed in a month.

Each has no fault at all. Its domain is one of those that `bench/evaluators/scope.py` measures, and error rates come
from the others or from all as shipped; in `new` its false positive rate is drawn anew, normal with their mean and
deviation and not below 0. A month is 720 windows of 400 samples, each decided by itself. `leastLimit` is the least
`failAbove` that is not refused, with the shipped rates.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import mean, stdev
from typing import Any

import numpy as np

from modelward.api.evaluation import Counts, EvaluatorFacts
from modelward.evaluate.evaluators.measured import measured
from modelward.evaluate.manifest import Measured
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.statistics.correction import error_rates, resolution
from modelward.evaluate.verdict import decide

MONTHS, WINDOWS, SAMPLES = 200, 720, 400
LIMITS_PPM = (10_000, 20_000, 50_000, 80_000, 100_000, 150_000)
Sources = dict[str, tuple[EvaluatorFacts, list[float]]]


def facts(rates: Measured, *, exact: bool = False) -> EvaluatorFacts:
    """Return what a verdict is told of these rates; `exact` is what earlier versions took them for."""
    if exact:
        return EvaluatorFacts("E", "1", rates.true_positive_ppm, rates.false_positive_ppm, 10**9, 10**9)
    return EvaluatorFacts(
        "E", "1", rates.true_positive_ppm, rates.false_positive_ppm, rates.positives, rates.negatives,
        rates.true_positive_margin_ppm, rates.false_positive_margin_ppm,
    )  # fmt: skip


def outcomes(
    of: EvaluatorFacts, limit_ppm: int, false_rates: list[float], random: np.random.Generator
) -> dict[str, float]:
    """Return the share of months with a Failed, and of windows by verdict."""

    flagged = random.binomial(SAMPLES, np.array(false_rates)[:, None], (len(false_rates), WINDOWS))
    counts, place = np.unique(flagged, return_inverse=True)
    verdicts = np.array([_verdict(int(count), of, limit_ppm) for count in counts])[place].reshape(flagged.shape)
    return {
        "monthsWithFailed": round(float((verdicts == "Failed").any(axis=1).mean()), 4),
        "windowsPassed": round(float((verdicts == "Passed").mean()), 3),
        "refused": float((verdicts == "Refused").all()),
    }


def _verdict(flagged: int, of: EvaluatorFacts, limit_ppm: int) -> str:
    counts = Counts(SAMPLES, flagged, weight=SAMPLES, weight_squared=SAMPLES, flagged_weight=flagged)
    found = decide(counts, of, VerdictRule(fail_above_ppm=limit_ppm))
    return "Refused" if found.reason == "ThresholdBelowEvaluatorNoise" else found.verdict


def measure() -> dict[str, Any]:
    """Return by evaluator, source of rates, kind of endpoint and limit."""
    random = np.random.default_rng(20_263)
    found: dict[str, Any] = {}
    for name in ("OffTopicAnswered", "OnTopicRefused"):
        rates = measured(name)
        assert rates is not None
        false = [one.false_positive_ppm / 1e6 for one in rates.domains]
        new = [max(0.0, float(rate)) for rate in random.normal(mean(false), stdev(false), MONTHS)]
        sources: Sources = {
            f"{how} {one.name}": (facts(rates, exact=how == "taken as exact"), [one.false_positive_ppm / 1e6] * MONTHS)
            for one in rates.domains
            for how in ("taken as exact", "shipped rates,")
        }
        for one in rates.domains:
            others = tuple(other for other in rates.domains if other != one)
            of = replace(
                rates,
                domains=others,
                false_positive_ppm=round(mean(other.false_positive_ppm for other in others)),
                true_positive_ppm=round(mean(other.true_positive_ppm for other in others)),
            )
            sources[f"rates of the others, {one.name}"] = facts(of), [one.false_positive_ppm / 1e6] * MONTHS
        sources["shipped rates, new domains"] = facts(rates), new
        known = error_rates(facts(rates))
        found[name] = {"leastLimit": round(resolution(known, above=True), 3) if known else None} | {
            source: {f"{limit / 1e4:g}%": outcomes(of, limit, false_rates, random) for limit in LIMITS_PPM}
            for source, (of, false_rates) in sources.items()
        }
    return found
