"""Labels from elsewhere (A, and as verdicts take them) and of the endpoint's own traffic (B): how often intervals hold.

Share at fault = limit = 10 %, 2,000 samples, TPR 85 % and FPR 5 % measured on 50 + 50 labels, or 30 flagged and 70
other exchanges labelled; once as measured, once where the endpoint's own FPR is twice the measured one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from lang_reiczigel import lang_reiczigel

from modelward.evaluate.interval import Interval, wilson
from modelward.evaluate.statistics.correction import ErrorRates, corrected
from modelward.evaluate.statistics.distributions import clopper_pearson
from modelward.evaluate.statistics.two_phase import StratumLabels, two_phase

SHARE, TRUE, FALSE, SAMPLES, LABELS, TRIALS = 0.1, 0.85, 0.05, 2_000, 50, 10_000
OF_FLAGGED, OF_OTHERS = 30, 70


def labelled_elsewhere(own: float) -> Iterator[tuple[int, int, int]]:
    """Yield samples flagged, faults found and false alarms."""
    drawn = np.random.default_rng(7)
    flagged = drawn.binomial(SAMPLES, SHARE * TRUE + (1 - SHARE) * own, TRIALS)
    rows = zip(flagged, drawn.binomial(LABELS, TRUE, TRIALS), drawn.binomial(LABELS, FALSE, TRIALS), strict=True)
    yield from ((int(k), int(found), int(alarms)) for k, found, alarms in rows)


def of_a(own: float) -> Iterator[Interval]:
    for k, found, alarms in labelled_elsewhere(own):
        yield lang_reiczigel(k, SAMPLES, (found, LABELS), (LABELS - alarms, LABELS))


def of_verdicts(own: float) -> Iterator[Interval]:
    for k, found, alarms in labelled_elsewhere(own):
        yield corrected(wilson(k, SAMPLES), ErrorRates(wilson(found, LABELS), wilson(alarms, LABELS)))


def of_b(own: float) -> Iterator[Interval]:
    drawn, seen = np.random.default_rng(8), SHARE * TRUE + (1 - SHARE) * own
    flagged = drawn.binomial(SAMPLES, seen, TRIALS)
    above = drawn.binomial(OF_FLAGGED, SHARE * TRUE / seen, TRIALS)
    below = drawn.binomial(OF_OTHERS, SHARE * (1 - TRUE) / (1 - seen), TRIALS)
    for k, a, b in zip(flagged, above, below, strict=True):
        yield two_phase(int(k), SAMPLES, StratumLabels(int(a), OF_FLAGGED), StratumLabels(int(b), OF_OTHERS))


@pytest.mark.parametrize(
    ("of", "covers", "wholly_above", "width", "doubled"),
    [(of_a, 0.97, 0.01, 0.14, 0.77), (of_verdicts, 0.96, 0.0, 0.13, 0.87), (of_b, 0.98, 0.02, 0.09, 0.97)],
)
def test_the_formulas_have_their_published_coverage(
    of: Callable[[float], Iterator[Interval]], covers: float, wholly_above: float, width: float, doubled: float
) -> None:
    rows = list(of(FALSE))  # within .01 of figures that were rounded to .01
    assert sum(one.low <= SHARE <= one.high for one in rows) / TRIALS == pytest.approx(covers, abs=0.015)
    assert sum(one.low > SHARE for one in rows) / TRIALS == pytest.approx(wholly_above, abs=0.015)
    assert sum(one.high - one.low for one in rows) / TRIALS == pytest.approx(width, abs=0.015)
    twice = list(of(2 * FALSE))
    assert sum(one.low <= SHARE <= one.high for one in twice) / TRIALS == pytest.approx(doubled, abs=0.015)


@pytest.mark.parametrize("labels", [(15, 35), (25, 25), (40, 80)])
def test_an_endpoint_at_its_limit_lies_wholly_above_it_for_at_most_one_day_in_forty(labels: tuple[int, int]) -> None:
    """Years of days at the limit, calibrated anew each month, by the interval that verdicts take."""
    drawn, (positives, negatives) = np.random.default_rng(9), labels
    above = days = 0
    for _ in range(12 * 40):
        found, alarms = drawn.binomial(positives, TRUE), drawn.binomial(negatives, FALSE)
        rates = ErrorRates(clopper_pearson(int(found), positives), clopper_pearson(int(alarms), negatives))
        if rates.least_discrimination < 0.2:
            continue
        for k in drawn.binomial(SAMPLES, SHARE * TRUE + (1 - SHARE) * FALSE, 30):
            days += 1
            above += corrected(clopper_pearson(int(k), SAMPLES), rates).low > SHARE
    assert days > 5_000
    assert above / days <= 0.025
