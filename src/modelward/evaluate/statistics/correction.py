"""The share at fault behind a share flagged, with all that is not known of the evaluator's own errors.

Error rates come from a labelled sample, and hold for the domains that it was taken from. Both count here: an interval
that takes them for exact lies wholly beyond a limit that is met in a third of the cases (`bench/verdicts`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from modelward.api.evaluation import EvaluatorFacts
from modelward.api.quantity import PPM
from modelward.evaluate.interval import Interval, wilson

_ALWAYS = Interval(1.0, 1.0, 1.0)
_NEVER = Interval(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """True and false positive rate with their 95 % bounds; both are exact where a flag is a count."""

    true_positive: Interval = _ALWAYS
    false_positive: Interval = _NEVER

    @property
    def discrimination(self) -> float:
        """Return TPR - FPR, Youden's J."""
        return self.true_positive.value - self.false_positive.value

    @property
    def least_discrimination(self) -> float:
        """Return the lower 95 % bound of J."""
        t, f = self.true_positive, self.false_positive
        return self.discrimination - math.hypot(t.value - t.low, f.high - f.value)


def error_rates(facts: EvaluatorFacts) -> ErrorRates | None:
    """Return an evaluator's error rates; None where it is not known on how many rows they were measured.

    A flag without errors (TPR 100 %, FPR 0 %, no rows) is a count of what is there, and exact.
    """
    if facts.is_count:
        return ErrorRates()
    if facts.positives <= 0 or facts.negatives <= 0:
        return None
    return ErrorRates(
        _measured(facts.true_positive_ppm, facts.positives, facts.true_positive_margin_ppm),
        _measured(facts.false_positive_ppm, facts.negatives, facts.false_positive_margin_ppm),
    )


def _measured(rate_ppm: int, rows: int, margin_ppm: int) -> Interval:
    """Return a rate with its bounds: its rows' Wilson interval and the margin between domains, added as squares."""
    rate, margin = min(1.0, max(0.0, rate_ppm / PPM)), margin_ppm / PPM
    sampled = wilson(rate * rows, rows)
    low = rate - math.hypot(rate - sampled.low, margin)
    return Interval(rate, max(0.0, low), min(1.0, rate + math.hypot(sampled.high - rate, margin)))


def corrected(share: Interval, rates: ErrorRates) -> Interval:
    """Return the share at fault behind a share flagged, whose bounds are known too; all in [0, 1].

    The value is Rogan and Gladen's 1978. Each of share, TPR and FPR moves it by so much when it goes to its own bound;
    the bounds are apart by the root of the sum of these squares (square-and-add: Newcombe 1998, MOVER: Zou and Donner
    2008). ValueError where the lower bound of TPR - FPR is not above 0.
    """
    if rates.least_discrimination <= 0:
        raise ValueError("the evaluator may be no better than chance")
    t, f = rates.true_positive, rates.false_positive

    def at(flagged: float, true: float, false: float) -> float:
        return (flagged - false) / (true - false)

    value = at(share.value, t.value, f.value)
    by_true = [at(share.value, bound, f.value) - value for bound in (t.low, t.high)]
    by_false = [at(share.value, t.value, bound) - value for bound in (f.low, f.high)]
    down = (at(share.low, t.value, f.value) - value, min(0.0, *by_true), min(0.0, *by_false))
    up = (at(share.high, t.value, f.value) - value, max(0.0, *by_true), max(0.0, *by_false))
    return Interval(
        *(min(1.0, max(0.0, bound)) for bound in (value, value - math.hypot(*down), value + math.hypot(*up)))
    )


def resolution(rates: ErrorRates, *, above: bool) -> float:
    """Return the least limit that a faultless endpoint can pass, in any number of samples.

    Where `above`, a share at fault is bad above its limit; else a score is bad below it, and 1 - the limit is returned.
    The endpoint is faultless and its evaluator as good as it was measured.
    """
    seen = rates.false_positive.value if above else rates.true_positive.value
    found = corrected(Interval(seen, seen, seen), rates)
    return found.high if above else 1.0 - found.low
