"""Labels of an endpoint's own exchanges decide before error rates from elsewhere, and say when these no longer hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from modelward.api.calibration import OwnLabels
from modelward.api.evaluation import Counts, EvaluatorFacts
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.statistics.sequence import WARNING
from modelward.evaluate.verdict import decide

FACTS = EvaluatorFacts("judge", "1", 850_000, 50_000, 50, 50)
LIMIT = VerdictRule(fail_above_ppm=100_000, min_samples=100)


def counts(flagged: int, size: int = 2_000) -> Counts:
    sums = (float(size), float(size), float(flagged), float(size), float(flagged), float(flagged))
    return Counts(size, flagged, 0, 0, *sums[:3])


def labels(above: float, below: float, each: int = 60) -> OwnLabels:
    return OwnLabels(round(above * each), each, round(below * each), each)


def test_labels_of_its_own_narrow_what_error_rates_leave_open() -> None:
    few = replace(FACTS, positives=15, negatives=35)
    assert decide(counts(220), few, LIMIT).verdict == "Unknown"
    found = decide(counts(220), few, LIMIT, own=labels(0.4, 0.0, 120))
    assert (found.verdict, found.reason) == ("Passed", "BelowLimit")


def test_few_labels_of_its_own_change_nothing() -> None:
    assert decide(counts(900), FACTS, LIMIT, own=labels(0.9, 0.0, 24)) == decide(counts(900), FACTS, LIMIT)


def test_a_calibration_that_its_own_labels_contradict_is_stale_and_decides_nothing() -> None:
    found = decide(counts(900), FACTS, LIMIT, own=labels(0.1, 0.0))
    assert (found.verdict, found.reason) == ("Unknown", "CalibrationStale")
    assert "by its calibration" in found.message
    assert "by 120 labels of this endpoint's exchanges" in found.message


def test_a_failure_that_is_watched_takes_labels_beyond_the_limit_too() -> None:
    watched = replace(LIMIT, odds=WARNING)
    assert decide(counts(900), FACTS, watched).verdict == "Failed"
    assert decide(counts(900), FACTS, watched, own=labels(0.95, 0.02)).verdict == "Failed"
    assert decide(counts(320), FACTS, watched, own=labels(0.55, 0.05)).verdict != "Failed"


@pytest.mark.parametrize("own_false", [0.05, 0.1])
def test_an_endpoint_at_its_limit_rarely_fails_even_where_its_false_alarms_are_twice_those_measured(
    own_false: float,
) -> None:
    """2 % by labels of its own; by error rates alone it would be 13 % where false alarms have doubled."""
    drawn = np.random.default_rng(5)
    seen = 0.1 * 0.85 + 0.9 * own_false
    failed = 0
    for flagged in drawn.binomial(2_000, seen, 400):
        own = OwnLabels(
            int(drawn.binomial(30, 0.1 * 0.85 / seen)), 30, int(drawn.binomial(70, 0.1 * 0.15 / (1 - seen))), 70
        )
        failed += decide(counts(int(flagged)), FACTS, LIMIT, own=own).verdict == "Failed"
    assert failed / 400 <= 0.04
